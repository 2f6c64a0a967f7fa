"""Files that are cut, torn, or joined, and those that lie about their length."""

from collections.abc import Iterator

from custom_components.airplay.raop.errors import MediaNotAudioError

from ..judge import Fails, Loose, Plays, Right
from ..octets import cut, damaged, garbage, wav, without
from ..row import Row
from ..sound import sound
from ..workshop import Encoding, Workshop

NOT_AUDIO = Fails(MediaNotAudioError, "it is not audio, or it is damaged")
_PNS = ("-aac_pns", "0")
_KINDS = {
    "wav": Encoding("pcm_s16le", "wav"),
    "aiff": Encoding("pcm_s16be", "aiff"),
    "flac": Encoding("flac", "flac"),
    "mp3": Encoding("libmp3lame", "mp3"),
    "aac": Encoding("aac", "adts", options=_PNS),
    "m4a": Encoding("aac", "ipod", options=(*_PNS, "-movflags", "+faststart")),
    "ogg": Encoding("libvorbis", "ogg"),
    "opus": Encoding("libopus", "opus", 48000),
    "mka": Encoding("flac", "matroska"),
    "wma": Encoding("wmav2", "asf"),
    "ts": Encoding("aac", "mpegts", options=_PNS),
    "ac3": Encoding("ac3", "ac3", 48000),
    "wv": Encoding("wavpack", "wv"),
}
# Decoders conceal what is missing, each version in another way.
_TORN = Loose("concealment differs by version", 4700, 0.0)


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for extension, wanted in _KINDS.items():
        for part in (0.35, 0.8, 0.97):
            yield _cut(extension, wanted, part)
        yield _torn(f"torn-{extension}", extension, wanted)
        yield _torn(f"gap-{extension}", extension, wanted)
        for size in (1, 100, 5000):
            yield _tailed(f"tail-of-{size}-{extension}", extension, wanted, size)
    for extension in ("mp3", "aac", "flac", "ts", "ogg"):
        yield _headed(f"zeros-before-{extension}", extension, bytes(2000))
    yield _headed("garbage-before-mp3", "mp3", b"some text, and no sound. " * 40)
    yield from _without_index()
    yield from _sizes()


def _cut(extension: str, wanted: Encoding, part: float) -> Row:
    # The last packet is not whole, and decoders make of it what they can.
    right: Right = Plays(loose=Loose("the last packet is cut", 4700, 0.95))
    if extension in {"wav", "aiff", "flac", "mka"}:
        right = Plays(loose=Loose("the last block is cut", 4700, 0.9999))
    return Row(
        name=f"cut-at-{part}-{extension}",
        kind="cut",
        build=lambda workshop: {
            f"song.{extension}": cut(workshop.encode(wanted), part)
        },
        right=right,
    )


def _torn(name: str, extension: str, wanted: Encoding) -> Row:
    mend = damaged if name.startswith("torn") else without
    return Row(
        name=name,
        kind="torn",
        build=lambda workshop: {
            f"song.{extension}": mend(workshop.encode(wanted), 0.5, 900)
        },
        right=Plays(loose=_TORN),
    )


def _tailed(name: str, extension: str, wanted: Encoding, size: int) -> Row:
    return Row(
        name=name,
        kind="tail",
        build=lambda workshop: {
            f"song.{extension}": workshop.encode(wanted) + garbage(size)
        },
    )


def _headed(name: str, extension: str, head: bytes) -> Row:
    wanted = _KINDS[extension]
    return Row(
        name=name,
        kind="tail",
        build=lambda workshop: {f"song.{extension}": head + workshop.encode(wanted)},
    )


def _without_index() -> Iterator[Row]:
    """Yield files whose index is at their end, and gone."""
    wanted = Encoding("aac", "ipod", options=_PNS)
    yield Row(
        name="cut-m4a-without-index",
        kind="cut",
        build=lambda workshop: {"song.m4a": cut(workshop.encode(wanted), 0.8)},
        right=NOT_AUDIO,
    )
    for part in (0.001, 0.003):
        yield Row(
            name=f"cut-in-header-{part}",
            kind="cut",
            build=lambda workshop, part=part: {
                "song.ogg": cut(workshop.encode(_KINDS["ogg"]), part)
            },
            right=NOT_AUDIO,
        )


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
        yield Row(
            name=f"wav-size-{name}",
            kind="sizes",
            build=lambda _, sizes=sizes: {
                "song.wav": wav(sound(frames, 2, 44100), 44100, sizes=sizes)
            },
        )


def song(workshop: Workshop, extension: str) -> bytes:
    """Return a sound file of one of the kinds here."""
    return workshop.encode(_KINDS[extension])
