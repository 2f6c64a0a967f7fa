"""Checks that a receiver is reachable and accepts us."""

from dataclasses import dataclass
import os
import uuid

from ...auth.pair_setup import OPEN_SECRET, ask_setup, transient_setup
from ...errors import AuthenticationError, PairingRequiredError, RaopError
from ...messages import Identity
from ...receiver import LaneKind, Receiver
from ...session.airplay2 import AirPlay2Session, AirPlay2Terms as Terms2, SessionClock
from ...session.attempts import RaopAttempt
from ...session.backlog import AudioKey, Format
from ...session.control import Caller
from ...session.info import ask_info
from ...session.raop import RaopSession, RaopTerms
from . import sockets
from .connection import Connection
from .login import connect_airplay2, connect_raop, srp_private

_INFO_S = 2
_KEY_BYTES = 16

_NOBODY = Identity(dacp_id="F" * 16)


@dataclass(frozen=True, slots=True)
class Probed:
    """A receiver's own description, our address toward it, and the one that answered."""

    server: str | None
    methods: tuple[str, ...]
    local_address: str
    address: str


async def probe(
    receiver: Receiver,
    *,
    password: str | None = None,
    credentials: str | None = None,
    identity: Identity = _NOBODY,
    timeout_s: float = 5,
) -> Probed:
    """Ask a receiver for its OPTIONS.

    A receiver without RAOP is asked for a login instead.

    Raises RaopError: the receiver cannot be played to.
    """

    async def be_let_in(connection: Connection, _secret: bytes, _: Receiver) -> Probed:
        connection.close()
        return Probed(None, (), connection.local, connection.remote)

    if _is_beyond_raop(receiver):
        return await connect_airplay2(
            receiver,
            be_let_in,
            password=password,
            credentials=credentials,
            timeout_s=timeout_s,
        )

    async def greet(connection: Connection, attempt: RaopAttempt) -> Probed:
        del attempt
        terms = _terms(receiver, connection, identity, password)
        session = RaopSession(terms)
        methods = await connection.perform(session.greet(), timeout_s=timeout_s)
        connection.close()
        return Probed(session.server, methods, connection.local, connection.remote)

    return await connect_raop(receiver, credentials, greet, timeout_s=timeout_s)


async def rehearse(
    receiver: Receiver,
    *,
    password: str | None = None,
    credentials: str | None = None,
    identity: Identity = _NOBODY,
) -> None:
    """Open a session and end it.

    Some receivers answer any OPTIONS and refuse an unknown sender only then.

    Raises RaopError: the receiver cannot be played to.
    """

    async def try_it(connection: Connection, attempt: RaopAttempt) -> None:
        local = connection.local
        with sockets.bind(local) as control, sockets.bind(local) as timing:
            ports = (control.getsockname()[1], timing.getsockname()[1])
            terms = _terms(receiver, connection, identity, password, ports, attempt)
            session = RaopSession(terms)
            await connection.perform(session.prepare())
            await connection.perform(session.teardown())
            connection.close()

    async def try_airplay2(connection: Connection, _: bytes, __: Receiver) -> None:
        # HomePods ask for a password only now.
        with sockets.bind(connection.local) as timing:
            port = timing.getsockname()[1]
            session = AirPlay2Session(_terms2(connection, identity, password, port))
            await connection.perform(session.set_up())
            await connection.perform(session.teardown())
            connection.close()

    if _is_beyond_raop(receiver):
        await connect_airplay2(
            receiver, try_airplay2, password=password, credentials=credentials
        )
    else:
        await connect_raop(receiver, credentials, try_it)


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

    AirPlay 1 receivers do not know this request, and may close the connection.

    Raises ReceiverUnreachableError: the connection failed.
    """
    connection = await Connection.connect(receiver.addresses, receiver.port)
    try:
        return await connection.perform(ask_info(receiver), timeout_s=_INFO_S)
    except RaopError:
        return receiver
    finally:
        connection.close()


async def ask_pairing(receiver: Receiver) -> None:
    """Check that a receiver with AirPlay 2 accepts a PIN now.

    Raises RaopError: it does not accept a PIN, or the connection failed.
    """
    connection = await Connection.connect(receiver.addresses, receiver.pairing_port)
    try:
        await connection.perform(ask_setup())
    finally:
        connection.close()


def _is_beyond_raop(receiver: Receiver) -> bool:
    return bool(receiver.lanes) and LaneKind.RAOP not in receiver.lanes


def _terms2(
    connection: Connection, identity: Identity, password: str | None, port: int
) -> Terms2:
    caller = Caller(
        local=connection.local,
        session_id=int.from_bytes(os.urandom(4)),
        dacp_id=identity.dacp_id,
        active_remote=0,
        password=password,
    )
    session, group, peer = (str(uuid.uuid4()).upper() for _ in range(3))
    return Terms2(
        caller=caller,
        client_name=identity.client_name,
        clock=SessionClock(timing_port=port),
        session_uuid=session,
        group_uuid=group,
        peer_uuid=peer,
    )


def _terms(
    receiver: Receiver,
    connection: Connection,
    identity: Identity,
    password: str | None,
    ports: tuple[int, int] = (0, 0),
    attempt: RaopAttempt | None = None,
) -> RaopTerms:
    key = AudioKey(os.urandom(_KEY_BYTES), os.urandom(_KEY_BYTES))
    return RaopTerms(
        receiver=receiver,
        local=connection.local,
        remote=connection.remote,
        session_id=int.from_bytes(os.urandom(4)),
        dacp_id=identity.dacp_id,
        active_remote=0,
        client_name=identity.client_name,
        shape=Format(receiver.codec, key if receiver.encrypts else None),
        control_port=ports[0],
        timing_port=ports[1],
        challenge=os.urandom(16),
        password=password,
        uses_auth_setup=attempt is not None and attempt.uses_auth_setup,
    )
