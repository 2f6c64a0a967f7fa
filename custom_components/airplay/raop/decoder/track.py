"""Open media with its decoder: one connection of a source."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain

import av

from ..audio.events import Cover, Found
from ..audio.pcm import FRAME_BYTES, RATE
from ..errors import MediaEmptyError
from ..media import Loudness, MediaKind, Tags
from .container.input import Input
from .convert import Converter
from .decoder import Decoder
from .guard.title_pace import TitlePace
from .job_scope import JobScope
from .loudness import scaled
from .media_errors import BrokenStreamError, UnplayableError, damaged, for_failure
from .opening import open_input
from .tags import cover_from, factor_from, tags_from, tags_from_title
from .transfer.liveness import End, Transfer

BREAKS = (BrokenStreamError, OSError, av.FFmpegError)
# So many parts may be without sound, and one more for each second of it.
_SILENT_PARTS = 20
# Encoders round durations, and drop what does not fill a frame.
_NEAR_MS = 200
# Decoders hold back what comes before a frame that may still come: ten frames of FLAC.
_HELD_MS = 2000
_END_S = 1.0


class Track:
    """An input with its decoder, and the tags of both; other parts of it follow."""

    def __init__(
        self, found: Input, scope: JobScope, start: int, loudness: Loudness
    ) -> None:
        """Wrap an open input, to be decoded from a frame on.

        `blocks` is its PCM; reading it raises the errors of `Decoder.blocks`.
        """
        self.is_live = found.is_live
        self.is_stream = found.is_stream
        self.is_radio = found.is_radio
        self.is_growing = found.is_growing
        self._input = found
        self._scope = scope
        self._loudness = loudness
        self._pace = TitlePace()
        self._title = found.title
        self._tags = tags_from(found.stream.metadata, found.container.metadata)
        if self._title:
            self._tags = tags_from_title(self._title)
        # Live media begins now, whatever its earlier position.
        self._start = 0 if found.is_live else start
        self._decoder = self._decode(Converter())
        self._parts = 0
        self._frames = 0
        self.blocks = self._sound()

    @property
    def tags(self) -> Tags:
        """The tags to show; they change during radios and chained streams."""
        if (title := self._input.title) is not None and title != self._title:
            self._title = title
            self._tags = tags_from_title(title)
        if update := self._decoder.take_update():
            self._tags = tags_from(update)
        return self._pace.shown(self._tags, self._frames)

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
        return Transfer(
            self._end(is_broken=is_broken),
            kind,
            is_missing=self._is_before_end(_NEAR_MS),
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

    def _is_before_end(self, near_ms: int) -> bool | None:
        """Whether the sound so far is short of its stated end; None: none is stated."""
        stated_ms = self._input.stated_ms
        if stated_ms is None:
            return None
        frames = self._start + self._frames
        return frames * 1000 // RATE < stated_ms - near_ms

    def _blocks(self) -> Iterator[bytes]:
        """Yield the PCM of a part; near its stated end, wait no longer for its server."""
        for block in self._decoder.blocks():
            self._input.began()
            if self._is_before_end(_HELD_MS) is False:
                self._input.expect_end(_END_S)
            yield block

    def _decode(self, converter: Converter) -> Decoder:
        found = self._input
        decoder = Decoder(
            found.container, found.stream, self._scope.check, self._start, converter
        )
        if self._start and found.can_skip_to(self._start):
            decoder.seek()
        return decoder

    def _factor(self) -> float:
        if self.is_live:
            return 1.0
        tags = (self._input.stream.metadata, self._input.container.metadata)
        return factor_from(self._loudness, *tags)

    def _sound(self) -> Iterator[bytes]:
        """Yield the PCM of all parts."""
        is_last = False
        while not is_last:
            factor = self._factor()
            problem: UnplayableError | None = None
            try:
                yield from self._counted(scaled(self._blocks(), factor))
            except UnplayableError as err:
                if self.is_live:
                    # Its next part may be hours away.
                    raise
                problem = err
            ended = self._decoder
            is_last = not self._follow()
            if is_last or self._factor() != factor:
                rest = iter((ended.rest(),))
                yield from self._counted(scaled(rest, factor))
            if is_last and problem is not None and not self._is_nothing(problem):
                raise problem

    def _is_nothing(self, problem: UnplayableError) -> bool:
        """Whether it only says that nothing follows the sound."""
        return problem.kind is MediaEmptyError and self._frames > 0

    def _counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._frames += len(block) // FRAME_BYTES
            if block:
                yield block

    def _follow(self) -> bool:
        """Open the next part that can be played; return False if there is none."""
        ended = self._decoder
        found: Input | None = None
        while found is None:
            self._parts += 1
            if self._parts > _SILENT_PARTS + self._frames // RATE:
                raise damaged()
            try:
                found = self._input.next_part()
            except UnplayableError as err:
                if err.is_refusal:
                    raise
            except av.FFmpegError:
                continue
            else:
                if found is None:
                    return False
        self._start = max(0, self._start - ended.passed_frames)
        self._input = found
        tags = tags_from(found.stream.metadata, found.container.metadata)
        if tags != Tags() and not self._title:
            self._tags = tags
        self._decoder = self._decode(Converter() if self._start else ended.converter)
        return True


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
            track = Track(found, scope, start, loudness)
            undo.callback(track.close)
            first = next(track.blocks, b"")
            undo.pop_all()
    except Exception as err:
        scope.check()
        if isinstance(err, (UnplayableError, *BREAKS)):
            raise for_failure(err) from err
        raise
    track.blocks = chain((first,), track.blocks)
    return track
