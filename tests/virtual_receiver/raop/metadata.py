"""The song that a sender describes: DMAP text, artwork and progress."""

from dataclasses import dataclass, field

_TEXT_CODES = frozenset({"minm", "asar", "asal", "asgn", "ascp", "asaa", "asdt"})


class MetadataError(Exception):
    """The metadata is invalid for a receiver."""


@dataclass(slots=True)
class Song:
    """The content of a receiver's display."""

    text: dict[str, str | int | bytes] = field(default_factory=dict)
    """DMAP codes, `minm` for the title, to text or number."""
    text_rtptime: int | None = None
    artwork: bytes = b""
    artwork_type: str = ""
    artwork_rtptime: int | None = None
    progress: tuple[int, int, int] | None = None
    """The rtptimes of start, now and end."""

    @property
    def title(self) -> str | None:
        """Return the song's title."""
        return self._word("minm")

    @property
    def artist(self) -> str | None:
        """Return the song's artist."""
        return self._word("asar")

    @property
    def album(self) -> str | None:
        """Return the album's title."""
        return self._word("asal")

    def _word(self, code: str) -> str | None:
        value = self.text.get(code)
        return value if isinstance(value, str) else None


def parse_dmap(body: bytes) -> dict[str, str | int | bytes]:
    """Read an `mlit` container with a flat list inside."""
    if body[:4] != b"mlit" or int.from_bytes(body[4:8]) != len(body) - 8:
        raise MetadataError("not one mlit container")
    values: dict[str, str | int | bytes] = {}
    at = 8
    while at < len(body):
        code, size = body[at : at + 4], int.from_bytes(body[at + 4 : at + 8])
        value = body[at + 8 : at + 8 + size]
        at += 8 + size
        if at > len(body) or not code.isalpha():
            raise MetadataError("an item is cut off")
        values[code.decode()] = _value(code.decode(), value)
    return values


def _value(code: str, value: bytes) -> str | int | bytes:
    if code in _TEXT_CODES:
        try:
            return value.decode()
        except UnicodeDecodeError as err:
            raise MetadataError(f"{code} is not UTF-8") from err
    return int.from_bytes(value) if len(value) in (1, 2, 4, 8) else value


def parse_progress(text: str) -> tuple[int, int, int]:
    """Read `start/now/end` in rtptimes."""
    parts = text.split("/")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise MetadataError(f"progress is {text!r}")
    start, now, end = (int(part) for part in parts)
    if max(start, now, end) > 0xFFFFFFFF:
        raise MetadataError(f"progress is {text!r}")
    return start, now, end
