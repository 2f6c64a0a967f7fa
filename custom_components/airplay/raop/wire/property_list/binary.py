"""Binary property lists (Apple's CFBinaryPList.c)."""

import math
import struct

from .limits import MAX_TEXT_BYTES, Budget

MAGIC = b"bplist"

_TRAILER = struct.Struct(">6xBBQQQ")
_HEADER_BYTES = 8
_SIMPLE: dict[int, object] = {0x00: None, 0x08: False, 0x09: True}
_FLOATS = {4: ">f", 8: ">d"}
# Numbers of 8 bytes and more have a sign.
_SIGNED_BYTES = 8
_MAX_NUMBER_BYTES = 16
_TEXTS = {5: ("ascii", 1), 6: ("utf-16-be", 2), 7: ("utf-8", 1)}


def read_binary(body: bytes) -> object:
    """Return the value at the top of a binary list.

    Raises ValueError, struct.error: it is not a binary list, or describes too much.
    """
    return _BinaryReader(body).read()


class _BinaryReader:
    """Reads a binary property list as a tree."""

    def __init__(self, body: bytes) -> None:
        """Find the table of values.

        Raises ValueError or struct.error: it is not a binary property list.
        """
        if len(body) < _HEADER_BYTES + _TRAILER.size:
            raise ValueError("too short")
        trailer = _TRAILER.unpack(body[-_TRAILER.size :])
        self._offset_bytes, self._ref_bytes, self._count, self._top, table = trailer
        self._end = len(body) - _TRAILER.size
        if not (0 < self._offset_bytes <= 8 and 0 < self._ref_bytes <= 8):
            raise ValueError("numbers of a strange size")
        if not _HEADER_BYTES < table <= self._end - self._count * self._offset_bytes:
            raise ValueError("a table outside of the list")
        self._table = table
        self._body = body
        self._budget = Budget()

    def read(self) -> object:
        """Return the value at the top.

        Raises ValueError: a value is malformed, or there are too many.
        """
        self._budget.count(1, 0)
        return self._value(self._top, 0)

    def _value(self, reference: int, depth: int) -> object:
        """Return one value, which has been counted."""
        if reference >= self._count:
            raise ValueError("a reference to nothing")
        at = self._table + reference * self._offset_bytes
        start = int.from_bytes(self._bytes(at, self._offset_bytes))
        mark = self._bytes(start, 1)[0]
        kind, low = mark >> 4, mark & 0xF
        if kind in (0xA, 0xB, 0xC, 0xD):
            return self._collection(kind, start, depth)
        if mark in _SIMPLE:
            return _SIMPLE[mark]
        content = self._content(kind, low, start)
        match kind:
            case 0x1:
                is_signed = len(content) >= _SIGNED_BYTES
                return int.from_bytes(content, signed=is_signed)
            case 0x2 | 0x3:
                return _float(content)
            case 0x4:
                return content
            case 0x5 | 0x6 | 0x7:
                return content.decode(_TEXTS[kind][0], errors="replace")
            case 0x8:
                return int.from_bytes(content)
        raise ValueError(f"a value of the unknown kind {mark:#04x}")

    def _content(self, kind: int, low: int, start: int) -> bytes:
        """Return the bytes of a value that has no others inside."""
        at, count = start + 1, 0
        match kind:
            case 0x1 | 0x2 | 0x3:
                count = 1 << low
                if count > _MAX_NUMBER_BYTES or (kind != 0x1 and count not in _FLOATS):
                    raise ValueError("a number of a strange size")
            case 0x4:
                at, count = self._size(start)
            case 0x5 | 0x6 | 0x7:
                at, count = self._size(start)
                count *= _TEXTS[kind][1]
                if count > MAX_TEXT_BYTES:
                    raise ValueError("too long a text")
            case 0x8:
                count = low + 1
        self._budget.count_content(count)
        return self._bytes(at, count)

    def _collection(self, kind: int, start: int, depth: int) -> object:
        at, count = self._size(start)
        is_dictionary = kind == 0xD
        total = count * (2 if is_dictionary else 1)
        self._budget.count(total, depth + 1)
        packed = self._bytes(at, total * self._ref_bytes)
        references = [
            int.from_bytes(packed[place : place + self._ref_bytes])
            for place in range(0, len(packed), self._ref_bytes)
        ]
        if not is_dictionary:
            return [self._value(each, depth + 1) for each in references]
        pairs = zip(references[:count], references[count:], strict=True)
        values = (
            (self._value(key, depth + 1), self._value(value, depth + 1))
            for key, value in pairs
        )
        return {key: value for key, value in values if isinstance(key, str)}

    def _size(self, start: int) -> tuple[int, int]:
        """Return where a value's content begins, and its number of elements."""
        low = self._bytes(start, 1)[0] & 0xF
        if low != 0xF:
            return start + 1, low
        mark = self._bytes(start + 1, 1)[0]
        width = 1 << (mark & 0xF)
        if mark >> 4 != 0x1 or width > _MAX_NUMBER_BYTES:
            raise ValueError("a length that is no number")
        return start + 2 + width, int.from_bytes(self._bytes(start + 2, width))

    def _bytes(self, at: int, count: int) -> bytes:
        if not _HEADER_BYTES <= at <= at + count <= self._end:
            raise ValueError("a value outside of the list")
        return self._body[at : at + count]


def _float(content: bytes) -> float | None:
    """Return a number; one that is not finite counts as none."""
    number = float(struct.unpack(_FLOATS[len(content)], content)[0])
    return number if math.isfinite(number) else None
