"""Playlists of elements: ASX of Windows Media, and XSPF (xspf.org, version 1).

ASX only resembles XML: names are in any case, addresses contain a bare `&`, and elements
are not closed. So this reads tags in their order and builds no tree: there is no depth, and
a document type defines nothing. Of entities, those that XML predefines are replaced, once.
"""

from collections.abc import Iterator
from itertools import chain
import re
from typing import NamedTuple
from urllib.parse import urljoin

from .entry import MOST_ADDRESSES, PlaylistLine

# No part passes the next "<", so what is not a tag is looked at once.
_MARK = re.compile(
    r"(?P<section><!--|<!\[CDATA\[)"
    r"|<(?P<end>/?)(?:[a-z][a-z0-9]{0,31}:)?(?P<name>[a-z][a-z0-9]{0,31})(?![a-z0-9:])"
    r"""(?P<attributes>(?:[^<>"']|"[^"<]*"|'[^'<]*')*+)>""",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"""(?<![\w:.-])([a-z]{1,32})\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"']+))""",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:#([0-9]{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));", re.IGNORECASE
)
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_COMMENT = "<!--"
_ENTRIES = {"entry", "track"}
_REFERENCES = {"ref", "entryref"}
# The elements that describe an entry, and the fields for their text.
_FIELDS = {
    "title": "name",
    "author": "artist",
    "creator": "artist",
    "album": "album",
    "image": "picture",
    "duration": "duration_ms",
    "location": "address",
}
_NUMBER = re.compile(r"[0-9]{1,10}")


class _Tag(NamedTuple):
    """A tag, its attributes as written, and the text that follows it."""

    name: str
    is_end: bool
    attributes: str
    text: str


def read_markup(text: str) -> Iterator[PlaylistLine]:
    """Yield the entries of an ASX or XSPF playlist in order."""
    entry = _Entry()
    base = ""
    for tag in chain(_tags(text), [_Tag("entry", True, "", "")]):
        if tag.name in _ENTRIES:
            yield from entry.lines(base)
            entry = _Entry(is_inside=not tag.is_end)
        elif tag.is_end:
            continue
        elif tag.name in _REFERENCES:
            entry.add_address(_href(tag))
            # Outside of an entry, each is an entry of its own.
            if not entry.is_inside:
                yield from entry.lines(base)
                entry = _Entry()
        elif tag.name == "base":
            base = _href(tag)
        elif entry.is_inside and (field := _FIELDS.get(tag.name)):
            entry.add(field, tag.text)


class _Entry:
    """What is known of an entry so far."""

    def __init__(self, *, is_inside: bool = False) -> None:
        self.is_inside = is_inside
        self.addresses: list[str] = []
        self._words: dict[str, str] = {}

    def add(self, field: str, text: str) -> None:
        if field == "address":
            self.add_address(text)
        else:
            self._words.setdefault(field, text)

    def add_address(self, address: str) -> None:
        if address and len(self.addresses) < MOST_ADDRESSES:
            self.addresses.append(address)

    def lines(self, base: str) -> Iterator[PlaylistLine]:
        addresses = [_joined(base, each) for each in self.addresses]
        if not addresses:
            return
        words = self._words
        duration_ms = words.get("duration_ms", "")
        is_known = _NUMBER.fullmatch(duration_ms)
        yield PlaylistLine(
            addresses[0],
            words.get("name", ""),
            str(int(duration_ms) / 1000) if is_known else "",
            words.get("artist", ""),
            words.get("album", ""),
            words.get("picture", ""),
            tuple(addresses[1:]),
        )


def _tags(text: str) -> Iterator[_Tag]:
    """Yield the tags in order; an unclosed comment is the end."""
    pending: _Tag | None = None
    words: list[str] = []
    at = 0
    while found := _MARK.search(text, at):
        words.append(_plain(text[at : found.start()]))
        at = found.end()
        if section := found["section"]:
            ending = "-->" if section == _COMMENT else "]]>"
            end = text.find(ending, at)
            if end < 0:
                break
            if section != _COMMENT:
                words.append(text[at:end])
            at = end + len(ending)
            continue
        if pending:
            yield pending._replace(text="".join(words).strip())
        words.clear()
        name, is_end = found["name"].lower(), bool(found["end"])
        pending = _Tag(name, is_end, found["attributes"], "")
    if pending:
        yield pending._replace(text="".join(words).strip())


def _href(tag: _Tag) -> str:
    for name, *values in _ATTRIBUTE.findall(tag.attributes):
        if name.lower() == "href":
            return _plain("".join(values)).strip()
    return ""


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address) if base else address
    except ValueError:
        return address


def _plain(text: str) -> str:
    return _ENTITY.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3].lower()]
    number = int(found[1]) if found[1] else int(found[2], 16)
    # A surrogate, or beyond Unicode.
    is_character = number < 0xD800 or 0xDFFF < number < 0x110000
    return chr(number) if is_character else found[0]
