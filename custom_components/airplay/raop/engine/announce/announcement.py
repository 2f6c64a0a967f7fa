"""One announcement on all its streams, heard at the same instant."""

import asyncio
from collections.abc import Callable

from ...errors import RaopError, StoppedError
from ...messages import Announce, Event
from ..pacing.pacer import Pacer
from ..stream.stream import Stream
from .clip import Clip
from .start_barrier import StartBarrier
from .stream_announcement import StreamAnnouncement


class Announcement:
    """Opens what is said once, and has it said on every stream."""

    def __init__(
        self,
        command: Announce,
        streams: dict[str, Stream],
        *,
        pacer: Pacer,
        emit: Callable[[Event], None],
    ) -> None:
        self._pacer = pacer
        self._clip = Clip(command.clips, longest_ms=command.longest_ms)
        self._parts = [
            StreamAnnouncement(
                streams[each.stream], each, command, self._clip, emit=emit
            )
            for each in command.targets
        ]
        self._opening: asyncio.Task[None] | None = None
        self._speaking: list[asyncio.Task[None]] = []
        self._is_cancelled = False

    async def run(self) -> None:
        """Return when it was heard; raise where nobody could hear it."""
        opening = self._opening = asyncio.create_task(self._clip.open())
        try:
            await asyncio.wait([opening])
            if self._is_cancelled:
                raise StoppedError("the announcement was ended")
            opening.result()
            await self._speak()
        finally:
            for task in (opening, *self._speaking):
                task.cancel()
            await asyncio.gather(*self._speaking, return_exceptions=True)
            await self._pacer.run(self._clip.close)

    def cancel(self) -> None:
        """End it: what sounds fades at once, what does not is given up."""
        self._is_cancelled = True
        if self._opening:
            self._opening.cancel()
        for part, task in zip(self._parts, self._speaking, strict=False):
            if not part.cut():
                task.cancel()

    async def _speak(self) -> None:
        barrier = StartBarrier(len(self._parts))
        self._speaking = [
            asyncio.create_task(self._run(each, barrier)) for each in self._parts
        ]
        results = await asyncio.gather(*self._speaking, return_exceptions=True)
        errors = [_error(each) for each in results if each is not None]
        if self._is_cancelled:
            raise StoppedError("the announcement was ended")
        if len(errors) == len(results):
            raise errors[0]
        for part, result in zip(self._parts, results, strict=True):
            if result is not None:
                part.fail(_error(result))

    async def _run(self, part: StreamAnnouncement, barrier: StartBarrier) -> None:
        try:
            await part.run(barrier)
        finally:
            if not part.has_met:
                barrier.leave()


def _error(result: BaseException) -> RaopError:
    match result:
        case RaopError():
            return result
        case asyncio.CancelledError():
            return StoppedError("the stream was stopped")
        case _:
            return RaopError(repr(result))
