"""The sockets of the pacing thread, and how much of its time each may use.

Anyone can send datagrams to an open port. A socket whose handler has used up its share
of the thread rests, and the kernel drops what does not fit into its buffer meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
import logging
import select
import socket
import time

from ...session.limits.allowance import Allowance

_LOGGER = logging.getLogger(__name__)

_SECOND_NS = 1_000_000_000
# In seconds of CPU: the PTP ports of 32 receivers need 0.06 a second.
_A_SECOND = 0.2
_AT_ONCE = 0.1
# Of all sockets, which leaves the other half of the thread for packets.
_ALL_A_SECOND = 0.5
_ALL_AT_ONCE = 0.2
_REST_NS = 20_000_000
_NEVER_NS = 1 << 62


@dataclass(slots=True)
class _Handled:
    descriptor: int
    handler: Callable[[], None]
    share: Allowance = field(default_factory=lambda: Allowance(_A_SECOND, _AT_ONCE))
    # The session time until which it rests, or None.
    rests_until_ns: int | None = None


class SocketHandlers:
    """Calls the handlers of readable sockets; pacing thread only."""

    def __init__(self, epoll: select.epoll) -> None:
        self._epoll = epoll
        self._handled: dict[int, _Handled] = {}
        self._resting: list[_Handled] = []
        self._all = Allowance(_ALL_A_SECOND, _ALL_AT_ONCE)

    def listen(self, sock: socket.socket, handler: Callable[[], None]) -> None:
        """Call a handler whenever a socket is readable."""
        self._handled[sock.fileno()] = _Handled(sock.fileno(), handler)
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def forget(self, sock: socket.socket) -> None:
        """Stop listening to a socket; repeatable."""
        known = self._handled.pop(sock.fileno(), None)
        if known is None:
            return
        if known in self._resting:
            self._resting.remove(known)
        else:
            self._epoll.unregister(known.descriptor)

    def handle(self, descriptor: int, now_ns: int) -> None:
        """Call the handler of a readable socket, if there is one that need not rest."""
        known = self._handled.get(descriptor)
        if known is None:
            return
        now_s = now_ns / _SECOND_NS
        if min(known.share.left(now_s), self._all.left(now_s)) <= 0:
            self._let_rest(known, now_ns)
            return
        begun_ns = time.thread_time_ns()
        try:
            known.handler()
        except Exception:
            _LOGGER.exception("Unexpected error on the pacing thread")
        used_s = (time.thread_time_ns() - begun_ns) / _SECOND_NS
        # One call may use more than was left, which counts against the next ones.
        known.share.charge(now_s, used_s)
        self._all.charge(now_s, used_s)

    def _let_rest(self, known: _Handled, now_ns: int) -> None:
        self._epoll.unregister(known.descriptor)
        known.rests_until_ns = now_ns + _REST_NS
        self._resting.append(known)

    def resume(self, now_ns: int) -> int:
        """Listen again to sockets that have rested; return when the next one may."""
        if not self._resting:
            return _NEVER_NS
        for known in tuple(self._resting):
            assert known.rests_until_ns is not None
            if known.rests_until_ns <= now_ns:
                known.rests_until_ns = None
                self._resting.remove(known)
                self._epoll.register(known.descriptor, select.EPOLLIN)
        return min(
            (each.rests_until_ns or 0 for each in self._resting), default=_NEVER_NS
        )
