"""Playlists of lines: M3U, PLS, and the references of Windows Media.

M3U is a list of addresses; `#EXTINF:seconds,title` describes the next one. PLS is an
INI file with `FileN`, `TitleN`, and `LengthN`; a `[Reference]` has `RefN`, which are
servers of the same sound. Each line is read once, so the work grows with the length of
the playlist, whatever a stranger puts into it.
"""

from collections.abc import Iterator
import re

from .entry import MOST_ADDRESSES, PlaylistLine

_LINE = re.compile(r"\r\n|\r|\n")
# More digits are no number of an entry, and Python refuses to convert thousands.
_PLS_FIELD = re.compile(
    r"\s*(file|ref|title|length)([0-9]{1,9})\s*=(.*)", re.IGNORECASE
)
# Attributes that contain commas may precede the title.
_EXTINF = re.compile(
    r'#EXTINF:\s*(-?[0-9.]{1,12})?((?>[^,"]|"[^"]*"|")*+),(.*)', re.IGNORECASE
)
# Lists of stations name a logo.
_LOGO = re.compile(r'logo="([^"]*)"', re.IGNORECASE)


def read_m3u(text: str) -> Iterator[PlaylistLine]:
    """Yield the entries of an M3U playlist in order."""
    name = seconds = picture = ""
    for line in map(str.strip, _LINE.split(text)):
        if found := _EXTINF.match(line):
            seconds, name = found[1] or "", found[3]
            logo = _LOGO.search(found[2])
            picture = logo[1].strip() if logo else ""
        elif line and not line.startswith("#"):
            yield PlaylistLine(line, name, seconds, picture=picture)
            name = seconds = picture = ""


def read_pls(text: str) -> Iterator[PlaylistLine]:
    """Yield the entries of a PLS playlist, sorted by their numbers."""
    fields = _fields(text)
    titles, lengths = fields["title"], fields["length"]
    for number, address in sorted(fields["file"].items()):
        yield PlaylistLine(address, titles.get(number, ""), lengths.get(number, ""))


def read_references(text: str) -> Iterator[PlaylistLine]:
    """Yield the one entry of a `[Reference]`, with all its servers."""
    addresses = [each for _, each in sorted(_fields(text)["ref"].items()) if each]
    if addresses:
        others = addresses[1:MOST_ADDRESSES]
        yield PlaylistLine(addresses[0], others=tuple(others))


def _fields(text: str) -> dict[str, dict[int, str]]:
    fields: dict[str, dict[int, str]] = {
        "file": {},
        "ref": {},
        "title": {},
        "length": {},
    }
    for line in _LINE.split(text):
        if found := _PLS_FIELD.match(line):
            fields[found[1].lower()][int(found[2])] = found[3].strip()
    return fields
