"""Decoded frames of any kind to s16le stereo at 44100 Hz."""

from array import array
from collections.abc import Iterator
from math import gcd
from typing import cast

import av
from av.filter import Graph

from ..audio.pcm import FRAME_BYTES, RATE
from .media_errors import not_audio

# The long filter is below 16-bit noise, but not with 16-bit samples inside.
_RESAMPLE = f"{RATE}:filter_size=64:phase_shift=12:cutoff=0.97:internal_sample_fmt=fltp"
# From integers to shorter ones libswresample would cut bits off, from these it rounds.
_ROUND = f"{RATE}:osf=dbl"
_EXACT_FORMATS = {"s16", "s16p"}
_ROUNDED_FORMATS = {"s32", "s32p"}
# Longer than the reach of the filter at any rate that it converts.
_WARM_UP_FRAMES = 2048
# The resampler's filters grow with the ratio of the rates: 60 MHz would take 1.5 GB.
_RATES_HZ = range(1_000, 768_001)
_MAX_CHANNELS = 32
_MAX_BLOCK_FRAMES = 1 << 20

# Two channels that need no mixing, also if their order is unknown.
_STEREO = {"stereo", "2 channels"}

type _Shape = tuple[str, str, int, int]


class Converter:
    """Converts a stream of frames; rate and layout may change within it."""

    def __init__(self) -> None:
        """Start without a known format."""
        self._shape: _Shape | None = None
        self._graph: Graph | None = None

    def convert(self, frame: av.AudioFrame) -> bytes:
        """Return the PCM of a frame, which may be empty until more frames follow.

        Raises UnplayableError: its rate, channels, or length are out of bounds.
        """
        check_sound(frame.sample_rate, frame.layout.nb_channels, frame.samples)
        shape = _shape_of(frame)
        before = b""
        if shape != self._shape:
            before = self.flush()
            self._shape = shape
            self._graph = None if _keeps(shape, _EXACT_FORMATS) else _graph(shape)
        if self._graph is None:
            return before + _exact(frame, shape)
        # The graph would treat a gap in the time stamps as lost audio.
        frame.pts = None
        self._graph.push(frame)
        return before + b"".join(_pull(self._graph, shape))

    def flush(self) -> bytes:
        """Return the rest of the PCM in the resampler, and forget the format."""
        graph, shape = self._graph, self._shape
        self._graph = self._shape = None
        if graph is None or shape is None:
            return b""
        graph.push(None)
        return b"".join(_pull(graph, shape))


def check_sound(rate: int, channels: int, frames: int = 0) -> None:
    """Check the properties that a header states, before memory is spent on them.

    Raises UnplayableError: the sample rate is not 1 to 768 kHz, there are more than 32
    channels, or more than a million frames in one block.
    """
    if rate not in _RATES_HZ:
        raise not_audio(f"its sample rate of {rate} Hz is not supported")
    if channels > _MAX_CHANNELS:
        raise not_audio(f"its {channels} channels are not supported")
    if frames > _MAX_BLOCK_FRAMES:
        raise not_audio("its blocks are too long")


def entry_point(position_frames: int, rate: int) -> tuple[int, int]:
    """Return the source frame at which to start, and the output frames to drop.

    From there the resampler's phases are those of the whole media, and its filter
    has warmed up before the first kept frame: the PCM is the same, bit by bit.
    """
    divisor = gcd(rate, RATE)
    if rate == RATE:
        return position_frames, 0
    period = RATE // divisor
    periods = max(0, position_frames - _WARM_UP_FRAMES) // period
    return periods * (rate // divisor), position_frames - periods * period


def _shape_of(frame: av.AudioFrame) -> _Shape:
    layout = frame.layout
    return frame.format.name, layout.name, layout.nb_channels, frame.sample_rate


def _keeps(shape: _Shape, formats: set[str]) -> bool:
    """Whether sound keeps its rate and its channels, and has one of the formats."""
    sample_format, layout, _, rate = shape
    is_plain = _is_mono(shape) or layout in _STEREO
    return rate == RATE and is_plain and sample_format in formats


def _is_mono(shape: _Shape) -> bool:
    """Whether there is one channel, which is mono for libav wherever its place is."""
    return shape[2] == 1


def _exact(frame: av.AudioFrame, shape: _Shape) -> bytes:
    """Return the samples unchanged; mono is doubled."""
    is_interleaved = shape[2] == 2 and not frame.format.is_planar
    size = frame.samples * (FRAME_BYTES if is_interleaved else FRAME_BYTES // 2)
    sides = [bytes(plane)[:size] for plane in frame.planes]
    return sides[0] if is_interleaved else _stereo(sides[0], sides[-1])


def _stereo(left: bytes, right: bytes) -> bytes:
    frames = array("h", bytes(len(left) + len(right)))
    frames[0::2], frames[1::2] = array("h", left), array("h", right)
    return frames.tobytes()


def _graph(shape: _Shape) -> Graph:
    channels = shape[2]
    try:
        return _configured(shape)
    except av.FFmpegError as err:
        if channels != 2:
            raise not_audio(f"its {channels} channels have no known places") from err
    # Two at the back or at the sides, for example: libav has no rule for them.
    return _configured(shape, places="0|1:stereo")


def _configured(shape: _Shape, places: str = "") -> Graph:
    """Return a graph that gives its channels other places first, if that is wanted.

    Raises FFmpegError: libav cannot mix them.
    """
    sample_format, layout, _, rate = shape
    layout = {"1 channels": "mono", "2 channels": "stereo"}.get(layout, layout)
    # libswresample would make mono 3 dB quieter; it is doubled afterward instead.
    target = "mono" if _is_mono(shape) else "stereo"
    resample = _ROUND if _keeps(shape, _ROUNDED_FORMATS) else _RESAMPLE
    graph = Graph()
    # These filters use no threads, which would wait for the garbage collector.
    graph.threads = 1
    nodes = [
        graph.add_abuffer(sample_rate=rate, format=sample_format, layout=layout),
        graph.add("aresample", resample),
        graph.add(
            "aformat", f"sample_fmts=s16:sample_rates={RATE}:channel_layouts={target}"
        ),
        graph.add("abuffersink"),
    ]
    if places:
        nodes.insert(1, graph.add("channelmap", places))
    graph.link_nodes(*nodes).configure()
    return graph


def _pull(graph: Graph, shape: _Shape) -> Iterator[bytes]:
    while True:
        try:
            frame = cast("av.AudioFrame", graph.pull())
        except av.error.BlockingIOError, av.error.EOFError:
            return
        if _is_mono(shape):
            mono = bytes(frame.planes[0])[: frame.samples * FRAME_BYTES // 2]
            yield _stereo(mono, mono)
        else:
            yield bytes(frame.planes[0])[: frame.samples * FRAME_BYTES]
