"""Type, length, value: the messages of HomeKit pairing."""

from collections.abc import Iterator


def pack(*items: tuple[int, bytes]) -> bytes:
    """Write items, values of more than 255 bytes as several of the same type."""
    return b"".join(_pack(kind, value) for kind, value in items)


def _pack(kind: int, value: bytes) -> bytes:
    head, rest = value[:255], value[255:]
    packed = bytes([kind, len(head)]) + head
    return packed + _pack(kind, rest) if rest else packed


def unpack(message: bytes) -> dict[int, bytes]:
    """Read items; ValueError for invalid ones."""
    items: dict[int, bytes] = {}
    for kind, value in _split(message):
        items[kind] = items.get(kind, b"") + value
    return items


def _split(message: bytes) -> Iterator[tuple[int, bytes]]:
    rest = memoryview(message)
    while rest:
        if len(rest) < 2 or len(rest) < 2 + rest[1]:
            raise ValueError("cut off")
        yield rest[0], bytes(rest[2 : 2 + rest[1]])
        rest = rest[2 + rest[1] :]
