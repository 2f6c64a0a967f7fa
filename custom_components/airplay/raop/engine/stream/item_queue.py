"""The items of a stream: the current one and its followers."""

import asyncio
from collections.abc import Callable

from ...audio.decoder_pool import DecoderPool
from ...audio.mixer_import import load_mixer
from ...errors import MediaError
from ...messages import Event, Media, NextFailed, NextTaken, Play
from ...session.timeline import frames_of_ms
from ..pacing.feed import Pcm
from ..pacing.pacer import Pacer
from ..pacing.transmitter import Transmitter
from .item import MediaItem

# Bridges the time while Home Assistant, which may serve the media, is blocked.
_AHEAD_MS = 4000


class ItemQueue:
    """Opens items ahead of time and hands over from one to the next."""

    def __init__(
        self,
        stream: str,
        decoders: DecoderPool,
        *,
        pacer: Pacer,
        emit: Callable[[Event], None],
    ) -> None:
        self._stream = stream
        self._decoders = decoders
        self._pacer = pacer
        self._emit = emit
        self._next: MediaItem | None = None
        self._opening: asyncio.Task[None] | None = None
        self._order = object()
        # Sent already, but not playing yet: several if items are very short.
        self._unheard: list[MediaItem] = []
        self.present: MediaItem | None = None

    def make(self, media: Media, command: Play) -> MediaItem:
        """Return an item that is not opened yet."""
        return MediaItem(
            self._stream,
            media,
            self._decoders,
            delay_s=command.depth_ms / 1000,
            ahead_ms=_AHEAD_MS + command.crossfade_ms,
            emit=self._emit,
        )

    def begin(self, item: MediaItem) -> None:
        """Make an item the current one, and close all others."""
        if self.present is not item:
            self.close()
        self.present = item

    async def queue(
        self, media: Media | None, command: Play, transmitter: Transmitter
    ) -> None:
        """Open the next item in the background, or remove it if `media` is None."""
        self.drop_next()
        order = self._order
        feed = transmitter.feed
        if media is None:
            return await self._pacer.run(lambda: feed.follow(None))
        await self._pacer.run(feed.expect)
        if order is not self._order:
            return None  # A newer order came meanwhile, or the queue was closed.
        self._next = self.make(media, command)
        fade = frames_of_ms(command.crossfade_ms)
        self._opening = asyncio.create_task(self._open(self._next, transmitter, fade))
        return None

    def drop_next(self) -> None:
        """Close the next item."""
        self._order = object()
        if self._opening:
            self._opening.cancel()
            self._opening = None
        if self._next:
            self._next.close()
            self._next = None

    def switched(self, source: Pcm) -> None:
        """Record that the next item is being sent, so that another may follow it."""
        if self._next and self._next.source is source:
            self._unheard.append(self._next)
            self._next = None
            item = self._unheard[-1].media.item
            self._emit(NextTaken(stream=self._stream, item=item))

    def hand_over(self, source: Pcm | None) -> MediaItem | None:
        """Make the item that plays the current one; return it if it is new."""
        found = next((each for each in self._unheard if each.source is source), None)
        while found and self.present is not found:
            if self.present:
                self.present.close()
            self.present = self._unheard.pop(0)
        return found

    def close(self) -> None:
        """Close all items."""
        self.drop_next()
        for item in self._unheard:
            item.close()
        self._unheard = []
        if self.present:
            self.present.close()
            self.present = None

    async def _open(
        self, item: MediaItem, transmitter: Transmitter, fade_frames: int
    ) -> None:
        feed = transmitter.feed
        try:
            await item.buffer()
            if fade_frames:
                await load_mixer()
        except MediaError as err:
            await self._pacer.run(lambda: feed.follow(None))
            mark = item.media.item
            self._emit(
                NextFailed(
                    stream=self._stream,
                    item=mark,
                    code=err.code,
                    text=str(err),
                    status=err.status,
                )
            )
            return
        position = frames_of_ms(item.media.position_ms)
        await self._pacer.run(lambda: feed.follow(item.source, position, fade_frames))
