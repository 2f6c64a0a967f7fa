"""OPACK, Apple's compact encoding of values: as much as pairing needs of it.

The facts are those of pyatv's documentation of the Companion protocol.
"""

from collections.abc import Mapping

_DICTIONARY = 0xE0
_MOST_ENTRIES = 14
_SHORT_TEXT = 0x40
_MOST_SHORT_BYTES = 32
_LONG_TEXT = 0x61
_MOST_LONG_BYTES = 255


def build_opack(texts: Mapping[str, str]) -> bytes:
    """Write a dictionary of at most 14 texts of at most 255 bytes.

    Raises ValueError: there are more, or one is longer.
    """
    if len(texts) > _MOST_ENTRIES:
        raise ValueError("too many entries for a short dictionary")
    parts = (_text(each) for entry in texts.items() for each in entry)
    return bytes((_DICTIONARY + len(texts),)) + b"".join(parts)


def _text(text: str) -> bytes:
    raw = text.encode()
    if len(raw) <= _MOST_SHORT_BYTES:
        return bytes((_SHORT_TEXT + len(raw),)) + raw
    if len(raw) > _MOST_LONG_BYTES:
        raise ValueError("the text is too long")
    return bytes((_LONG_TEXT, len(raw))) + raw
