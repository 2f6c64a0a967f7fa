"""What is not sound, whatever it is called: each has one right error."""

from collections.abc import Iterator
import gzip
import io
import json
import tarfile
import zipfile

from custom_components.airplay.raop.errors import (
    MediaEmptyError,
    MediaError,
    MediaNotAudioError,
    MediaUnsupportedError,
)

from ..judge import Fails
from ..octets import garbage, id3, id3_text, wav
from ..row import Build, Row
from ..sound import sound
from ..workshop import Encoding, run_ffmpeg

_DAMAGED = (MediaNotAudioError, "it is not audio, or it is damaged")
_PAGE = (MediaNotAudioError, "its address leads to a web page")
_PICTURE = (MediaNotAudioError, "it is a picture")
_SILENT = (MediaNotAudioError, "it has no sound")
_NOTHING = (MediaEmptyError, "it has no sound")
_LISTLESS = (MediaEmptyError, "its playlist is empty")
_DASH = (MediaUnsupportedError, "it is a DASH stream, which is not supported")

_MPD = b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("song.mp3", garbage(3000))
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as out:
        info = tarfile.TarInfo("song.mp3")
        info.size = 3000
        out.addfile(info, io.BytesIO(garbage(3000)))
    return file.getvalue()


_CONTENTS: dict[str, tuple[bytes, tuple[type[MediaError], str]]] = {
    "empty.mp3": (b"", (MediaEmptyError, "it is empty")),
    "page.mp3": (b"<!DOCTYPE html><html><body>Login</body></html>", _PAGE),
    "page with a mark.mp3": (b"\xef\xbb\xbf<html></html>", _PAGE),
    "comment page.mp3": (b"<!-- moved --><html></html>", _PAGE),
    "xml.mp3": (b'<?xml version="1.0"?><error/>', _PAGE),
    "answer.mp3": (json.dumps({"error": "not found"}).encode(), _PAGE),
    "list.json": (json.dumps([{"url": "x"}]).encode(), _PAGE),
    "stream.mpd": (_MPD, _DASH),
    "text.mp3": (b"some words\n" * 500, _DAMAGED),
    "readme": (b"hello\n", _DAMAGED),
    "zeros.mp3": (bytes(200000), _DAMAGED),
    "ones.wav": (b"\xff" * 200000, _DAMAGED),
    "garbage.mp3": (garbage(300000), _DAMAGED),
    "little garbage.mp3": (garbage(40), _DAMAGED),
    "archive.zip": (_zip(), _DAMAGED),
    "archive.tar": (_tar(), _DAMAGED),
    "packed.gz": (gzip.compress(garbage(3000)), _DAMAGED),
    "paper.pdf": (b"%PDF-1.7\n" + garbage(3000), _DAMAGED),
    "program.exe": (b"MZ" + garbage(3000), _DAMAGED),
    "program": (b"\x7fELF" + garbage(3000), _DAMAGED),
    "data.sqlite": (b"SQLite format 3\0" + garbage(3000), _DAMAGED),
    "tune.mid": (b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk" + bytes(40), _DAMAGED),
    "only a tag.mp3": (id3([("TIT2", id3_text("Title"))]), _DAMAGED),
    "only a head.wav": (wav(sound(0, 2, 44100), 44100), _NOTHING),
    "half a head.wav": (wav(sound(0, 2, 44100), 44100)[:20], _DAMAGED),
    "only a head.flac": (b"fLaC", _DAMAGED),
    "empty.m3u": (b"#EXTM3U\n", _LISTLESS),
    "empty.pls": (b"[playlist]\nNumberOfEntries=0\n", _LISTLESS),
    "empty.asx": (b"<asx version='3.0'></asx>", _LISTLESS),
    "empty.xspf": (
        b'<playlist xmlns="http://xspf.org/ns/0/"><trackList></trackList></playlist>',
        _LISTLESS,
    ),
    "comments.m3u": (b"# nothing\n# but comments\n", _LISTLESS),
}


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for name, (content, (error, reason)) in _CONTENTS.items():
        yield _refused(name, lambda _, it=(name, content): dict([it]), error, reason)
    for codec, extension in (("mjpeg", "jpg"), ("png", "png"), ("gif", "gif")):
        yield _refused(
            f"picture.{extension}",
            lambda workshop, it=(codec, extension): {
                f"cover.{it[1]}": workshop.picture(it[0])
            },
            *_PICTURE,
        )
    for muxer, codec in (("matroska", "mpeg4"), ("mp4", "mpeg4"), ("avi", "mpeg4")):
        yield _refused(
            f"silent.{muxer}",
            lambda _, it=(muxer, codec): {"clip": _clip(*it)},
            *_SILENT,
        )
    yield _refused(
        "no samples.flac",
        lambda workshop: {"song.flac": workshop.encode(_FLAC)[:86]},
        *_NOTHING,
    )


_FLAC = Encoding("flac", "flac")


def _refused(name: str, build: Build, error: type[MediaError], reason: str) -> Row:
    return Row(
        name=f"refused-{name.replace(' ', '-')}",
        kind="refused",
        build=build,
        right=Fails(error, reason),
    )


def _clip(muxer: str, codec: str) -> bytes:
    moving = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1")
    movable = ("-movflags", "+frag_keyframe+empty_moov") if muxer == "mp4" else ()
    return run_ffmpeg(*moving, "-c:v", codec, *movable, "-f", muxer, "pipe:1")
