"""TLV8, the format of HomeKit pairing messages.

Type, length, value of up to 255 bytes; a longer value continues in the next item of
the same type (HomeKit Accessory Protocol §14.1, as AirPlay receivers use it).
"""

from collections.abc import Mapping
from enum import IntEnum

from ..errors import ReceiverProtocolError

_MAX_VALUE_BYTES = 255
# The longest message known has a key of 384 bytes and a few short items.
MAX_MESSAGE_BYTES = 16 * 1024


class Tag(IntEnum):
    """The type of an item."""

    METHOD = 0x00
    IDENTIFIER = 0x01
    SALT = 0x02
    PUBLIC_KEY = 0x03
    PROOF = 0x04
    ENCRYPTED_DATA = 0x05
    STATE = 0x06
    ERROR = 0x07
    RETRY_DELAY = 0x08
    SIGNATURE = 0x0A
    NAME = 0x11
    FLAGS = 0x13


def encode(items: Mapping[Tag, bytes]) -> bytes:
    """Write items in the given order."""
    return b"".join(_encode_item(tag, value) for tag, value in items.items())


def decode(data: bytes) -> dict[int, bytes]:
    """Parse items; keep those of unknown types, and join the parts of a value.

    Raises ReceiverProtocolError: an item is truncated, or the message is too long.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise ReceiverProtocolError("a pairing message is too long")
    items: dict[int, bytearray] = {}
    at = 0
    while at < len(data):
        if len(data) < at + 2 or len(data) < at + 2 + data[at + 1]:
            raise ReceiverProtocolError("a pairing message is truncated")
        tag, end = data[at], at + 2 + data[at + 1]
        items.setdefault(tag, bytearray()).extend(data[at + 2 : end])
        at = end
    return {tag: bytes(value) for tag, value in items.items()}


def _encode_item(tag: Tag, value: bytes) -> bytes:
    starts = range(0, len(value), _MAX_VALUE_BYTES) or (0,)
    parts = (value[at : at + _MAX_VALUE_BYTES] for at in starts)
    return b"".join(bytes((tag, len(part))) + part for part in parts)
