"""Gets a connection on which a receiver takes sessions from us."""

from collections.abc import Awaitable, Callable
import logging
import secrets

from ..auth.credentials import parse_credentials
from ..auth.pair_verify import verify
from ..errors import RaopError
from ..receiver import Receiver
from ..session.approach import Approach, approaches
from .connection import Connection

_LOGGER = logging.getLogger(__name__)

_KEY_BYTES = 32


async def enter[T](
    receiver: Receiver,
    credentials: str | None,
    use: Callable[[Connection, Approach], Awaitable[T]],
    *,
    timeout_s: float = 5,
) -> T:
    """Connect and go on with `use`, in each way until one works; raise what says most.

    A connection on which something failed is closed; the one that works stays open.
    """
    known = parse_credentials(credentials) if credentials else None
    ways = approaches(receiver, has_credentials=known is not None)
    approach = next(ways)
    while True:
        # Whoever is not there is not knocked at in another way.
        connection = await Connection.open(
            receiver.host, receiver.port, timeout_s=timeout_s
        )
        try:
            if approach.verifies and known:
                steps = verify(known, secrets.token_bytes(_KEY_BYTES))
                keys = await connection.perform(steps, timeout_s=timeout_s)
                if keys:
                    connection.encrypt(keys)
            return await use(connection, approach)
        except RaopError as err:
            connection.close()
            try:
                approach = ways.send(err)
            except StopIteration as end:
                told: RaopError = end.value
                raise told from None
            _LOGGER.debug("%s, tried in another way: %s", receiver.name, err)
        except BaseException:
            connection.close()
            raise
