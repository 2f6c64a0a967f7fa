"""Rehearsals for forms: sessions without sound, and passwords without a session."""

from contextlib import suppress
import os
import uuid

from ...auth.pair_setup import OPEN_SECRET, transient_setup
from ...errors import AuthenticationError, PairingRequiredError, RaopError
from ...messages import Identity
from ...receiver import Receiver
from ...session.airplay2 import AirPlay2Session, AirPlay2Terms, SessionClock
from ...session.backlog import Format
from ...session.control import Caller, ControlSession
from ...session.ladder import Ladder
from ...session.raop import RaopSession
from . import sockets
from .connection import Connection
from .login import srp_private
from .open_way import OpenedWay, Secrets, climb, open_way
from .probe import NOBODY, random_key, terms_of

_TEARDOWN_S = 1.0


async def rehearse(
    receiver: Receiver,
    *,
    password: str | None = None,
    credentials: str | None = None,
    identity: Identity = NOBODY,
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
                session = RaopSession(terms_of(opened, identity, password, ports))
                await opened.set_up(session, Format(opened.way.codec, random_key()))
                await _end(connection, session)
            else:
                session2 = AirPlay2Session(_terms(opened, identity, password, ports))
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


def _terms(
    opened: OpenedWay, identity: Identity, password: str | None, ports: tuple[int, int]
) -> AirPlay2Terms:
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
    return AirPlay2Terms(
        caller=caller,
        client_name=identity.client_name,
        clock=clock,
        session_uuid=session,
        group_uuid=group,
        peer_uuid=peer,
    )
