"""Files that are cut, torn, or joined, and those that lie about their length."""

from collections.abc import Callable, Iterator
from functools import partial

from custom_components.airplay.raop.errors import MediaEmptyError, MediaNotAudioError

from ..judge import Fails, Loose, Plays, Right
from ..octets import cut, damaged, garbage, wav, without
from ..row import Row, patched
from ..sound import sound
from ..workshop import Encoding

_NO_SOUND = Fails(MediaEmptyError, "it has no sound")
NOT_AUDIO = Fails(MediaNotAudioError, "it is not audio, or it is damaged")
_PNS = ("-aac_pns", "0")
_KINDS = {
    "wav": Encoding("pcm_s16le", "wav"),
    "aiff": Encoding("pcm_s16be", "aiff"),
    "flac": Encoding("flac", "flac"),
    "mp3": Encoding("libmp3lame", "mp3"),
    "aac": Encoding("aac", "adts", options=_PNS),
    "m4a": Encoding("aac", "ipod", options=(*_PNS, "-movflags", "+faststart")),
    "ogg": Encoding("libvorbis", "ogg", seconds=4),
    "opus": Encoding("libopus", "opus", 48000, seconds=4),
    "mka": Encoding("flac", "matroska"),
    "wma": Encoding("wmav2", "asf"),
    "ts": Encoding("aac", "mpegts", options=_PNS),
    "ac3": Encoding("ac3", "ac3", 48000),
    "wv": Encoding("wavpack", "wv"),
}
# Behind a gap nothing is where the index, or the block before, says.
_INDEXED = {"m4a", "wv"}
_PADDED = Loose("ffmpeg 5 plays the padding at its end", 400, 0.9999)


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for extension, wanted in _KINDS.items():
        for part in (0.35, 0.8, 0.97):
            yield _cut(extension, wanted, part)
        yield _torn(f"torn-{extension}", extension, wanted)
        if extension not in _INDEXED:
            yield _torn(f"gap-{extension}", extension, wanted)
        for size in (1, 100, 5000):
            yield _tailed(f"tail-of-{size}-{extension}", extension, wanted, size)
    for extension in ("mp3", "aac", "flac", "ts", "ogg"):
        yield _headed(f"zeros-before-{extension}", extension, bytes(2000))
    yield _headed("garbage-before-mp3", "mp3", b"some text, and no sound. " * 40)
    yield from _without_index()
    yield from _sizes()


def _cut(extension: str, wanted: Encoding, part: float) -> Row:
    name = f"cut-at-{part}-{extension}"
    return _patched(name, "cut", extension, wanted, partial(cut, part=part), Plays())


def _torn(name: str, extension: str, wanted: Encoding) -> Row:
    mend = damaged if name.startswith("torn") else without
    patch = partial(mend, at=0.5, size=900)
    right = Plays(loose=_PADDED) if extension == "m4a" else None
    return _patched(name, "torn", extension, wanted, patch, right)


def _tailed(name: str, extension: str, wanted: Encoding, size: int) -> Row:
    tail = garbage(size)
    return _patched(name, "tail", extension, wanted, lambda song: song + tail)


def _headed(name: str, extension: str, head: bytes) -> Row:
    wanted = _KINDS[extension]
    return _patched(name, "tail", extension, wanted, lambda song: head + song)


def _patched(
    name: str,
    kind: str,
    extension: str,
    wanted: Encoding,
    patch: Callable[[bytes], bytes],
    right: Right | None = None,
) -> Row:
    return patched(name, kind, f"song.{extension}", wanted, patch, right)


def _without_index() -> Iterator[Row]:
    """Yield files whose index is at their end, and gone."""
    wanted = Encoding("aac", "ipod", options=_PNS)
    name = "cut-m4a-without-index"
    yield _patched(name, "cut", "m4a", wanted, partial(cut, part=0.8), NOT_AUDIO)
    for part in (0.001, 0.003):
        patch = partial(cut, part=part)
        name = f"cut-in-header-{part}"
        yield _patched(name, "cut", "ogg", _KINDS["ogg"], patch, _NO_SOUND)


def _sizes() -> Iterator[Row]:
    """Yield WAV files whose header does not know their length."""
    frames = 50077
    unknown = 0xFFFFFFFF
    cases = {
        "zero": (0, 0),
        "unknown": (unknown, unknown),
        "signed": (0x7FFFFFFF, 0x7FFFFFFF - 36),
        "too-long": (frames * 4 + 5036, frames * 4 + 5000),
        "riff-too-short": (1000, frames * 4),
        "odd": (frames * 4 + 37, frames * 4 + 1),
    }
    for name, sizes in cases.items():
        yield _sized(f"wav-size-{name}", frames, sizes)


def _sized(name: str, frames: int, sizes: tuple[int, int]) -> Row:
    return Row(
        name=name,
        kind="sizes",
        build=lambda _: {"song.wav": wav(sound(frames, 2, 44100), 44100, sizes=sizes)},
    )
