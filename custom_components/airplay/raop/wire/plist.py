"""Binary property lists, the bodies of AirPlay 2 requests and answers."""

from collections.abc import Mapping, Sequence
import plistlib

from ..errors import ReceiverProtocolError

_UNREADABLE = (plistlib.InvalidFileException, RecursionError, TypeError, ValueError)


def parse_plist(body: bytes) -> dict[str, object]:
    """Return the dictionary of an answer; keys that are not text are omitted.

    Raises ReceiverProtocolError: it is not a binary property list, or not a dictionary.
    """
    try:
        found = plistlib.loads(body, fmt=plistlib.FMT_BINARY)
    except _UNREADABLE as err:
        raise ReceiverProtocolError("the answer is not a property list") from err
    if not isinstance(found, dict):
        raise ReceiverProtocolError("the answer is not a dictionary")
    return {key: value for key, value in found.items() if isinstance(key, str)}


def build_plist(value: Mapping[str, object] | Sequence[object]) -> bytes:
    """Write a property list; integers are signed 64-bit numbers."""
    whole = value if isinstance(value, Mapping) else list(value)
    return plistlib.dumps(whole, fmt=plistlib.FMT_BINARY)


def signed(number: int) -> int:
    """Return 64 bits as the signed number that receivers expect in a property list."""
    return number - (1 << 64) if number >> 63 else number
