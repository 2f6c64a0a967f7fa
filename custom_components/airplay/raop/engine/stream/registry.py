"""The streams of the engine, each controlled by its newest command."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass

from ...errors import RaopError, StoppedError
from ..lanes.lane import Lane
from .stream import Stream


class SupersededError(RaopError):
    """A newer command replaced this one."""

    code = "superseded"


@dataclass(slots=True)
class _Work:
    task: asyncio.Task[None]
    interruption: type[RaopError] | None = None


class StreamRegistry:
    """Creates a stream on first use, and drops it when it has ended."""

    def __init__(self, make: Callable[[str], Stream]) -> None:
        self._make = make
        self._streams: dict[str, Stream] = {}
        self._at_work: dict[str, _Work] = {}

    def __iter__(self) -> Iterator[Stream]:
        return iter(tuple(self._streams.values()))

    def stream_for(self, name: str) -> Stream | None:
        """Return an existing stream, or None."""
        return self._streams.get(name)

    def open_lane(self, receiver: str) -> Lane | None:
        """Return the open session of a receiver in any stream, or None."""
        lanes = (each.output.lanes.lane_for(receiver) for each in self)
        return next((lane for lane in lanes if lane and lane.is_open), None)

    def named(self, name: str) -> Stream:
        """Return a stream; create it if necessary."""
        if name not in self._streams:
            self._streams[name] = self._make(name)
        return self._streams[name]

    def forget(self, stream: Stream) -> None:
        """Drop a stream that has ended, unless a command is at work on it."""
        if stream.is_idle and not self.is_busy(stream):
            self._streams.pop(stream.name, None)

    def is_busy(self, stream: Stream) -> bool:
        """Whether a command is at work on a stream."""
        return stream.name in self._at_work

    async def take_over(
        self,
        stream: Stream,
        steps: Callable[[], Coroutine[None, None, None]],
        error: type[RaopError] = SupersededError,
    ) -> None:
        """Run a command on a stream after cancelling the one at work on it.

        Raises RaopError: the command failed.
        Raises SupersededError: a newer command came, and passed no other `error`.
        """
        name = stream.name
        previous = self._at_work.get(name)
        if previous:
            previous.interruption = previous.interruption or error
            previous.task.cancel()
        after = previous.task if previous else None
        work = _Work(asyncio.create_task(_after(after, steps)))
        self._at_work[name] = work
        # A cancelled command is at work until it has freed what it holds.
        work.task.add_done_callback(lambda _: self._end(stream, work))
        try:
            await asyncio.wait([work.task])
        except asyncio.CancelledError:
            work.task.cancel()
            raise
        if work.task.cancelled():
            raise (work.interruption or StoppedError)("a newer command came")
        work.task.result()

    def _end(self, stream: Stream, work: _Work) -> None:
        """Record that a command is not at work anymore."""
        if self._at_work.get(stream.name) is work:
            del self._at_work[stream.name]
            self.forget(stream)


async def _after(
    previous: asyncio.Task[None] | None,
    steps: Callable[[], Coroutine[None, None, None]],
) -> None:
    if previous and not previous.done():
        await asyncio.wait([previous])
    await steps()
