"""What is not sound, whatever it is called: each has one right error."""

from collections.abc import Iterator
from functools import partial
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
from ..row import Build, Files, Row
from ..sound import sound
from ..workshop import Encoding, Workshop, run_ffmpeg

_DAMAGED = (MediaNotAudioError, "it is not audio, or it is damaged")
# libav knows what it is, and that there is no sound in it.
_SOMETHING = (MediaNotAudioError, "it is not audio")
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
    "zeros.mp3": (bytes(200000), _SOMETHING),
    "ones.wav": (b"\xff" * 200000, _DAMAGED),
    "garbage.mp3": (garbage(300000), _SOMETHING),
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
    "only a head.flac": (b"fLaC", _NOTHING),
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
        yield _refused(name, error, reason, partial(_same, {name: content}))
    for codec, extension in (("mjpeg", "jpg"), ("png", "png"), ("gif", "gif")):
        yield _refused(f"picture.{extension}", *_PICTURE, partial(_picture, codec))
    for muxer in ("matroska", "mp4", "avi"):
        yield _refused(f"silent.{muxer}", *_SILENT, partial(_clip, muxer))
    yield _refused("no samples.flac", *_NOTHING, _head_of_flac)


_FLAC = Encoding("flac", "flac")


def _refused(name: str, error: type[MediaError], reason: str, build: Build) -> Row:
    return Row(
        name=f"refused-{name.replace(' ', '-')}",
        kind="refused",
        build=build,
        right=Fails(error, reason),
    )


def _same(files: Files, _: Workshop) -> Files:
    return files


def _picture(codec: str, workshop: Workshop) -> Files:
    return {f"cover.{codec}": workshop.picture(codec)}


def _head_of_flac(workshop: Workshop) -> Files:
    return {"song.flac": workshop.encode(_FLAC)[:86]}


def _clip(muxer: str, _: Workshop) -> Files:
    moving = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1")
    movable = ("-movflags", "+frag_keyframe+empty_moov") if muxer == "mp4" else ()
    made = run_ffmpeg(*moving, "-c:v", "mpeg4", *movable, "-f", muxer, "pipe:1")
    return {"clip": made}
