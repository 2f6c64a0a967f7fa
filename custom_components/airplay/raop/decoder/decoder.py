"""Decode the compressed packets of an opened container to PCM."""

from collections.abc import Callable, Iterator
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.rational import AVRational
from av.stream import Disposition, Stream

from ..audio.pcm import FRAME_BYTES, RATE
from .convert import Converter, entry_point
from .media_errors import UnplayableError, empty, not_audio

_MAX_BAD_IN_A_ROW = 100
# Codecs need audio before the start to decode it as if from the beginning.
_PREROLL_S = Fraction(1, 2)
_COUNTED_FRAMES = 600 * RATE


class Decoder:
    """Decodes the audio of a container from a frame of the output on."""

    def __init__(
        self,
        container: InputContainer,
        stream: AudioStream,
        check: Callable[[], None],
        start: int = 0,
    ) -> None:
        """Start at this frame of the output; call `seek` first if that is possible.

        `check` is called with every packet; it ends the decoding by an error.
        `produced_frames` counts the frames of the blocks so far.
        """
        stream.codec_context.thread_count = 1
        self.produced_frames = 0
        self._container = container
        self._stream = stream
        self._check = check
        self._update: dict[str, str] = {}
        self._pictures = [
            each
            for each in container.streams.video
            if each.disposition & Disposition.attached_pic
        ]
        self._picture = b""
        self._converter = Converter()
        self._start = start
        self._has_sought = False
        self._index: int | None = None
        self._skip_source = 0
        self._skip_output = 0
        self._good = 0
        self._bad = 0
        self._bad_in_a_row = 0

    def seek(self) -> None:
        """Move the container to shortly before the start frame."""
        rate = self._stream.codec_context.sample_rate or RATE
        entry, _ = entry_point(self._start, rate)
        time_base = _fraction(self._stream.time_base)
        # Milliseconds are too coarse to find a frame: count from the beginning.
        is_coarse = time_base * rate > 1
        seconds = Fraction(entry, rate) - _PREROLL_S
        if seconds <= 0 or (is_coarse and self._start < _COUNTED_FRAMES):
            return
        offset = int(seconds / time_base) + (self._stream.start_time or 0)
        self._container.seek(offset, stream=self._stream)
        self._has_sought = True

    def blocks(self) -> Iterator[bytes]:
        """Yield PCM until the media ends.

        Raises UnplayableError: there is no sound, or most of it is damaged.
        Raises OSError, FFmpegError: it broke off; `media_errors.for_failure` explains
        it.
        """
        for frame in self._frames():
            kept = self._trim(frame)
            if kept and (pcm := self._drop(self._converter.convert(kept))):
                self.produced_frames += len(pcm) // FRAME_BYTES
                yield pcm
        if pcm := self._drop(self._converter.flush()):
            self.produced_frames += len(pcm) // FRAME_BYTES
            yield pcm
        if not self._good and not self._has_sought:
            raise _damaged() if self._bad else empty()
        if self._bad > self._good:
            raise _damaged()

    def take_picture(self) -> bytes:
        """Return the cover as it is stored, and release it."""
        picture, self._picture = self._picture, b""
        return picture

    def take_update(self) -> dict[str, str]:
        """Return the tags that changed within the stream, once."""
        update, self._update = self._update, {}
        return update

    def _frames(self) -> Iterator[av.AudioFrame]:
        while True:
            try:
                for packet in self._container.demux(self._stream, *self._pictures):
                    self._check()
                    yield from self._decode(packet)
            except av.error.InvalidDataError:
                self._count_bad()
            else:
                return

    def _decode(self, packet: av.Packet[Stream]) -> list[av.AudioFrame]:
        # The packet that ends a stream has the number of no stream.
        if packet.stream.index != self._stream.index:
            self._picture = self._picture or bytes(packet)
            return []
        if packet.has_sidedata("strings_metadata"):
            self._update = _strings(bytes(packet.get_sidedata("strings_metadata")))
        try:
            frames = packet.decode()
        except av.error.EOFError:
            return []
        except av.FFmpegError:
            self._count_bad()
            return []
        if frames:
            self._good += 1
            self._bad_in_a_row = 0
        return [frame for frame in frames if isinstance(frame, av.AudioFrame)]

    def _count_bad(self) -> None:
        self._bad += 1
        self._bad_in_a_row += 1
        is_mostly_bad = self._bad > _MAX_BAD_IN_A_ROW and self._bad > self._good
        if self._bad_in_a_row > _MAX_BAD_IN_A_ROW or is_mostly_bad:
            raise _damaged()

    def _trim(self, frame: av.AudioFrame) -> av.AudioFrame | None:
        """Drop the samples before the source frame at which to start."""
        if self._index is None:
            self._index = self._align(frame)
        surplus = self._skip_source - self._index
        self._index += frame.samples
        if surplus <= 0:
            return frame
        return None if surplus >= frame.samples else _tail(frame, surplus)

    def _align(self, frame: av.AudioFrame) -> int:
        """Return the number of the first source frame, and set how much to drop."""
        rate = frame.sample_rate
        self._skip_source, self._skip_output = entry_point(self._start, rate)
        if not self._has_sought:
            return 0
        if frame.pts is None or frame.time_base is None:
            return self._skip_source
        ticks = frame.pts - (self._stream.start_time or 0)
        index = round(ticks * _fraction(frame.time_base) * rate)
        if (late := index - self._skip_source) > 0:
            self._skip_output = max(0, self._skip_output - late * RATE // rate)
        return index

    def _drop(self, pcm: bytes) -> bytes:
        if not self._skip_output:
            return pcm
        dropped = min(self._skip_output, len(pcm) // FRAME_BYTES)
        self._skip_output -= dropped
        return pcm[dropped * FRAME_BYTES :]


def _tail(frame: av.AudioFrame, surplus: int) -> av.AudioFrame:
    samples = frame.to_ndarray()
    step = 1 if frame.format.is_planar else frame.layout.nb_channels
    tail = av.AudioFrame.from_ndarray(
        samples[:, surplus * step :].copy(), frame.format.name, frame.layout.name
    )
    tail.sample_rate = frame.sample_rate
    return tail


def _fraction(value: AVRational) -> Fraction:
    return Fraction(value.numerator, value.denominator)


def _strings(octets: bytes) -> dict[str, str]:
    """Parse libav's list of keys and values, each ended by NUL."""
    words = octets.decode(errors="replace").split("\0")
    return dict(zip(words[::2], words[1::2], strict=False))


def _damaged() -> UnplayableError:
    return not_audio("it is not audio, or it is damaged")
