"""Items of a queue, their storage, and the types that describe a queue."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

LOCAL_PLAYLIST = "local playlist"

_NUMBERS = {"track", "duration_ms"}
_MAX_TEXT = 8192
_MAX_NUMBER = 1 << 53
_SECRET_WORD = re.compile(
    r"auth(?!or)|token|secret|passw|pwd|signature|credential|api.?key|jwt|session"
    r"|^(sig|key|pw|pass)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """Media to play, as the user requested it, never the resolved address.

    `named_by` is who named it, if the user did not: the network address of the server
    of a playlist, or `LOCAL_PLAYLIST`. `thumb_named_by` is the same for its picture.
    """

    id: str
    content_id: str = field(repr=False)
    content_type: str
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    track: int | None = None
    thumb: str | None = field(default=None, repr=False)
    duration_ms: int | None = None
    named_by: str | None = None
    thumb_named_by: str | None = None


class Repeat(StrEnum):
    """Repeat modes, with Home Assistant's values."""

    OFF = "off"
    ONE = "one"
    ALL = "all"


class Verdict(StrEnum):
    """How to proceed after an item could not be played.

    Continue with `upcoming`; end, because no item is left; or stop and notify the user,
    because too many items in a row failed.
    """

    SKIP = "skip"
    END = "end"
    GIVE_UP = "give_up"


class QueueFullError(Exception):
    """Too many items; none was added. `fits` is the number that would fit."""

    def __init__(self, fits: int) -> None:
        """Initialize with the number of items that fit."""
        super().__init__(f"the queue has room for {fits} more items")
        self.fits = fits


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """A queue's state for diagnostics, without private data."""

    length: int
    position: int
    current: str | None
    upcoming: str | None
    shuffle: bool
    repeat: Repeat
    failed: tuple[str, ...]
    has_given_up: bool


def is_public(item: QueueItem) -> bool:
    """Whether an item may be stored, because its address contains no secret."""
    return not has_secret(item.content_id)


def has_secret(address: str) -> bool:
    """Whether an address contains a login or a signature, or cannot be parsed."""
    if "?" not in address and "@" not in address:
        return False
    try:
        parts = urlsplit(address)
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        return True
    return "@" in parts.netloc or any(map(_SECRET_WORD.search, names))


def stored(item: QueueItem) -> dict[str, str | int]:
    """Return the data to store of an item, without a picture whose address is secret."""
    if item.thumb and has_secret(item.thumb):
        item = replace(item, thumb=None)
    words = {each.name: getattr(item, each.name) for each in fields(item)}
    return {name: word for name, word in words.items() if word is not None}


def _restored(kept: object) -> QueueItem:
    """Return the stored item; raise TypeError or ValueError."""
    if not isinstance(kept, dict):
        raise TypeError("an item is not an object")
    for name, each in kept.items():
        if type(each) is not (int if name in _NUMBERS else str):
            raise TypeError("a field has the wrong type")
        if len(each) > _MAX_TEXT if isinstance(each, str) else abs(each) > _MAX_NUMBER:
            raise ValueError("a field is too long")
    return QueueItem(**kept)


class StoredQueue(NamedTuple):
    """The stored data of a queue: the items, and their positions in the playing order."""

    items: list[QueueItem]
    order: list[int]
    position: int
    shuffle: bool
    repeat: Repeat


def read_queue(kept: object, most: int) -> StoredQueue:
    """Read stored data; raise one of several errors if it is invalid."""
    match kept:
        case {
            "version": 1,
            "items": list(items),
            "order": list(order),
            "position": int(position),
            "shuffle": bool(shuffle),
            "repeat": str(repeat),
        }:
            found = [_restored(each) for each in items[: most + 1]]
        case _:
            raise ValueError("not a queue")
    if not all(type(place) is int for place in order):
        raise TypeError("a position is not a number")
    in_order = list(range(len(items)))
    if sorted(order) != in_order or not (shuffle or order == in_order):
        raise ValueError("not an order of the items")
    if not 0 <= position < max(1, len(order)):
        raise ValueError("not a position in the queue")
    return StoredQueue(found, order, position, shuffle, Repeat(repeat))
