"""The pacing thread: absolute timers and UDP sockets, and nothing that can block.

It runs at real-time priority if that is permitted. Other threads post jobs to it; no
other thread accesses what it owns.
"""

import asyncio
from collections import deque
from collections.abc import Callable
import logging
import os
from pathlib import Path
import resource
import select
import signal
import socket
import threading
import time
from typing import Protocol

from ..net import clock
from .socket_handlers import SocketHandlers

_LOGGER = logging.getLogger(__name__)

_PRIORITY = 5
# A fuse: a real-time thread that runs this long without blocking is broken, and the
# kernel's signal removes its priority before it can starve the machine.
_RUNAWAY_US = 500_000
_FAR_NS = 3600 * 1_000_000_000


class Paced(Protocol):
    """An object with a schedule."""

    def pump(self, now_ns: int) -> int:
        """Send due packets; return the session time of the next turn."""


class Pacer:
    """Runs schedules and socket handlers on the pacing thread."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._timer = os.timerfd_create(
            time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC
        )
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._timer, select.EPOLLIN)
        self._epoll.register(self._bell, select.EPOLLIN)
        self._jobs: deque[Callable[[], None]] = deque()
        self._sockets = SocketHandlers(self._epoll)
        self._paced: set[Paced] = set()
        self._is_running = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="pacing", daemon=True)
        self.is_realtime = False

    def start(self) -> None:
        """Start the thread; return when it has set its priority."""
        self._is_running = True
        begun = threading.Event()
        self.post(begun.set)
        self._thread.start()
        begun.wait(5)

    def stop(self) -> None:
        """End the thread and close its timer and events."""
        self.post(self._end)
        self._thread.join(5)
        self._is_closed = True
        self._epoll.close()
        os.close(self._timer)
        os.close(self._bell)

    def post(self, job: Callable[[], None]) -> None:
        """Run a job on the pacing thread soon; drop it if the thread has ended."""
        if self._is_closed:
            return
        self._jobs.append(job)
        os.eventfd_write(self._bell, 1)

    async def run[T](self, job: Callable[[], T]) -> T:
        """Run a job on the pacing thread and wait for its result.

        Raises RuntimeError: the thread has ended.
        Raises Exception: the job raised it.
        """
        if self._is_closed:
            raise RuntimeError("the pacing thread has ended")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def finish(result: T | None, error: BaseException | None) -> None:
            if done.cancelled():
                return
            if error:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]

        def work() -> None:
            try:
                result = job()
            except Exception as err:  # noqa: BLE001 - raised in the awaiting coroutine
                loop.call_soon_threadsafe(finish, None, err)
            else:
                loop.call_soon_threadsafe(finish, result, None)

        self.post(work)
        return await done

    def listen(self, sock: socket.socket, handler: Callable[[], None]) -> None:
        """Call a handler whenever a socket is readable; pacing thread only.

        A handler that takes too much of the thread's time has to rest.
        """
        self._sockets.listen(sock, handler)

    def forget(self, sock: socket.socket) -> None:
        """Stop listening to a socket; pacing thread only."""
        self._sockets.forget(sock)

    def add(self, paced: Paced) -> None:
        """Add an object to the schedule, with a first turn now; pacing thread only."""
        self._paced.add(paced)

    def remove(self, paced: Paced) -> None:
        """Remove an object from the schedule; pacing thread only."""
        self._paced.discard(paced)

    def _run(self) -> None:
        self.is_realtime = _take_priority()
        while self._is_running:
            self._arm(self._pump())
            for descriptor, _ in self._epoll.poll():
                if descriptor == self._bell:
                    os.eventfd_read(self._bell)
                elif descriptor == self._timer:
                    self._quietly(self._read_timer)
                else:
                    self._sockets.handle(descriptor, clock.now_ns())
            while self._jobs:
                self._quietly(self._jobs.popleft())

    def _pump(self) -> int:
        now_ns = clock.now_ns()
        due_ns = min(now_ns + _FAR_NS, self._sockets.resume(now_ns))
        for paced in tuple(self._paced):
            try:
                due_ns = min(due_ns, paced.pump(now_ns))
            except Exception:
                _LOGGER.exception("A stream failed and was removed from the schedule")
                self._paced.discard(paced)
        return due_ns

    def _arm(self, due_ns: int) -> None:
        # Zero would disarm the timer; a time in the past makes it fire at once.
        initial = max(1, clock.monotonic_of(due_ns))
        os.timerfd_settime_ns(self._timer, flags=os.TFD_TIMER_ABSTIME, initial=initial)

    def _read_timer(self) -> None:
        try:
            os.read(self._timer, 8)
        except BlockingIOError:
            return

    def _quietly(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:
            _LOGGER.exception("Unexpected error on the pacing thread")

    def _end(self) -> None:
        self._is_running = False


def arm_fuse() -> None:
    """Limit how long a real-time thread may run without blocking; main thread only."""
    signal.signal(signal.SIGXCPU, _lose_priority)
    _, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
    resource.setrlimit(resource.RLIMIT_RTTIME, (_RUNAWAY_US, hard))


def _take_priority() -> bool:
    if os.environ.get("AIRPLAY_NO_REALTIME"):
        return False
    policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    try:
        os.sched_setscheduler(0, policy, os.sched_param(_PRIORITY))
    except OSError, AttributeError:
        return False
    return True


def _lose_priority(_number: int, _frame: object) -> None:
    for task in Path("/proc/self/task").iterdir():
        try:
            os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))
        except OSError:
            continue
    _LOGGER.error("The pacing thread ran too long and lost its real-time priority")
