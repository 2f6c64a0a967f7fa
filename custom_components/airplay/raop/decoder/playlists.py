"""The entries of plain playlists, M3U and PLS: what is written there, line by line.

M3U is a list of addresses; `#EXTINF:seconds,title` describes the next one. PLS is an
INI file with `FileN`, `TitleN`, and `LengthN`. Each line is read once, so the work grows
with the length of the playlist, whatever a stranger puts into it.
"""

from collections.abc import Iterator
import re
from typing import NamedTuple

from .icy import decode_text

MAX_PLAYLIST_BYTES = 1 << 16

_LINE = re.compile(r"\r\n|\r|\n")
# More digits are no number of an entry, and Python refuses to convert thousands.
_PLS_FIELD = re.compile(r"\s*(file|title|length)([0-9]{1,9})\s*=(.*)", re.IGNORECASE)
# Attributes that contain commas may precede the title.
_EXTINF = re.compile(
    r'#EXTINF:\s*(-?[0-9.]{1,12})?(?>[^,"]|"[^"]*"|")*+,(.*)', re.IGNORECASE
)
_PLS_HEAD = "[playlist]"


class PlaylistLine(NamedTuple):
    """An entry as written: the address, its title, and its length in seconds."""

    address: str
    name: str = ""
    seconds: str = ""


def is_pls(text: str) -> bool:
    """Whether a playlist says that it is PLS; blanks in front are removed before."""
    return text[: len(_PLS_HEAD)].lower() == _PLS_HEAD


def read_m3u(text: str) -> Iterator[PlaylistLine]:
    """Yield the entries of an M3U playlist in order."""
    name = seconds = ""
    for line in map(str.strip, _LINE.split(text)):
        if found := _EXTINF.match(line):
            seconds, name = found[1] or "", found[2]
        elif line and not line.startswith("#"):
            yield PlaylistLine(line, name, seconds)
            name = seconds = ""


def read_pls(text: str) -> Iterator[PlaylistLine]:
    """Yield the entries of a PLS playlist, sorted by their numbers."""
    fields: dict[str, dict[int, str]] = {"file": {}, "title": {}, "length": {}}
    for line in _LINE.split(text):
        if found := _PLS_FIELD.match(line):
            fields[found[1].lower()][int(found[2])] = found[3].strip()
    titles, lengths = fields["title"], fields["length"]
    for number, address in sorted(fields["file"].items()):
        yield PlaylistLine(address, titles.get(number, ""), lengths.get(number, ""))


def entries_of(playlist: bytes) -> list[str]:
    """Return the addresses in a playlist, in order and without duplicates."""
    text = decode_text(playlist.removeprefix(b"\xef\xbb\xbf")).lstrip()
    lines = read_pls(text) if is_pls(text) else read_m3u(text)
    return list(dict.fromkeys(line.address for line in lines if line.address))
