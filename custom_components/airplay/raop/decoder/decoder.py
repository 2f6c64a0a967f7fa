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
from .media_errors import damaged, empty

# Damage is skipped, as libav does: so much in a row, and any amount after some sound.
_MAX_BAD_S = 15.0
_MAX_BAD = 100
_SOME_SOUND_S = 2.0
# What a packet lasts that does not tell it: a frame of MP3.
_PACKET_S = 0.026
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
        converter: Converter | None = None,
    ) -> None:
        """Start at this frame of the output; call `seek` first if that is possible.

        `check` is called with every packet; it ends the decoding by an error. The
        converter may hold sound of other media, which goes on with this one.
        """
        stream.codec_context.thread_count = 1
        self.converter = converter or Converter()
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
        self._start = start
        self._rate = RATE
        self._has_sought = False
        self._index: int | None = None
        self._skip_source = 0
        self._skip_output = 0
        self._good = 0
        self._good_s = 0.0
        self._bad = 0
        self._bad_in_a_row_s = 0.0

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
        """Yield PCM until the media ends, without what `rest` returns.

        Raises UnplayableError: there is no sound, or most of it is damaged.
        Raises OSError, FFmpegError: it broke off; `media_errors.for_failure` explains
        it.
        """
        for frame in self._frames():
            kept = self._trim(frame)
            if kept and (pcm := self._drop(self.converter.convert(kept))):
                yield pcm
        if not self._good and not self._has_sought:
            raise damaged() if self._bad else empty()
        if self._is_mostly_bad():
            raise damaged()

    def rest(self) -> bytes:
        """Return the PCM that waits for more of the media, if nothing follows it."""
        return self._drop(self.converter.flush())

    @property
    def passed_frames(self) -> int:
        """The frames of the output that all of the media so far amounts to."""
        return (self._index or 0) * RATE // self._rate

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
                self._count_bad(_PACKET_S)
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
            self._count_bad(_seconds(packet))
            return []
        sound = [frame for frame in frames if isinstance(frame, av.AudioFrame)]
        if sound:
            self._good += 1
            self._good_s += sum(each.samples / each.sample_rate for each in sound)
            self._bad_in_a_row_s = 0.0
        return sound

    def _count_bad(self, seconds: float) -> None:
        self._bad += 1
        self._bad_in_a_row_s += seconds
        is_too_bad = self._bad > _MAX_BAD and self._is_mostly_bad()
        if self._bad_in_a_row_s > _MAX_BAD_S or is_too_bad:
            raise damaged()

    def _is_mostly_bad(self) -> bool:
        """Whether what was sound may be an accident."""
        return self._bad > self._good and self._good_s < _SOME_SOUND_S

    def _trim(self, frame: av.AudioFrame) -> av.AudioFrame | None:
        """Drop the samples before the source frame at which to start."""
        if self._index is None:
            self._index, self._rate = self._align(frame), frame.sample_rate
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
    """Return a frame without its first samples.

    By bytes: the import of numpy, which every seek would wait for, takes 50 ms.
    """
    tail = av.AudioFrame(frame.format.name, frame.layout.name, frame.samples - surplus)
    tail.sample_rate = frame.sample_rate
    planar = frame.format.is_planar
    width = frame.format.bytes * (1 if planar else frame.layout.nb_channels)
    for plane, kept in zip(frame.planes, tail.planes, strict=True):
        sound = bytes(plane)[surplus * width : frame.samples * width]
        # The rest of a plane is padding.
        kept.update(sound.ljust(kept.buffer_size, b"\0"))
    return tail


def _seconds(packet: av.Packet[Stream]) -> float:
    """Return how long the sound of a packet should be."""
    if not packet.duration:
        return _PACKET_S
    return float(packet.duration * _fraction(packet.time_base))


def _fraction(value: AVRational) -> Fraction:
    return Fraction(value.numerator, value.denominator)


def _strings(octets: bytes) -> dict[str, str]:
    """Parse libav's list of keys and values, each ended by NUL."""
    words = octets.decode(errors="replace").split("\0")
    return dict(zip(words[::2], words[1::2], strict=False))
