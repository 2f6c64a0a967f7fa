"""Property lists, the bodies of AirPlay 2 requests and answers.

Receivers send binary lists, a few send XML. Both are read within limits: a list of a
few bytes may describe more values than fit into memory, by naming one value many times.
Format: Apple's CFBinaryPList.c, and the DTD of PropertyList-1.0.
"""

from collections.abc import Mapping, Sequence
import plistlib
import re
import struct
from xml.parsers.expat import ExpatError

from ..errors import ReceiverProtocolError

# The largest `/info` known has about 300 values, four deep.
MAX_VALUES = 20_000
MAX_DEPTH = 32
# Of all texts and bytes together, each counted as often as it is named.
MAX_CONTENT_BYTES = 4 * 1024 * 1024

_NUMBER = re.compile(r"[0-9]{1,9}")
_MAGIC = b"bplist"
_TRAILER = struct.Struct(">6xBBQQQ")
_HEADER_BYTES = 8
_SIMPLE: dict[int, object] = {0x00: None, 0x08: False, 0x09: True}
_FLOATS = {4: ">f", 8: ">d"}
# Numbers of 8 bytes and more have a sign.
_SIGNED_BYTES = 8
_MAX_NUMBER_BYTES = 16
_TEXTS = {5: ("ascii", 1), 6: ("utf-16-be", 2), 7: ("utf-8", 1)}
_FORBIDDEN_XML = b"<!ENTITY"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PADDING = b" \t\r\n\0"
_UNREADABLE = (
    # plistlib's for a date that is none.
    AttributeError,
    ExpatError,
    IndexError,
    OverflowError,
    TypeError,
    ValueError,
    plistlib.InvalidFileException,
    struct.error,
)


def parse_plist(body: bytes) -> dict[str, object]:
    """Return the dictionary of an answer; keys that are not text are omitted.

    Raises ReceiverProtocolError: it is not a property list, describes too much, or is
    not a dictionary; the text has its first bytes.
    """
    try:
        found = _parse(body)
    except _UNREADABLE as err:
        text = f"the answer is not a property list: {body[:40]!r} ({err})"
        raise ReceiverProtocolError(text) from err
    if not isinstance(found, dict):
        text = f"the answer is not a dictionary: {type(found).__name__}"
        raise ReceiverProtocolError(text)
    return found


def build_plist(value: Mapping[str, object] | Sequence[object]) -> bytes:
    """Write a property list; integers are signed 64-bit numbers."""
    whole = value if isinstance(value, Mapping) else list(value)
    return plistlib.dumps(whole, fmt=plistlib.FMT_BINARY)


def signed(number: int) -> int:
    """Return 64 bits as the signed number that receivers expect in a property list."""
    return number - (1 << 64) if number >> 63 else number


def number_of(found: object) -> int | None:
    """Return a number, which some receivers send as text, or None."""
    if isinstance(found, str) and _NUMBER.fullmatch(found.strip()):
        return int(found)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    return None


def port_of(answer: Mapping[str, object], key: str) -> int | None:
    """Return a port of a dictionary, or None if it is absent or 0.

    Raises ReceiverProtocolError: the value is not a port.
    """
    found = answer.get(key)
    if found is None:
        return None
    port = number_of(found)
    if port is None or not 0 <= port <= 0xFFFF:
        raise ReceiverProtocolError(f"{key} is not a port: {found!r:.40}")
    return port or None


def _parse(body: bytes) -> object:
    if body.startswith(_MAGIC):
        return _BinaryReader(body).read()
    text = body.removeprefix(_BYTE_ORDER_MARK).strip(_PADDING)
    if not text.startswith(b"<"):
        raise ValueError("neither binary nor XML")
    if _FORBIDDEN_XML in text:
        raise ValueError("XML with entities")
    return _Budget().checked(plistlib.loads(text, fmt=plistlib.FMT_XML))


class _Budget:
    """What one property list may still describe."""

    def __init__(self) -> None:
        self._values = MAX_VALUES
        self._content_bytes = MAX_CONTENT_BYTES

    def count(self, depth: int, content_bytes: int = 0) -> None:
        """Count one value.

        Raises ValueError: it is too much.
        """
        self._values -= 1
        self._content_bytes -= content_bytes
        if depth > MAX_DEPTH:
            raise ValueError("too deep")
        if self._values < 0 or self._content_bytes < 0:
            raise ValueError("too many values")

    def checked(self, value: object, depth: int = 0) -> object:
        """Return a value, if it is not too much."""
        self.count(depth)
        if isinstance(value, list | dict):
            for each in value.values() if isinstance(value, dict) else value:
                self.checked(each, depth + 1)
        return value


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
        self._budget = _Budget()

    def read(self) -> object:
        """Return the value at the top.

        Raises ValueError: a value is malformed, or there are too many.
        """
        return self._value(self._top, 0)

    def _value(self, reference: int, depth: int) -> object:
        if reference >= self._count:
            raise ValueError("a reference to nothing")
        at = self._table + reference * self._offset_bytes
        start = int.from_bytes(self._bytes(at, self._offset_bytes))
        mark = self._bytes(start, 1)[0]
        kind, low = mark >> 4, mark & 0xF
        if kind in (0xA, 0xB, 0xC, 0xD):
            return self._collection(kind, start, depth)
        content = self._content(kind, low, start)
        self._budget.count(depth, len(content))
        if mark in _SIMPLE:
            return _SIMPLE[mark]
        match kind:
            case 0x1:
                is_signed = len(content) >= _SIGNED_BYTES
                return int.from_bytes(content, signed=is_signed)
            case 0x2 | 0x3:
                return float(struct.unpack(_FLOATS[len(content)], content)[0])
            case 0x4:
                return content
            case 0x5 | 0x6 | 0x7:
                return content.decode(_TEXTS[kind][0], errors="replace")
            case 0x8:
                return int.from_bytes(content)
        raise ValueError(f"a value of the unknown kind {mark:#04x}")

    def _content(self, kind: int, low: int, start: int) -> bytes:
        """Return the bytes of a value that has no others inside."""
        match kind:
            case 0x1 | 0x2 | 0x3:
                size = 1 << low
                if size > _MAX_NUMBER_BYTES or (kind != 0x1 and size not in _FLOATS):
                    raise ValueError("a number of a strange size")
                return self._bytes(start + 1, size)
            case 0x4:
                at, count = self._size(start)
                return self._bytes(at, count)
            case 0x5 | 0x6 | 0x7:
                at, count = self._size(start)
                return self._bytes(at, count * _TEXTS[kind][1])
            case 0x8:
                return self._bytes(start + 1, low + 1)
        return b""

    def _collection(self, kind: int, start: int, depth: int) -> object:
        self._budget.count(depth)
        at, count = self._size(start)
        is_dictionary = kind == 0xD
        total = count * (2 if is_dictionary else 1)
        if total > MAX_VALUES:
            raise ValueError("too many values")
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
