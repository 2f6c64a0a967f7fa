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
from .property_list.binary import MAGIC, read_binary
from .property_list.xml_text import read_xml

_NUMBER = re.compile(r"[0-9]{1,9}")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PADDING = b" \t\r\n\0"
_UNREADABLE = (ExpatError, ValueError, struct.error)


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
    if body.startswith(MAGIC):
        return read_binary(body)
    text = body.removeprefix(_BYTE_ORDER_MARK).strip(_PADDING)
    if not text.startswith(b"<"):
        raise ValueError("neither binary nor XML")
    return read_xml(text)
