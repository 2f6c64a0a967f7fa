"""DMAP, the tagged format of iTunes' metadata: code (4), length (u32), payload."""

import struct

from ..errors import ReceiverProtocolError

MAX_ITEMS = 4096

_HEADER = struct.Struct(">4sI")
_SONG = 2


def tag(code: str, payload: bytes) -> bytes:
    """Prefix a payload with a code of four letters and its length.

    Raises ValueError: the code does not have four letters.
    """
    name = code.encode("ascii")
    if len(name) != 4:
        raise ValueError(f"a DMAP code must have four letters: {code!r}")
    return _HEADER.pack(name, len(payload)) + payload


def text(code: str, value: str) -> bytes:
    """Write a text; a character that UTF-8 cannot encode becomes a question mark."""
    return tag(code, value.encode(errors="replace"))


def byte(code: str, value: int) -> bytes:
    """Write a number of 8 bits."""
    return _number(code, value, 1)


def u16(code: str, value: int) -> bytes:
    """Write a number of 16 bits."""
    return _number(code, value, 2)


def u32(code: str, value: int) -> bytes:
    """Write a number of 32 bits."""
    return _number(code, value, 4)


def container(code: str, *items: bytes) -> bytes:
    """Wrap tagged items in one item."""
    return tag(code, b"".join(items))


def now_playing(
    title: str | None,
    artist: str | None,
    album: str | None,
    *,
    album_artist: str | None = None,
    track: int | None = None,
    duration_ms: int | None = None,
) -> bytes:
    """Write the tags of a song for SET_PARAMETER; absent tags are omitted.

    The list is flat: shairport-sync reads it without looking into containers. Numbers
    come from tags in files: one that does not fit counts as absent.
    """
    words = {
        "minm": title,
        "asar": artist,
        "asal": album,
        "asaa": album_artist,
    }
    items = [text(code, value) for code, value in words.items() if value is not None]
    if track is not None and 0 <= track <= 0xFFFF:
        items.append(u16("astn", track))
    if duration_ms is not None and 0 <= duration_ms <= 0xFFFFFFFF:
        items.append(u32("astm", duration_ms))
    return container("mlit", byte("mikd", _SONG), *items)


def parse(data: bytes) -> list[tuple[str, bytes]]:
    """Split a list of items into codes and payloads; containers stay whole.

    Raises ReceiverProtocolError: an item is truncated or malformed, or there are too
    many.
    """
    items: list[tuple[str, bytes]] = []
    at = 0
    while at < len(data):
        code, payload, at = _item(data, at)
        if len(items) == MAX_ITEMS:
            raise ReceiverProtocolError("too many DMAP items")
        items.append((code, payload))
    return items


def _item(data: bytes, at: int) -> tuple[str, bytes, int]:
    try:
        name, length = _HEADER.unpack_from(data, at)
        code = name.decode("ascii")
    except (struct.error, UnicodeDecodeError) as err:
        raise ReceiverProtocolError("not a DMAP item") from err
    start = at + _HEADER.size
    end = start + length
    if end > len(data):
        raise ReceiverProtocolError(f"DMAP item {code!r} is truncated")
    return code, data[start:end], end


def _number(code: str, value: int, size: int) -> bytes:
    return tag(code, value.to_bytes(size, "big"))
