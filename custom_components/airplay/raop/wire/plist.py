"""Binary property lists, in which AirPlay 2 asks and answers."""

from collections.abc import Mapping, Sequence
import plistlib

from ..errors import ReceiverProtocolError

_UNREADABLE = (plistlib.InvalidFileException, RecursionError, TypeError, ValueError)


def parse_plist(body: bytes) -> dict[str, object]:
    """Return the dictionary of an answer; keys that are no text are left out.

    Raises ReceiverProtocolError: it is no binary property list, or no dictionary.
    """
    try:
        found = plistlib.loads(body, fmt=plistlib.FMT_BINARY)
    except _UNREADABLE as err:
        raise ReceiverProtocolError("the answer is no property list") from err
    if not isinstance(found, dict):
        raise ReceiverProtocolError("the answer is no dictionary")
    return {key: value for key, value in found.items() if isinstance(key, str)}


def build_plist(value: Mapping[str, object] | Sequence[object]) -> bytes:
    """Write a property list; whole numbers have 64 bits and a sign."""
    whole = value if isinstance(value, Mapping) else list(value)
    return plistlib.dumps(whole, fmt=plistlib.FMT_BINARY)


def signed(number: int) -> int:
    """Return 64 bits as receivers expect them in a property list, with a sign."""
    return number - (1 << 64) if number >> 63 else number
