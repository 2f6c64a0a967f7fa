"""Opens a way: the one function for a stream, a form, and the command line."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
import logging
import time

from ...auth.credentials import HomeKitCredentials, parse_credentials
from ...errors import (
    RaopError,
    ReceiverBusyError,
    ReceiverUnlockedError,
    ReceiverUnreachableError,
    WrongReceiverError,
)
from ...receiver import Receiver
from ...session.backlog import Format
from ...session.climbing.extras import Extra
from ...session.climbing.way import Login, Way
from ...session.control import ControlSession
from ...session.info import ask_info
from ...session.ladder import Attempt, Ladder, Stage
from ...session.raop import RaopPorts, RaopSession
from ...session.ways import Access
from .connection import Connection
from .doors import Doors
from .extras import ExtraRequests, learn
from .reaching import CONNECT_S

_LOGGER = logging.getLogger(__name__)

_AGAIN_S = 0.6
# Nearly all receivers say who they are; the others are asked once.
_INFO_S = 2.0


@dataclass(frozen=True, slots=True)
class Secrets:
    """The password and the stored keys for one receiver, see `Member`."""

    password: str | None = field(default=None, repr=False)
    credentials: str | None = field(default=None, repr=False)
    is_bound: bool = True

    def access(
        self, *, wanted: str | None = None, learned: Way | None = None
    ) -> Access:
        """Return what they permit.

        Raises CredentialsRejectedError: the credentials are malformed.
        """
        keys = parse_credentials(self.credentials) if self.credentials else None
        return Access(
            has_password=bool(self.password),
            has_keys=keys is not None,
            has_home_keys=isinstance(keys, HomeKitCredentials),
            is_bound=self.is_bound,
            wanted=wanted,
            learned=learned,
        )


@dataclass(frozen=True, slots=True)
class OpenedWay:
    """A connection on which a receiver accepts a session, and how it was opened.

    `secret` is the secret that both sides share in AirPlay 2, else empty.
    """

    connection: Connection
    ladder: Ladder
    attempt: Attempt
    receiver: Receiver
    secret: bytes = field(default=b"", repr=False)

    @property
    def way(self) -> Way:
        """The way."""
        return self.attempt.way

    async def set_up(self, session: RaopSession, encrypted: Format) -> RaopPorts:
        """Set up a session of AirPlay 1, and note how far it comes.

        A receiver without a record gets an encrypted stream if it has the key: one kind
        ends its process at the first packet of another (nodetunes).

        Raises ReceiverUnlockedError: see `check`.
        Raises RaopError: see `RaopSession.greet` and `RaopSession.announce`.
        """
        await self.connection.perform(session.greet())
        self.attempt.stage = Stage.SETUP
        if session.has_key and self.receiver.is_unknown:
            self.attempt.way = replace(self.way, encrypts=True)
            session.encrypt(encrypted)
        ports = await self.connection.perform(session.announce())
        await self.check(session)
        return ports

    async def check(self, session: ControlSession) -> None:
        """Check that a session, which has been set up, uses what is known; else end it.

        Nothing plays before: a password may be asked for by any step up to here.

        Raises ReceiverUnlockedError: the receiver asks for none of the known secrets.
        """
        try:
            self.ladder.check_secrets(
                self.attempt, is_password_asked=session.is_password_asked
            )
        except ReceiverUnlockedError:
            with suppress(RaopError):
                await self.connection.perform(session.teardown())
            raise


async def climb[T](ladder: Ladder, try_way: Callable[[Attempt], Awaitable[T]]) -> T:
    """Try one way after the other until one works; return its result.

    A way on which the receiver ends the connection because of a request that sound does
    not need is tried again without it.

    Raises ReceiverBusyError: the receiver plays for another sender.
    Raises WrongReceiverError: another receiver answers at each address.
    Raises SlowReceiverError: the answers on all ways together take too long.
    Raises RaopError: no way works; the most telling error.
    """
    while True:
        attempt = ladder.attempt()
        try:
            return await _twice(attempt, try_way)
        except ReceiverBusyError, WrongReceiverError:
            raise
        except RaopError as err:
            name = ladder.receiver.name
            _LOGGER.debug("%s: %s failed: %s", name, attempt.way, err)
            if not learn(name, ladder.omissions, err):
                ladder.fail(attempt, err)


async def _twice[T](attempt: Attempt, try_way: Callable[[Attempt], Awaitable[T]]) -> T:
    """Try a way, again if the connection is closed before anything is answered.

    A receiver with one connection at a time closes one that comes right after another
    (nodetunes, within half a second).
    """
    try:
        return await try_way(attempt)
    except ReceiverUnreachableError as err:
        if not err.is_early:
            raise
    await asyncio.sleep(_AGAIN_S)
    attempt.stage = Stage.CONNECT
    return await try_way(attempt)


async def open_way[T](
    ladder: Ladder,
    attempt: Attempt,
    access: Secrets,
    use: Callable[[OpenedWay], Awaitable[T]],
    *,
    timeout_s: float | None = None,
) -> T:
    """Connect, log in, and run `use`; the connection stays open if that works.

    The receiver is asked for its `/info` once, before the first login of AirPlay 2.
    `timeout_s` limits each wait for it, else 3 s.

    Raises RaopError: it does not work, see `attempt.stage`.
    """
    receiver = ladder.receiver
    port = receiver.port if attempt.way.is_raop else receiver.pairing_port
    doors = Doors(receiver, ladder.addresses)
    while True:
        attempt.stage = Stage.CONNECT
        connection = await _connect(ladder, doors, port, timeout_s)
        attempt.stage = Stage.LOGIN
        try:
            with ExitStack() as undo:
                undo.callback(connection.close)
                opened = await _log_in(
                    ladder, attempt, access, doors, connection, timeout_s
                )
                undo.callback(opened.connection.close)
                result = await use(opened)
                undo.pop_all()
                return result
        except WrongReceiverError as err:
            doors.leave(connection, err)
        finally:
            ladder.addresses = doors.left


async def _log_in(
    ladder: Ladder,
    attempt: Attempt,
    access: Secrets,
    doors: Doors,
    connection: Connection,
    timeout_s: float | None,
) -> OpenedWay:
    """Find out who answers, and be let in.

    Raises WrongReceiverError: another receiver answers.
    Raises RaopError: the receiver does not let us in.
    """
    way = attempt.way
    if way.is_raop:
        await doors.check(connection)
        await _verify(connection, way, access, timeout_s)
        return OpenedWay(connection, ladder, attempt, ladder.receiver)
    connection = await _inform(connection, ladder, doors)
    from . import login

    with ExitStack() as undo:
        undo.callback(connection.close)
        if way.login is Login.KEYS:
            steps = login.log_in_by_keys(access.credentials or "")
        else:
            is_asked = way.login is Login.PASSWORD
            steps = login.log_in_by_secret(access.password if is_asked else None)
        secret = await connection.perform(steps, timeout_s=timeout_s)
        connection.encrypt(login.control_keys(secret))
        undo.pop_all()
    attempt.stage = Stage.SETUP
    return OpenedWay(connection, ladder, attempt, ladder.receiver, secret)


async def _verify(
    connection: Connection, way: Way, access: Secrets, timeout_s: float | None
) -> None:
    """Prove stored keys to a receiver of AirPlay 1, if the way uses them."""
    if way.login is not Login.KEYS or not access.credentials:
        return
    from . import login

    steps = login.prove_keys(access.credentials)
    if keys := await connection.perform(steps, timeout_s=timeout_s):
        connection.encrypt(keys)


async def _connect(
    ladder: Ladder, doors: Doors, port: int, timeout_s: float | None
) -> Connection:
    """Connect within the patience of the ladder, which bounds all answers, too.

    Raises ReceiverUnreachableError, WrongReceiverError: see `Doors.connect`.
    """
    patience, begun_s = ladder.patience, time.monotonic()
    limit_s = min(CONNECT_S if timeout_s is None else timeout_s, patience.left_s)
    try:
        connection = await doors.connect(port, timeout_s=limit_s)
    finally:
        patience.spend("connection", time.monotonic() - begun_s)
    connection.patience = patience
    return connection


async def _inform(connection: Connection, ladder: Ladder, doors: Doors) -> Connection:
    """Update the receiver by its `/info`, as mDNS may be outdated.

    Return the connection for the login: another one if the receiver closed it, or did
    not answer, as its answer might still come.
    """
    receiver, omissions = ladder.receiver, ladder.omissions
    if not (ladder.is_informed or Extra.INFO in omissions):
        await _ask_info(connection, ladder)
        ladder.is_informed = True
        if not omissions.is_awaited(Extra.INFO):
            omissions.leave_out(Extra.INFO)
            connection.close()
    doors.keep(connection)
    if not connection.closed.done():
        return connection
    return await _connect(ladder, doors, receiver.pairing_port, None)


async def _ask_info(connection: Connection, ladder: Ladder) -> None:
    """Adopt the answer to `/info`, if there is one.

    Raises WrongReceiverError: another receiver answers.
    """
    receiver = ladder.receiver
    extras, steps = ExtraRequests(receiver.name, ladder.omissions), ask_info(receiver)
    try:
        said = await extras.perform(connection, Extra.INFO, steps, timeout_s=_INFO_S)
    except WrongReceiverError:
        raise
    except RaopError as err:
        _LOGGER.debug("%s: %s", receiver.name, err)
    else:
        if said:
            ladder.inform(said)
