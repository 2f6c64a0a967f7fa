"""A media item: a source with its events on the event loop."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import fields, replace

from ...audio.decoder_pool import DecoderPool
from ...audio.events import Buffered, Ended, Failed, Opened, Retitled, SourceEvent
from ...audio.source import Source
from ...errors import MediaError
from ...messages import CoverFound, Event, Media, MediaChanged, Tags
from ...session.lead import filling_lead_ms
from ...session.timeline import ms_of_frames
from ...wire.rtp import SAMPLE_RATE


class MediaItem:
    """One media item of a stream, from its opening to its end."""

    def __init__(
        self,
        stream: str,
        media: Media,
        decoders: DecoderPool,
        *,
        delay_s: float,
        ahead_ms: int,
        emit: Callable[[Event], None],
    ) -> None:
        self.media = media
        self.tags = media.tags
        self.duration_ms = media.duration_ms
        self.is_live = False
        self.error: MediaError | None = None
        self._stream = stream
        self._station: str | None = None
        self._delay_s = delay_s
        self._emit = emit
        self._is_started = False
        self._is_shown = False
        self._loop = asyncio.get_running_loop()
        self._buffered: asyncio.Future[None] = self._loop.create_future()
        ahead_frames = ahead_ms * SAMPLE_RATE // 1000
        self.source = Source(
            media, self._on_source_event, decoders, ahead_frames=ahead_frames
        )
        self.on_retitled: Callable[[], None] = _ignore
        self.picture: tuple[str, bytes] | None = None

    async def buffer(self) -> None:
        """Open the media and wait until it can start.

        Raises MediaError: the media cannot be opened or decoded.
        """
        if not self._is_started:
            self._is_started = True
            self.source.start()
        await asyncio.shield(self._buffered)

    def least_lead_ms(self, depth_ms: int) -> int:
        """Return the shortest lead by what is decoded, for a depth; 0 if all is."""
        if self.source.is_decoded:
            return 0
        return filling_lead_ms(depth_ms, ms_of_frames(self.source.buffered_frames))

    def publish(self) -> None:
        """Report this item to the owner from now on."""
        self._is_shown = True
        self._tell()
        if self.picture:
            content_type, data = self.picture
            encoded = base64.b64encode(data).decode()
            self._emit(
                CoverFound(
                    stream=self._stream, picture=encoded, content_type=content_type
                )
            )

    def close(self) -> None:
        """Close the media, and end its decoder process."""
        self._is_shown = False
        if not self._buffered.done():
            self._buffered.cancel()
        self.source.close()

    def _on_source_event(self, event: SourceEvent) -> None:
        try:
            self._loop.call_soon_threadsafe(self._take, event)
        except RuntimeError:
            return  # the loop is closed: there is no listener

    def _take(self, event: SourceEvent) -> None:
        match event:
            case Opened():
                self._opened(event)
            case Buffered() | Ended():
                if not self._buffered.done():
                    self._buffered.set_result(None)
            case Failed():
                self._failed(event.error)
            case Retitled():
                # New sound plays after all buffered sound.
                waiting_s = self.source.buffered_frames / SAMPLE_RATE
                delay_s = waiting_s + self._delay_s
                self._loop.call_later(delay_s, self._retitle, event.tags)

    def _opened(self, event: Opened) -> None:
        self.is_live = event.is_live
        self.duration_ms = self.media.duration_ms or event.duration_ms
        if event.is_live:
            # A title without an artist names the station, as in lists of stations.
            given = None if self.media.tags.artist else self.media.tags.title
            self._station = event.station or given
            has_both = self.media.tags.title and self.media.tags.artist
            self.tags = self._live(Tags() if has_both else event.tags)
        else:
            self._station = event.station
            self.tags = over(self.media.tags, event.tags)
        if event.cover:
            self.picture = (event.cover.content_type, event.cover.data)

    def _failed(self, error: MediaError) -> None:
        self.error = error
        if not self._buffered.done():
            self._buffered.set_exception(error)
            self._buffered.exception()  # there may be no waiting caller

    def _retitle(self, tags: Tags) -> None:
        # The current title is newer than the caller's tags.
        self.tags = self._live(tags) if self.is_live else over(tags, self.media.tags)
        if self._is_shown:
            self._tell()
            self.on_retitled()

    def _live(self, current: Tags) -> Tags:
        """Return the tags of live media: a title comes with its own artist, or none.

        The station is the album unless there is one, because displays have no other place.
        """
        given = self.media.tags
        if current.title:
            given = replace(given, title=None, artist=None)
        else:
            current = replace(current, artist=None)
        return over(over(current, given), Tags(album=self._station))

    def _tell(self) -> None:
        self._emit(
            MediaChanged(
                stream=self._stream,
                tags=self.tags,
                item=self.media.item,
                duration_ms=self.duration_ms,
                is_live=self.is_live,
                station=self._station,
            )
        )


def over(first: Tags, second: Tags) -> Tags:
    """Return the first tags, with missing fields from the second."""
    missing = {
        each.name: getattr(second, each.name)
        for each in fields(Tags)
        if getattr(first, each.name) is None
    }
    return replace(first, **missing)


def _ignore() -> None:
    """Do nothing."""
