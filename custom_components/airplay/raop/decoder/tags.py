"""Tags and covers of containers, converted to this package's types."""

from collections.abc import Mapping
import re

from ..audio.events import Cover
from ..media import MAX_PICTURE_BYTES, Tags, picture_type

# The cover must fit one line to the owner of the process.
MAX_COVER_BYTES = MAX_PICTURE_BYTES
_MAX_TEXT = 1000
# Cleaning shortens a text; nobody reads what is left of a longer one.
_MAX_RAW_TEXT = 8 * _MAX_TEXT
_TRACK = re.compile(r"\s*(\d{1,6})")


def tags_from(*dictionaries: Mapping[str, str]) -> Tags:
    """Parse tags of any spelling; the first value in the dictionaries wins."""
    words: dict[str, str] = {}
    for dictionary in dictionaries:
        for key, value in dictionary.items():
            if text := _clean(value):
                words.setdefault(_key(key), text)
    return Tags(
        title=words.get("title"),
        artist=words.get("artist"),
        album=words.get("album"),
        album_artist=words.get("albumartist"),
        track=_track(words.get("track") or words.get("tracknumber")),
    )


def tags_from_title(title: str) -> Tags:
    """Parse a radio's title, which most stations write as artist - title."""
    title = _clean(title)
    artist, dash, song = title.partition(" - ")
    if dash and artist.strip() and song.strip():
        return Tags(title=song.strip(), artist=artist.strip())
    return Tags(title=title or None)


def cover_from(picture: bytes) -> Cover | None:
    """Return the cover for a picture of a known kind that is not too big."""
    if not picture or len(picture) > MAX_COVER_BYTES:
        return None
    content_type = picture_type(picture)
    return Cover(picture, content_type) if content_type else None


def _key(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())


def _clean(text: str) -> str:
    # NUL separates several values of one ID3 frame.
    text = text[:_MAX_RAW_TEXT].replace("\0", "; ")
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_MAX_TEXT]


def _track(text: str | None) -> int | None:
    match = _TRACK.match(text or "")
    return int(match[1]) if match else None
