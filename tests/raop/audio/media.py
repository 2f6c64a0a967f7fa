"""Media for the tests: noise that differs in every sample, encoded with PyAV."""

from collections.abc import Mapping
from fractions import Fraction
import io
from pathlib import Path
import struct
import wave

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
import numpy as np
from numpy.typing import NDArray

RATE = 44100
FRONT_LEFT, FRONT_RIGHT, FRONT_CENTER, LOW_FREQUENCY = 1, 2, 4, 8

type Samples = NDArray[np.int16]


def noise(frames: int, *, channels: int = 2, seed: int = 1) -> Samples:
    """Return frames of noise at a moderate level, one row for each frame."""
    random = np.random.default_rng(seed)
    return random.integers(-9000, 9000, (frames, channels)).astype(np.int16)


def sine(
    frames: int, hertz: float, rate: int, level: float = 0.5
) -> NDArray[np.float64]:
    """Return a tone, from -1 to 1."""
    return level * np.sin(2 * np.pi * hertz * np.arange(frames) / rate)


def wav(samples: Samples, rate: int = RATE) -> bytes:
    """Write samples as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(samples.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def wav_of(samples: Samples, mask: int, rate: int = RATE) -> bytes:
    """Write samples as a WAV file whose channels are named by a mask of places."""
    channels = samples.shape[1]
    pcm = samples.astype("<i2").tobytes()
    sub_format = bytes.fromhex("0100000000001000800000aa00389b71")
    kind = struct.pack(
        "<HHIIHHHHI16s",
        0xFFFE,
        channels,
        rate,
        rate * channels * 2,
        channels * 2,
        16,
        22,
        16,
        mask,
        sub_format,
    )
    body = b"WAVEfmt " + struct.pack("<I", len(kind)) + kind
    body += b"data" + struct.pack("<I", len(pcm)) + pcm
    return b"RIFF" + struct.pack("<I", len(body)) + body


def samples_of(pcm: bytes) -> Samples:
    """Read s16le stereo."""
    return np.frombuffer(pcm, "<i2").reshape(-1, 2)


def encode(
    container: str,
    codec: str,
    samples: Samples,
    *,
    rate: int = RATE,
    layout: str = "stereo",
    sample_format: str | None = None,
    metadata: Mapping[str, str] | None = None,
    cover: bytes | None = None,
    codec_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    """Encode samples, with 192 kbit/s for lossy codecs."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options) as out:
        out.metadata.update(metadata or {})
        stream = out.add_stream(codec, rate=rate, options=codec_options)
        assert isinstance(stream, AudioStream)
        stream.layout = layout
        if sample_format:
            stream.format = sample_format
        stream.bit_rate = 192000
        if container in {"ogg", "opus"}:
            stream.metadata.update(metadata or {})
        picture = _add_cover(out) if cover else None
        if picture is not None and cover:
            packet = av.Packet(cover)
            packet.stream = picture
            packet.pts = packet.dts = 0
            packet.time_base = Fraction(1, 90000)
            out.start_encoding()
            out.mux(packet)
        _encode(out, stream, samples, rate, layout)
    return file.getvalue()


def _add_cover(out: OutputContainer) -> av.VideoStream:
    picture = out.add_stream("mjpeg", rate=1)
    assert isinstance(picture, av.VideoStream)
    picture.width = picture.height = 16
    picture.pix_fmt = "yuvj420p"
    picture.disposition = av.stream.Disposition.attached_pic
    return picture


def _encode(
    out: OutputContainer, stream: AudioStream, samples: Samples, rate: int, layout: str
) -> None:
    resampler = av.AudioResampler(stream.format.name, layout, rate)
    for at in range(0, len(samples), 1024):
        piece = np.ascontiguousarray(samples[at : at + 1024].reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(piece, "s16", layout)
        frame.sample_rate = rate
        frame.pts = at
        for converted in resampler.resample(frame):
            out.mux(stream.encode(converted))
    out.mux(stream.encode(None))


def jpeg(size: int = 16) -> bytes:
    """Return a small picture."""
    file = io.BytesIO()
    with av.open(file, "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = size
        stream.pix_fmt = "yuvj420p"
        pixels = np.full((size, size, 3), 90, np.uint8)
        out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        out.mux(stream.encode(None))
    return file.getvalue()


def movie(
    *, audio: Samples | None = None, container: str = "matroska", codec: str = "flac"
) -> bytes:
    """Return a short video, silent unless there is audio."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        picture = out.add_stream("mpeg4", rate=25)
        assert isinstance(picture, av.VideoStream)
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        sound: AudioStream | None = None
        if audio is not None:
            added = out.add_stream(codec, rate=RATE)
            assert isinstance(added, AudioStream)
            sound = added
            sound.layout = "stereo"
            sound.bit_rate = 192000
        for level in range(10):
            pixels = np.full((32, 32, 3), level * 20, np.uint8)
            out.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        out.mux(picture.encode(None))
        if sound is not None and audio is not None:
            _encode(out, sound, audio, RATE, "stereo")
    return file.getvalue()


def segments(folder: Path, samples: Samples, *, seconds: float = 1.0) -> Path:
    """Write an HLS playlist with its segments, and return its path."""
    playlist = folder / "media.m3u8"
    options = {
        "hls_time": str(seconds),
        "hls_list_size": "0",
        "hls_playlist_type": "vod",
    }
    with av.open(str(playlist), "w", format="hls", options=options) as out:
        stream = out.add_stream("aac", rate=RATE)
        stream.layout = "stereo"
        _encode(out, stream, samples, RATE, "stereo")
    return playlist
