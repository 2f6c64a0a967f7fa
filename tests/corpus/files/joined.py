"""Files that are several, one after the other."""

from collections.abc import Iterator

from ..judge import Loose, Plays
from ..row import Row
from ..workshop import Encoding

_PNS = ("-aac_pns", "0")
_NO_XING = ("-write_xing", "0", "-id3v2_version", "0")


def _vorbis(rate: int = 44100, layout: str = "stereo", seed: int = 1) -> Encoding:
    return Encoding("libvorbis", "ogg", rate, layout, seed=seed)


def _flac(
    sample_format: str = "s16",
    rate: int = 44100,
    layout: str = "stereo",
    seed: int = 1,
    muxer: str = "ogg",
) -> Encoding:
    options = ("-sample_fmt", sample_format)
    return Encoding("flac", muxer, rate, layout, seed=seed, options=options)


def _opus(layout: str = "stereo", seed: int = 1) -> Encoding:
    return Encoding("libopus", "ogg", 48000, layout, seed=seed)


def _mp3(rate: int = 44100, layout: str = "stereo", seed: int = 1) -> Encoding:
    return Encoding("libmp3lame", "mp3", rate, layout, seed=seed, options=_NO_XING)


def _aac(rate: int = 44100, layout: str = "stereo", seed: int = 1) -> Encoding:
    return Encoding("aac", "adts", rate, layout, seed=seed, options=_PNS)


# Name, extension, the parts, and by how many frames each may be longer or shorter.
_CHAINS = (
    ("ogg-flac-flac", "ogg", (_flac(), _flac(seed=2)), 0),
    ("ogg-flac-24-bits", "ogg", (_flac(), _flac("s32", seed=2)), 0),
    ("ogg-flac-16-bits", "ogg", (_flac("s32"), _flac(seed=2)), 0),
    ("ogg-flac-48000", "ogg", (_flac(), _flac(rate=48000, seed=2)), 1),
    ("ogg-flac-mono", "ogg", (_flac(), _flac(layout="mono", seed=2)), 0),
    ("ogg-vorbis-vorbis", "ogg", (_vorbis(), _vorbis(seed=2)), 2048),
    ("ogg-vorbis-22050", "ogg", (_vorbis(), _vorbis(22050, seed=2)), 2048),
    ("ogg-vorbis-48000", "ogg", (_vorbis(), _vorbis(48000, seed=2)), 2048),
    ("ogg-vorbis-mono", "ogg", (_vorbis(), _vorbis(layout="mono", seed=2)), 2048),
    ("ogg-opus-opus", "ogg", (_opus(), _opus(seed=2)), 2048),
    ("ogg-opus-mono", "ogg", (_opus(), _opus("mono", seed=2)), 2048),
    ("ogg-vorbis-opus", "ogg", (_vorbis(), _opus(seed=2)), 2048),
    ("ogg-vorbis-flac", "ogg", (_vorbis(), _flac(seed=2)), 2048),
    ("ogg-three", "ogg", (_flac(), _flac(seed=2), _flac(seed=3)), 0),
    ("mp3-mp3", "mp3", (_mp3(), _mp3(seed=2)), 2400),
    ("mp3-48000", "mp3", (_mp3(), _mp3(48000, seed=2)), 2400),
    ("mp3-22050", "mp3", (_mp3(), _mp3(22050, seed=2)), 2400),
    ("mp3-mono", "mp3", (_mp3(), _mp3(layout="mono", seed=2)), 2400),
    ("mp3-aac", "mp3", (_mp3(), _aac(seed=2)), 4800),
    ("aac-mp3", "aac", (_aac(), _mp3(seed=2)), 4800),
    ("aac-aac", "aac", (_aac(), _aac(seed=2)), 2400),
    ("aac-48000", "aac", (_aac(), _aac(48000, seed=2)), 2400),
    ("aac-mono", "aac", (_aac(), _aac(layout="mono", seed=2)), 2400),
    (
        "flac-flac",
        "flac",
        (_flac(muxer="flac"), _flac(seed=2, muxer="flac")),
        0,
    ),
    (
        "flac-24-bits",
        "flac",
        (_flac(muxer="flac"), _flac("s32", seed=2, muxer="flac")),
        0,
    ),
)


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for name, extension, parts, slack in _CHAINS:
        yield _joined(name, extension, parts, slack)


def _joined(name: str, extension: str, parts: tuple[Encoding, ...], slack: int) -> Row:
    why = "each part has a start and an end of its own, which are not always trimmed"
    loose = Loose(why, slack * len(parts), 0.97) if slack else None
    names = tuple(f"part{at}.{each.muxer}" for at, each in enumerate(parts))
    mono = tuple(
        name for name, part in zip(names, parts, strict=True) if part.channels == 1
    )
    return Row(
        name=f"joined-{name}",
        kind="joined",
        build=lambda workshop: {
            f"song.{extension}": b"".join(map(workshop.encode, parts)),
            **dict(zip(names, map(workshop.encode, parts), strict=True)),
        },
        right=Plays(of=names, mono_of=mono, loose=loose),
    )
