"""Checks that a receiver is reachable and accepts us."""

from contextlib import suppress
import os
import uuid

from ...auth.pair_setup import OPEN_SECRET, transient_setup
from ...errors import AuthenticationError, PairingRequiredError, RaopError
from ...messages import Identity
from ...receiver import Receiver
from ...session.airplay2 import AirPlay2Session, AirPlay2Terms as Terms2, SessionClock
from ...session.backlog import AudioKey, Format
from ...session.control import Caller, ControlSession
from ...session.info import ask_info, is_classic
from ...session.ladder import Ladder
from ...session.raop import RaopSession, RaopTerms
from . import sockets
from .connection import STEP_S, Connection
from .open_way import OpenedWay, Secrets, climb, open_way, srp_private

_INFO_S = 2
_TEARDOWN_S = 1.0
_KEY_BYTES = 16

_NOBODY = Identity(dacp_id="F" * 16)


async def probe(
    receiver: Receiver,
    *,
    password: str | None = None,
    credentials: str | None = None,
    identity: Identity = _NOBODY,
    timeout_s: float = STEP_S,
) -> str:
    """Climb the ladder to the first way that lets us in, without a session.

    Return the address that answered.

    Raises RaopError: the receiver cannot be played to.
    """
    access = Secrets(password, credentials)

    async def greet(opened: OpenedWay) -> str:
        connection = opened.connection
        if opened.way.is_raop:
            session = RaopSession(_terms(opened, identity, password))
            await connection.perform(session.greet(), timeout_s=timeout_s)
        connection.close()
        return connection.remote

    ladder = Ladder(receiver, access.access())
    return await climb(
        ladder,
        lambda attempt: open_way(ladder, attempt, access, greet, timeout_s=timeout_s),
    )


async def rehearse(
    receiver: Receiver,
    *,
    password: str | None = None,
    credentials: str | None = None,
    identity: Identity = _NOBODY,
) -> None:
    """Climb the ladder to the first way that opens a session, and end it.

    Some receivers answer any OPTIONS and refuse an unknown sender only then; HomePods
    ask for a password only then.

    Raises RaopError: the receiver cannot be played to.
    """
    access = Secrets(password, credentials)

    async def try_it(opened: OpenedWay) -> None:
        connection, local = opened.connection, opened.connection.local
        with sockets.bind(local) as control, sockets.bind(local) as timing:
            ports = (control.getsockname()[1], timing.getsockname()[1])
            if opened.way.is_raop:
                session = RaopSession(_terms(opened, identity, password, ports))
                await opened.set_up(session, Format(opened.way.codec, _random_key()))
                await _end(connection, session)
            else:
                session2 = AirPlay2Session(_terms2(opened, identity, password, ports))
                await connection.perform(session2.set_up())
                await opened.check(session2)
                await _end(connection, session2)
            connection.close()

    ladder = Ladder(receiver, access.access())
    await climb(ladder, lambda attempt: open_way(ladder, attempt, access, try_it))


async def _end(connection: Connection, session: ControlSession) -> None:
    """End a session; some receivers close the connection instead of an answer."""
    with suppress(RaopError):
        await connection.perform(session.teardown(), timeout_s=_TEARDOWN_S)


async def check_password(receiver: Receiver, password: str) -> None:
    """Check a password by pairing with AirPlay 2.

    The password is the pairing secret, or the receiver asks for it later and the
    secret is the open one. A receiver that accepts neither has another password.
    shairport-sync with AirPlay 2 requires no password in an AirPlay 1 session.

    Raises AuthenticationError: the password is wrong.
    Raises ReceiverUnreachableError: the connection failed.
    """
    refusal: RaopError | None = None
    for secret in (password, OPEN_SECRET):
        connection = await Connection.connect(receiver.addresses, receiver.pairing_port)
        try:
            await connection.perform(transient_setup(srp_private(), secret))
        except PairingRequiredError:
            return
        except AuthenticationError as err:
            refusal = refusal or err
        except RaopError:
            return
        else:
            return
        finally:
            connection.close()
    assert refusal is not None
    raise refusal


async def informed(receiver: Receiver) -> Receiver:
    """Return a receiver with the facts that it reports now, or unchanged without any.

    A receiver of AirPlay 1 is not asked: some end their process at a request that they
    do not know (nodetunes; shairport-sync without nqptp).

    Raises ReceiverUnreachableError: the connection failed.
    """
    connection = await Connection.connect(receiver.addresses, receiver.port)
    try:
        if await connection.perform(is_classic(), timeout_s=_INFO_S):
            return receiver
        return await connection.perform(ask_info(receiver), timeout_s=_INFO_S)
    except RaopError:
        return receiver
    finally:
        connection.close()


def _terms2(
    opened: OpenedWay, identity: Identity, password: str | None, ports: tuple[int, int]
) -> Terms2:
    caller = Caller(
        local=opened.connection.local,
        session_id=int.from_bytes(os.urandom(4)),
        dacp_id=identity.dacp_id,
        active_remote=0,
        password=password,
    )
    session, group, peer = (str(uuid.uuid4()).upper() for _ in range(3))
    clock = SessionClock(timing_port=ports[1])
    if opened.way.is_ptp:
        # Some receivers refuse the clock of NTP; no stream follows that would use it.
        clock = SessionClock(id=int.from_bytes(os.urandom(8)))
    return Terms2(
        caller=caller,
        client_name=identity.client_name,
        clock=clock,
        session_uuid=session,
        group_uuid=group,
        peer_uuid=peer,
    )


def _terms(
    opened: OpenedWay,
    identity: Identity,
    password: str | None,
    ports: tuple[int, int] = (0, 0),
) -> RaopTerms:
    way, connection = opened.way, opened.connection
    return RaopTerms(
        receiver=opened.receiver,
        local=connection.local,
        remote=connection.remote,
        session_id=int.from_bytes(os.urandom(4)),
        dacp_id=identity.dacp_id,
        active_remote=0,
        client_name=identity.client_name,
        shape=Format(way.codec, _random_key() if way.encrypts else None),
        control_port=ports[0],
        timing_port=ports[1],
        challenge=os.urandom(16),
        password=password,
        uses_auth_setup=way.uses_auth_setup,
        digest=way.digest,
    )


def _random_key() -> AudioKey:
    return AudioKey(os.urandom(_KEY_BYTES), os.urandom(_KEY_BYTES))
