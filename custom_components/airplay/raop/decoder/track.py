"""Open media with its decoder: one connection of a source."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain

import av

from ..audio.events import Cover, Found
from ..audio.pcm import RATE
from ..media import Loudness, MediaKind, Tags
from .decoder import Decoder
from .guard.title_pace import TitlePace
from .input import Input
from .job_scope import JobScope
from .loudness import scaled
from .media_errors import BrokenStreamError, UnplayableError, for_failure
from .opening import open_input
from .tags import cover_from, factor_from, tags_from, tags_from_title
from .transfer.liveness import End, Transfer

BREAKS = (BrokenStreamError, OSError, av.FFmpegError)
# Encoders round durations, and drop what does not fill a frame.
_NEAR_MS = 200
# Decoders hold back what comes before a frame that may still come: ten frames of FLAC.
_HELD_MS = 2000
_END_S = 1.0


class Track:
    """An input with its decoder, and the tags of both."""

    def __init__(
        self, found: Input, decoder: Decoder, blocks: Iterator[bytes], start: int
    ) -> None:
        """Wrap an open input and its decoder, which starts at this frame."""
        self.is_live = found.is_live
        self.is_stream = found.is_stream
        self.is_radio = found.is_radio
        self.is_growing = found.is_growing
        self.blocks = blocks
        self._input = found
        self._decoder = decoder
        self._start = start
        self._pace = TitlePace()
        self._title = found.title
        self._tags = tags_from(found.stream.metadata, found.container.metadata)
        if self._title:
            self._tags = tags_from_title(self._title)

    @property
    def tags(self) -> Tags:
        """The tags to show; they change during radios and chained streams."""
        if (title := self._input.title) is not None and title != self._title:
            self._title = title
            self._tags = tags_from_title(title)
        if update := self._decoder.take_update():
            self._tags = tags_from(update)
        return self._pace.shown(self._tags, self._decoder.produced_frames)

    def found(self) -> tuple[Found, Cover | None]:
        """Return the event for this track, and its cover."""
        cover = cover_from(self._decoder.take_picture())
        found = Found(
            duration_ms=self._input.duration_ms,
            is_live=self.is_live,
            can_seek=not self.is_live,
            tags=self.tags,
            station=self._input.station,
            cover_type=cover.content_type if cover else None,
        )
        return found, cover

    def transfer(self, kind: MediaKind, *, is_broken: bool) -> Transfer:
        """Return how it ended: with all of its blocks, or with an error."""
        stated_ms = self._input.stated_ms
        return Transfer(
            self._end(is_broken=is_broken),
            kind,
            is_missing=_is_before(self._decoder, self._start, stated_ms, _NEAR_MS),
            is_file=not (self.is_stream or self.is_growing),
            is_radio=self.is_radio,
            is_growing=self.is_growing,
        )

    @property
    def is_cut(self) -> bool:
        """Whether what comes now is left of sound that broke off, and may be damaged."""
        return self._input.end in {End.BROKEN, End.OTHER}

    def close(self) -> None:
        """Release everything."""
        self._input.close()

    def _end(self, *, is_broken: bool) -> End:
        if not is_broken or self._input.end is End.OTHER:
            return self._input.end
        # The others have been asked for again already.
        return End.BROKEN if self.is_stream or self.is_growing else End.FAILED


def open_track(
    address: str, start: int, scope: JobScope, loudness: Loudness = Loudness.OFF
) -> Track:
    """Open media and decode its first sound by a deadline.

    `start` is the frame at which to begin; live media ignores it, and has no tags that
    level the `loudness`.

    Raises UnplayableError: it cannot be played, or did not start in time.
    """
    try:
        with ExitStack() as undo, scope.deadline(scope.limits.open_s):
            found = open_input(address, scope)
            undo.callback(found.close)
            # Live media begins now, whatever its earlier position.
            start = 0 if found.is_live else start
            decoder = Decoder(found.container, found.stream, scope.check, start)
            if start and found.can_skip:
                decoder.seek()
            blocks = _expecting_end(decoder, found, start)
            first = next(blocks, b"")
            undo.pop_all()
    except Exception as err:
        scope.check()
        if isinstance(err, (UnplayableError, *BREAKS)):
            raise for_failure(err) from err
        raise
    whole = chain((first,), blocks)
    tags = (found.stream.metadata, found.container.metadata)
    factor = 1.0 if found.is_live else factor_from(loudness, *tags)
    return Track(found, decoder, scaled(whole, factor), start)


def _expecting_end(decoder: Decoder, found: Input, start: int) -> Iterator[bytes]:
    """Yield all sound; near its stated end, wait no longer for its server."""
    stated_ms = found.stated_ms
    for block in decoder.blocks():
        found.began()
        if _is_before(decoder, start, stated_ms, _HELD_MS) is False:
            found.expect_end(_END_S)
        yield block


def _is_before(
    decoder: Decoder, start: int, stated_ms: int | None, near_ms: int
) -> bool | None:
    """Whether the sound so far is short of its stated end; None: none is stated."""
    if stated_ms is None:
        return None
    return (start + decoder.produced_frames) * 1000 // RATE < stated_ms - near_ms
