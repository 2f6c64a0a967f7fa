"""One announcement on all its streams, played at the same instant."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from ...audio.decoder_pool import DecoderPool
from ...audio.mixer_import import load_mixer
from ...errors import RaopError, StoppedError
from ...messages import Announce, Event
from ..pacing.pacer import Pacer
from ..stream.stream import Stream
from .clip import Clip
from .start_barrier import StartBarrier
from .stream_announcement import StreamAnnouncement


class Announcement:
    """Opens the clip once and plays it on every stream."""

    def __init__(
        self,
        command: Announce,
        streams: dict[str, Stream],
        *,
        decoders: DecoderPool,
        pacer: Pacer,
        emit: Callable[[Event], None],
    ) -> None:
        self._pacer = pacer
        self._clip = Clip(command.clips, decoders, longest_ms=command.longest_ms)
        self._parts = [
            StreamAnnouncement(
                streams[each.stream], each, command, self._clip, emit=emit
            )
            for each in command.targets
        ]
        self._running: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._speaking: list[asyncio.Task[RaopError | None]] = []
        self._is_cancelled = False

    async def run(self) -> None:
        """Play the announcement; return when it has played.

        Raises StoppedError: it was canceled, or the sender ends.
        Raises MediaError: the clip cannot be opened.
        Raises RaopError: no receiver can play it.
        """
        self._running = asyncio.create_task(self._run())
        try:
            await asyncio.wait([self._running])
        finally:
            self._running.cancel()
        if self._running.cancelled():
            raise StoppedError("the sender ends")
        self._running.result()

    async def stop(self) -> None:
        """End it at once because the sender ends."""
        if self._running:
            self._running.cancel()
            await asyncio.wait([self._running])

    def cancel(self) -> None:
        """End it: parts that play fade out at once, all others are canceled."""
        self._is_cancelled = True
        if self._opening:
            self._opening.cancel()
        for part, task in zip(self._parts, self._speaking, strict=False):
            if not part.cut():
                task.cancel()

    async def _run(self) -> None:
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._pacer.run, self._clip.close)
            opening = self._opening = asyncio.create_task(self._open())
            undo.callback(opening.cancel)
            await asyncio.wait([opening])
            if self._is_cancelled:
                raise StoppedError("the announcement was canceled")
            opening.result()
            await self._speak()

    async def _open(self) -> None:
        await asyncio.gather(self._clip.open(), load_mixer())

    async def _speak(self) -> None:
        """Play on all streams in parallel; a failure does not affect the others."""
        barrier = StartBarrier(len(self._parts), self._pacer)
        async with asyncio.TaskGroup() as tasks:
            speaking = self._speaking = [
                tasks.create_task(self._speak_on(each, barrier)) for each in self._parts
            ]
        errors = [_error_of(each) for each in speaking]
        if self._is_cancelled:
            raise StoppedError("the announcement was canceled")
        found = [each for each in errors if each]
        if len(found) == len(errors):
            raise found[0]
        for part, error in zip(self._parts, errors, strict=True):
            if error:
                part.fail(error)

    async def _speak_on(
        self, part: StreamAnnouncement, barrier: StartBarrier
    ) -> RaopError | None:
        """Play on one stream; return the error if it fails."""
        try:
            await part.run(barrier)
        except RaopError as err:
            return err
        except Exception as err:  # noqa: BLE001 - the other streams play on
            return RaopError(repr(err))
        finally:
            if not part.has_met:
                barrier.leave()
        return None


def _error_of(speaking: asyncio.Task[RaopError | None]) -> RaopError | None:
    if speaking.cancelled():
        return StoppedError("the stream was stopped")
    return speaking.result()
