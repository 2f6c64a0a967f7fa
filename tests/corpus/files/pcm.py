"""Uncompressed and lossless files."""

from collections.abc import Iterator

from ..row import Row, encoded
from ..workshop import Encoding

_WAV_CODECS = (
    "pcm_u8",
    "pcm_s16le",
    "pcm_s24le",
    "pcm_s32le",
    "pcm_f32le",
    "pcm_f64le",
    "pcm_alaw",
    "pcm_mulaw",
)
_RATES = (
    8000,
    11025,
    12000,
    16000,
    22050,
    24000,
    32000,
    64000,
    88200,
    96000,
    176400,
    192000,
    352800,
    384000,
)
# Extension, muxer, codec.
_CONTAINERS = (
    ("aiff", "aiff", "pcm_s16be"),
    ("aiff", "aiff", "pcm_s24be"),
    ("aiff", "aiff", "pcm_s32be"),
    ("aiff", "aiff", "pcm_s8"),
    ("aifc", "aiff", "pcm_s16le"),
    ("aifc", "aiff", "pcm_f32be"),
    ("aifc", "aiff", "pcm_mulaw"),
    ("au", "au", "pcm_s16be"),
    ("au", "au", "pcm_s24be"),
    ("au", "au", "pcm_f32be"),
    ("au", "au", "pcm_mulaw"),
    ("caf", "caf", "pcm_s16be"),
    ("caf", "caf", "pcm_s24le"),
    ("caf", "caf", "pcm_f32le"),
    ("caf", "caf", "alac"),
    ("w64", "w64", "pcm_s16le"),
    ("w64", "w64", "pcm_s24le"),
    ("mka", "matroska", "pcm_s16le"),
    ("mka", "matroska", "pcm_f32le"),
    ("mov", "mov", "pcm_s16be"),
    ("mov", "mov", "pcm_s24le"),
    ("mov", "mov", "pcm_s16le"),
    ("avi", "avi", "pcm_s16le"),
    ("voc", "voc", "pcm_u8"),
    ("nut", "nut", "pcm_s16le"),
)
# Extension, muxer, codec, sample format.
_LOSSLESS = (
    ("flac", "flac", "flac", "s16"),
    ("flac", "flac", "flac", "s32"),
    ("oga", "ogg", "flac", "s16"),
    ("oga", "ogg", "flac", "s32"),
    ("mka", "matroska", "flac", "s16"),
    ("mp4", "mp4", "flac", "s16"),
    ("m4a", "ipod", "alac", "s16p"),
    ("m4a", "ipod", "alac", "s32p"),
    ("mov", "mov", "alac", "s16p"),
    ("mka", "matroska", "alac", "s16p"),
    ("wv", "wv", "wavpack", "s16p"),
    ("wv", "wv", "wavpack", "s32p"),
    ("wv", "wv", "wavpack", "fltp"),
    ("mka", "matroska", "wavpack", "s16p"),
    ("tta", "tta", "tta", "s16"),
    ("tta", "tta", "tta", "s32"),
    ("mka", "matroska", "tta", "s16"),
)


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for codec in _WAV_CODECS:
        for rate, layout in ((44100, "stereo"), (48000, "mono"), (44100, "mono")):
            yield _wav(codec, Encoding(codec, "wav", rate, layout))
    for rate in _RATES:
        yield _wav("pcm_s16le", Encoding("pcm_s16le", "wav", rate))
    for size in ("auto", "always"):
        options = ("-rf64", size)
        wanted = Encoding("pcm_s16le", "wav", options=options)
        yield encoded(f"wav-rf64-{size}", "pcm", "wav", wanted)
    for extension, muxer, codec in _CONTAINERS:
        # VOC counts time in microseconds.
        rate = 22050 if extension == "voc" else 44100
        layout = "mono" if extension == "voc" else "stereo"
        wanted = Encoding(codec, muxer, rate, layout)
        yield encoded(f"{extension}-{codec}", "pcm", extension, wanted)
    yield from _lossless()


def _lossless() -> Iterator[Row]:
    for extension, muxer, codec, sample_format in _LOSSLESS:
        options = ("-sample_fmt", sample_format)
        for rate, layout in ((44100, "stereo"), (96000, "stereo"), (48000, "mono")):
            wanted = Encoding(codec, muxer, rate, layout, options=options)
            name = f"{extension}-{codec}-{sample_format}-{rate}-{layout}"
            yield encoded(name, "lossless", extension, wanted)
    for level in (0, 12):
        options = ("-compression_level", str(level))
        wanted = Encoding("flac", "flac", options=options)
        yield encoded(f"flac-level-{level}", "lossless", "flac", wanted)
    for rate in (8000, 22050, 32000, 88200, 192000):
        yield encoded(
            f"flac-{rate}", "lossless", "flac", Encoding("flac", "flac", rate)
        )
    for codec, muxer in (("mlp", "mlp"), ("truehd", "truehd")):
        wanted = Encoding(codec, muxer, 48000, options=("-sample_fmt", "s16"))
        yield encoded(f"{muxer}-{codec}", "lossless", muxer, wanted)


def _wav(codec: str, wanted: Encoding) -> Row:
    name = f"wav-{codec}-{wanted.rate}-{wanted.layout}"
    return encoded(name, "pcm", "wav", wanted)
