"""Playlists beside their songs, of all formats and spellings."""

from collections.abc import Iterator
import gzip

from custom_components.airplay.raop.errors import MediaNotFoundError

from ..judge import Fails, Plays
from ..row import Row
from ..workshop import Encoding

_SONG = Encoding("libmp3lame", "mp3")
_XSPF = '<?xml version="1.0" encoding="UTF-8"?>\n<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track><location>%s</location></track></trackList></playlist>'
_ASX = '<ASX version="3.0"><ENTRY><TITLE>One</TITLE><REF HREF="%s" /></ENTRY></ASX>'
_PLS = "[playlist]\nFile1=%s\nTitle1=One\nLength1=-1\nNumberOfEntries=1\nVersion=2\n"

# Name of the playlist, its text, and where the song is.
_LISTS: tuple[tuple[str, str | bytes, str], ...] = (
    ("plain.m3u", "song.mp3\n", "song.mp3"),
    ("with head.m3u", "#EXTM3U\n#EXTINF:2,One\nsong.mp3\n", "song.mp3"),
    ("utf8.m3u8", "#EXTM3U\nÜber.mp3\n", "Über.mp3"),
    ("latin.m3u", "#EXTM3U\nÜber.mp3\n".encode("cp1252"), "Über.mp3"),
    ("mark.m3u", "\ufeff#EXTM3U\nsong.mp3\n", "song.mp3"),
    ("utf16.m3u", "#EXTM3U\nsong.mp3\n".encode("utf-16"), "song.mp3"),
    ("utf16 be.m3u", "#EXTM3U\nsong.mp3\n".encode("utf-16-be"), "song.mp3"),
    ("windows lines.m3u", "#EXTM3U\r\nsong.mp3\r\n", "song.mp3"),
    ("mac lines.m3u", "#EXTM3U\rsong.mp3\r", "song.mp3"),
    ("blank lines.m3u", "\n\n#EXTM3U\n\n\nsong.mp3\n\n", "song.mp3"),
    ("blanks around.m3u", "#EXTM3U\n   song.mp3   \n", "song.mp3"),
    ("no end.m3u", "#EXTM3U\nsong.mp3", "song.mp3"),
    ("folder.m3u", "#EXTM3U\nMusic/song.mp3\n", "Music/song.mp3"),
    ("windows.m3u", "#EXTM3U\nMusic\\song.mp3\n", "Music/song.mp3"),
    ("dot.m3u", "#EXTM3U\n./song.mp3\n", "song.mp3"),
    ("Playlists/rel.m3u", "#EXTM3U\n../Music/one.mp3\n", "Music/one.mp3"),
    ("Playlists/win.m3u", "#EXTM3U\n..\\Music\\one.mp3\n", "Music/one.mp3"),
    ("escaped.m3u", "#EXTM3U\nthe%20song.mp3\n", "the song.mp3"),
    ("not escaped.m3u", "#EXTM3U\nthe%20song.mp3\n", "the%20song.mp3"),
    ("hash.m3u", "#EXTM3U\nsong #1.mp3\n", "song #1.mp3"),
    ("question.m3u", "#EXTM3U\nwhat?.mp3\n", "what?.mp3"),
    ("dead first.m3u", "#EXTM3U\ngone.mp3\nalso gone.mp3\nsong.mp3\n", "song.mp3"),
    ("packed.m3u.gz", gzip.compress(b"#EXTM3U\nsong.mp3\n"), "song.mp3"),
    ("plain.pls", _PLS % "song.mp3", "song.mp3"),
    ("no head.pls", "File1=song.mp3\n", "song.mp3"),
    ("upper.pls", (_PLS % "song.mp3").upper().replace(".MP3", ".mp3"), "SONG.mp3"),
    ("plain.asx", _ASX % "song.mp3", "song.mp3"),
    ("lower.asx", (_ASX % "song.mp3").lower(), "song.mp3"),
    ("plain.xspf", _XSPF % "song.mp3", "song.mp3"),
    ("escaped.xspf", _XSPF % "the%20song.mp3", "the song.mp3"),
    ("amp.xspf", _XSPF % "this &amp; that.mp3", "this & that.mp3"),
    ("reference.asx", "[Reference]\r\nRef1=song.mp3\r\n", "song.mp3"),
    ("nested.m3u", "#EXTM3U\ninner.pls\n", "song.mp3"),
)


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for name, text, song in _LISTS:
        yield _list(name, text if isinstance(text, bytes) else text.encode(), song)
    yield Row(
        name="list-of-nothing-there.m3u",
        kind="list",
        build=lambda _: {"list.m3u": b"#EXTM3U\ngone.mp3\n"},
        right=Fails(MediaNotFoundError, "there is no such file"),
    )


def _list(name: str, content: bytes, song: str) -> Row:
    more = {"inner.pls": (_PLS % song).encode()} if name.startswith("nested") else {}
    return Row(
        name=f"list-{name.replace(' ', '-').replace('/', '-')}",
        kind="list",
        build=lambda workshop: {name: content, song: workshop.encode(_SONG), **more},
        right=Plays(of=(song,)),
    )
