"""Sound files as PCM, decoded without any code of the project."""

from dataclasses import dataclass
import io
from pathlib import Path
import wave

import av  # noqa: TID251 - a decoder other than the project's
import numpy as np  # noqa: TID251 - compares played samples

RATE = 44_100
FRAME_BYTES = 4
_ALMOST_SILENT = 8
_MARGIN_FRAMES = 4410

type Samples = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def decode(media: Path | bytes) -> bytes:
    """Return a file as s16le stereo at 44100 Hz."""
    source = io.BytesIO(media) if isinstance(media, bytes) else str(media)
    resampler = av.AudioResampler("s16", "stereo", RATE)
    pcm = bytearray()
    with av.open(source, "r") as container:
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                pcm += bytes(piece.planes[0])[: piece.samples * FRAME_BYTES]
    for piece in resampler.resample(None):
        pcm += bytes(piece.planes[0])[: piece.samples * FRAME_BYTES]
    return bytes(pcm)


def write_wav(path: Path, pcm: bytes) -> None:
    """Write s16le stereo."""
    with wave.open(str(path), "wb") as writer:
        writer.setparams((2, 2, RATE, 0, "NONE", ""))
        writer.writeframes(pcm)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much of a source is in the played audio."""

    exact: bool
    """Whether it contains the source, frame by frame."""
    correlation: float
    """1 if both are the same except for gain and rounding."""


def compare(played: bytes, source: bytes) -> Likeness:
    """Look for a source in the played audio."""
    place = played.find(source)
    while place >= 0 and place % FRAME_BYTES:
        place = played.find(source, place + 1)
    if place >= 0:
        return Likeness(exact=True, correlation=1.0)
    return Likeness(exact=False, correlation=_correlation(played, source))


def _correlation(played: bytes, source: bytes) -> float:
    """Correlate at the position of the best match."""
    heard, wanted = np.pad(_mono(played), _MARGIN_FRAMES), _mono(source)
    if len(heard) < len(wanted) or not len(wanted):
        return 0.0
    size = 1 << (len(heard) + len(wanted)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size))
    products = np.fft.irfft(spectrum, size)[: len(heard) - len(wanted) + 1]
    best = int(np.argmax(products))
    fitting = heard[best : best + len(wanted)]
    level = float(np.linalg.norm(fitting) * np.linalg.norm(wanted))
    return float(np.dot(fitting, wanted)) / level if level else 0.0


def _mono(pcm: bytes) -> Samples:
    """Mix to one channel and trim the silence around it."""
    samples = np.frombuffer(pcm, "<i2").reshape(-1, 2).astype(np.float64)
    frames: Samples = samples[:, 0] + samples[:, 1]
    loud = np.flatnonzero(np.abs(frames) > _ALMOST_SILENT)
    return frames[loud[0] : loud[-1] + 1] if len(loud) else frames[:0]
