"""Tags and pictures in all places, names of all kinds, and starts inside."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..judge import Plays
from ..octets import ape, chunk, id3, id3_picture, id3_text, id3v1, wav
from ..row import Row, encoded, patched, right_of
from ..sound import sound
from ..workshop import Encoding, Workshop

_MP3 = Encoding("libmp3lame", "mp3", options=("-id3v2_version", "0"))
_FLAC = Encoding("flac", "flac")
_TAGS = (
    ("title", "Ünder, 日本 🎵"),
    ("artist", "Sigur Rós"),
    ("album", "( )"),
    ("track", "3"),
)
_READ: dict[str, str | int | None] = {
    "title": "Ünder, 日本 🎵",
    "artist": "Sigur Rós",
    "album": "( )",
    "track": 3,
}
# Extension, muxer, codec.
_TAGGED = (
    ("mp3", "mp3", "libmp3lame"),
    ("m4a", "ipod", "aac"),
    ("mp4", "mp4", "aac"),
    ("flac", "flac", "flac"),
    ("ogg", "ogg", "libvorbis"),
    ("opus", "opus", "libopus"),
    ("mka", "matroska", "flac"),
    ("wma", "asf", "wmav2"),
    ("aiff", "aiff", "pcm_s16be"),
    ("wv", "wv", "wavpack"),
)
_COVERED = ("mp3", "m4a", "flac", "mka", "wma")
_VIDEOS = (
    ("mp4", "mp4", "aac", "mpeg4"),
    ("mov", "mov", "pcm_s16le", "mpeg4"),
    ("mkv", "matroska", "flac", "mpeg4"),
    ("avi", "avi", "libmp3lame", "mpeg4"),
    ("webm", "webm", "libopus", "vp8"),
    ("ts", "mpegts", "mp2", "mpeg2video"),
    ("flv", "flv", "aac", "flv1"),
    ("wmv", "asf", "wmav2", "wmv2"),
)
_NAMES = (
    "song #1.mp3",
    "what?.mp3",
    "100%.mp3",
    "a%20b.mp3",
    "this & that + more.mp3",
    " leading.mp3",
    "trailing .mp3",
    "two  blanks.mp3",
    "Übergrößenträger.mp3",
    "日本の歌.mp3",
    "party 🎉.mp3",
    "quote \" and 'another'.mp3",
    "semi;colon, comma.mp3",
    "back\\slash.mp3",
    "[brackets] {braces} (round).mp3",
    "line\nbreak.mp3",
    "concat:song.mp3",
    "http:song.mp3",
    "file:song.mp3",
    "pipe:0",
    "-i.mp3",
    "~.mp3",
    "$HOME `x`.mp3",
    "LOUD.MP3",
    "no extension",
    ".hidden.mp3",
    "many.dots.in.it.mp3",
    "x" * 240 + ".mp3",
    "folder with blanks/and # another/song.mp3",
)
_WRONG_NAMES = (
    "song.wav",
    "song.flac",
    "song.txt",
    "song.m3u",
    "song.jpg",
    "song.html",
)
_STARTS_MS = (1, 250, 777, 1499)


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for extension, muxer, codec in _TAGGED:
        # Otherwise AIFF has but a title.
        options = ("-write_id3v2", "1") if muxer == "aiff" else ()
        wanted = Encoding(codec, muxer, tags=_TAGS, options=options)
        yield _made(f"tags-{extension}", extension, wanted, _tagged(wanted))
        if extension in _COVERED:
            wanted = replace(wanted, has_cover=True)
            yield _made(f"cover-{extension}", extension, wanted, _tagged(wanted))
    for extension, muxer, codec, video in _VIDEOS:
        wanted = Encoding(codec, muxer, 48000, video=video)
        yield _made(f"video-{extension}", extension, wanted, right_of(wanted))
    yield from _id3()
    yield from _ends()
    yield from _names()
    for start_ms in _STARTS_MS:
        for extension, wanted in (("flac", _FLAC), ("mp3", _MP3), ("wav", _WAV)):
            right = Plays(start_ms=start_ms)
            yield _made(f"start-{start_ms}-{extension}", extension, wanted, right)


_WAV = Encoding("pcm_s16le", "wav", 48000)


def _made(name: str, extension: str, wanted: Encoding, right: Plays) -> Row:
    return encoded(name, name.partition("-")[0], extension, wanted, right)


def _tagged(wanted: Encoding) -> Plays:
    return right_of(wanted, tags=_READ)


def _id3() -> Iterator[Row]:
    titles: Mapping[str, tuple[bytes, str]] = {
        "v2.2": (id3([("TT2", id3_text("Two"))], 2), "Two"),
        "v2.3-latin": (id3([("TIT2", id3_text("Café"))]), "Café"),
        "v2.3-utf16": (id3([("TIT2", id3_text("日本", "utf-16"))]), "日本"),
        "v2.4-utf8": (id3([("TIT2", id3_text("日本", "utf-8"))], 4), "日本"),
        "v2.4-utf16be": (id3([("TIT2", id3_text("日本", "utf-16-be"))], 4), "日本"),
        "padding": (id3([("TIT2", id3_text("Padded"))], padding=60000), "Padded"),
        "twice": (id3([("TIT2", id3_text("One"))]) * 2, "One"),
        "unknown-frames": (
            id3([("ZZZZ", bytes(300)), ("TIT2", id3_text("Known"))]),
            "Known",
        ),
        "long-comment": (
            id3([("TIT2", id3_text("Short")), ("COMM", b"\0eng\0" + b"a" * 200000)]),
            "Short",
        ),
    }
    for name, (tag, title) in titles.items():
        yield _with_head(f"id3-{name}", "mp3", _MP3, tag, title)
    aac = Encoding("aac", "adts", options=("-aac_pns", "0"))
    tag = id3([("TIT2", id3_text("Before"))])
    yield _with_head("id3-before-aac", "aac", aac, tag, "Before")
    flac = Encoding("flac", "flac")
    yield _with_head("id3-before-flac", "flac", flac, tag, None)
    for size in (2000, 300000):
        yield _pictured(size)


def _pictured(size: int) -> Row:
    def content(workshop: Workshop) -> bytes:
        picture = workshop.picture().ljust(size, b"\0")
        frames = [("TIT2", id3_text("Seen")), ("APIC", id3_picture(picture))]
        return id3(frames) + workshop.encode(_MP3)

    return Row(
        name=f"id3-picture-of-{size}",
        kind="tags",
        build=lambda workshop: {"song.mp3": content(workshop)},
        right=Plays(tags={"title": "Seen"}),
    )


def _with_head(
    name: str, extension: str, wanted: Encoding, tag: bytes, title: str | None
) -> Row:
    right = Plays(tags={"title": title} if title else {})
    file_name = f"song.{extension}"
    return patched(name, "tags", file_name, wanted, lambda song: tag + song, right)


def _with_tail(name: str, tail: bytes) -> Row:
    return patched(name, "tags", "song.mp3", _MP3, lambda song: song + tail)


def _ends() -> Iterator[Row]:
    tails = {
        "id3v1": id3v1("Old"),
        "ape": ape({"Title": "Monkey"}),
        "ape-and-id3v1": ape({"Title": "Monkey"}) + id3v1("Old"),
        "lyrics": b"LYRICSBEGIN" + b"la " * 500 + b"001511LYRICS200" + id3v1("Old"),
    }
    for name, tail in tails.items():
        yield _with_tail(f"end-{name}", tail)
    chunks = {
        "info": chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Inner\0")),
        "bext": chunk(b"bext", bytes(602)),
        "id3": chunk(b"id3 ", id3([("TIT2", id3_text("Inner"))])),
        "junk": chunk(b"JUNK", bytes(4001)),
        "cue": chunk(b"cue ", bytes(28)),
        "unknown": chunk(b"abcd", b"who knows"),
    }
    for name, extra in chunks.items():
        for place in ("before", "after"):
            yield _with_chunk(f"chunk-{name}-{place}", place, extra)


def _with_chunk(name: str, place: str, extra: bytes) -> Row:
    before, after = (extra, b"") if place == "before" else (b"", extra)
    return Row(
        name=name,
        kind="chunk",
        build=lambda _: {
            "song.wav": wav(sound(50077, 2, 44100), 44100, before=before, after=after)
        },
    )


def _names() -> Iterator[Row]:
    for name in _NAMES:
        label = ascii(name if len(name) < 60 else "long")[1:-1]
        path = patched(f"path-{label}", "path", name, _MP3)
        yield path
        yield replace(path, name=f"url-{label}", kind="url", is_url=True)
    for name in _WRONG_NAMES:
        for wanted in (_MP3, _FLAC):
            # ffmpeg believes in some names.
            right = Plays(options=("-f", wanted.muxer))
            label = f"wrong-name-{name}-{wanted.muxer}"
            yield patched(label, "path", name, wanted, right=right)
