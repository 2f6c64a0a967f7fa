"""A TCP port that is opened for the sender of one session."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from dataclasses import dataclass
import socket

from tests.virtual_receiver.network.udp import Address

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_BUFFER_BYTES = 64 * 1024
# Linux lets one connection wait although the queue has room for none.
_QUEUE_OF_0 = 1


@dataclass(frozen=True, slots=True)
class Door:
    """When a port listens."""

    opens_after_s: float | None = 0.0
    """Seconds until it does; it refuses before, and for ever with None."""
    drops_syn: bool = False
    """Whether it never reacts to a connection."""


OPEN = Door()


class TcpPort:
    """Let the sender in, one connection after the other, until closed."""

    def __init__(
        self,
        local: Address,
        peer: Address,
        serve: Serve,
        stranger: Callable[[], None],
        door: Door = OPEN,
    ) -> None:
        """Listen on a free port; connections of others are closed and reported."""
        host, _, *rest = local
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._peer = peer[0]
        self._serve = serve
        self._stranger = stranger
        self._sock = socket.socket(family, socket.SOCK_STREAM)
        self._sock.setblocking(False)
        # unread audio must wait at the sender, not in our kernel
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._sock.bind((host, 0, *rest))
        self._door = door
        if door.opens_after_s == 0.0 and not door.drops_syn:
            self._sock.listen(4)
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def port(self) -> int:
        """Return the port for the SETUP reply."""
        port: int = self._sock.getsockname()[1]
        return port

    def close(self) -> None:
        """Close the port and the connection, soon."""
        self._task.cancel()

    async def wait_closed(self) -> None:
        """Wait until both are closed."""
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        with self._sock, contextlib.ExitStack() as stack:
            await self._open(stack)
            while True:
                connection, address = await loop.sock_accept(self._sock)
                if address[0] != self._peer:
                    connection.close()
                    self._stranger()
                    continue
                reader, writer = await asyncio.open_connection(sock=connection)
                try:
                    with contextlib.suppress(ConnectionError, EOFError):
                        await self._serve(reader, writer)
                finally:
                    writer.close()

    async def _open(self, stack: contextlib.ExitStack) -> None:
        """Begin to listen, if the door is one that opens."""
        door = self._door
        if door.drops_syn:
            # The kernel drops what comes while a connection waits for a full queue.
            self._sock.listen(0)
            for _ in range(_QUEUE_OF_0):
                filler = stack.enter_context(socket.socket(self._sock.family))
                filler.setblocking(False)
                await asyncio.get_running_loop().sock_connect(
                    filler, self._sock.getsockname()
                )
        if door.drops_syn or door.opens_after_s is None:
            await asyncio.Event().wait()
        elif door.opens_after_s:
            await asyncio.sleep(door.opens_after_s)
            self._sock.listen(4)
