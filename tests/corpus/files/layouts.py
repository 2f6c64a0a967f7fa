"""Channels of all kinds: layouts that ffmpeg knows, and masks that it does not name."""

from collections.abc import Iterator

from ..judge import Plays
from ..octets import wav
from ..row import Files, Row, encoded
from ..sound import sound
from ..workshop import CHANNELS, Encoding, Workshop

_SECONDS = 1.2
# By the bits of the mask: the speakers of a WAV file (KSAUDIO_CHANNEL_CONFIG).
_SINGLE = {"FL": 0x1, "FR": 0x2, "FC": 0x4, "LFE": 0x8, "BL": 0x10, "BC": 0x100}
_PAIRS = {
    "FL+FR": 0x3,
    "FC+LFE": 0xC,
    "BL+BR": 0x30,
    "SL+SR": 0x600,
    "FL+LFE": 0x9,
    "FR+FC": 0x6,
    "TFL+TFR": 0x5000,
}
# Two that ffmpeg cannot mix, and nobody else would: they play as left and right.
_NOT_MIXED = {"BL+BR", "SL+SR", "FL+LFE", "FR+FC", "TFL+TFR"}
_MORE = {
    "FC+BL+BR": (3, 0x34),
    "FL+FR+BC": (3, 0x103),
    "FL+FR+LFE": (3, 0xB),
    "FL+FR+TFC": (3, 0x2003),
}


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for layout in CHANNELS:
        for rate, codec in ((44100, "pcm_s16le"), (48000, "pcm_f32le")):
            wanted = Encoding(codec, "wav", rate, layout, _SECONDS)
            name = f"layout-{layout}-{codec}-{rate}"
            yield encoded(name, "layout", "wav", wanted)
    for layout in ("3.0", "quad", "5.0", "5.1", "7.1"):
        wanted = Encoding("flac", "flac", 48000, layout, _SECONDS)
        yield encoded(f"layout-{layout}-flac", "layout", "flac", wanted)
    for layout in ("3.0", "5.1", "7.1(wide)"):
        wanted = Encoding("alac", "ipod", 44100, layout, _SECONDS)
        yield encoded(f"layout-{layout}-alac", "layout", "m4a", wanted)
    yield from _masks()


def _masks() -> Iterator[Row]:
    for name, mask in _SINGLE.items():
        for sample_format, rate in (("s16", 44100), ("s16", 48000), ("f32", 44100)):
            yield _masked(name, 1, mask, sample_format, rate)
    for name, mask in _PAIRS.items():
        for sample_format, rate in (("s16", 44100), ("s16", 48000), ("s24", 44100)):
            yield _masked(name, 2, mask, sample_format, rate)
    for name, (channels, mask) in _MORE.items():
        yield _masked(name, channels, mask, "s16", 44100)
        yield _masked(name, channels, mask, "f32", 48000)
    for channels in (1, 2, 3, 4, 5, 6, 8):
        yield _masked(f"no-mask-{channels}", channels, 0, "s16", 44100)
    for place in ("FL", "FR", "FC"):
        yield _mov(place)


def _masked(name: str, channels: int, mask: int, sample_format: str, rate: int) -> Row:
    # A single channel plays on both sides at its level, whatever it is called.
    is_plain = channels == 1 or name in _NOT_MIXED

    def build(_: Workshop) -> Files:
        samples = sound(round(_SECONDS * rate) + 77, channels, rate)
        return {
            "song.wav": wav(samples, rate, mask=mask, sample_format=sample_format),
            "plain.wav": wav(samples, rate, sample_format=sample_format),
        }

    of = ("plain.wav" if is_plain else "song.wav",)
    return Row(
        name=f"mask-{name}-{sample_format}-{rate}",
        kind="mask",
        build=build,
        right=Plays(is_mono=channels == 1, of=of),
    )


def _mov(place: str) -> Row:
    """Return a movie of one channel with a name, as cameras and editors write them."""
    wanted = Encoding("pcm_s16le", "wav", 48000, "mono", _SECONDS)
    return Row(
        name=f"mov-mono-{place}",
        kind="mask",
        build=lambda workshop: workshop.convert(
            {"in.wav": workshop.encode(wanted)},
            *("-i", "in.wav", "-af", f"channelmap=0:{place}", "-c:a", "pcm_s16le"),
            out="song.mov",
        ),
        right=Plays(is_mono=True),
    )
