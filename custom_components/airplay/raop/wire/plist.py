"""Binary property lists, in which AirPlay receivers answer longer questions."""

import plistlib

from ..errors import ReceiverProtocolError

_UNREADABLE = (plistlib.InvalidFileException, RecursionError, TypeError, ValueError)


def parse_plist(body: bytes) -> dict[str, object]:
    """Return the dictionary of an answer; a refusal may stand in its place."""
    try:
        found = plistlib.loads(body, fmt=plistlib.FMT_BINARY)
    except _UNREADABLE as err:
        raise ReceiverProtocolError("the answer is no property list") from err
    if not isinstance(found, dict):
        raise ReceiverProtocolError("the answer is no dictionary")
    return {key: value for key, value in found.items() if isinstance(key, str)}
