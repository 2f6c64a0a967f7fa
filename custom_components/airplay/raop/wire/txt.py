"""Values of TXT records; one that cannot be parsed counts as absent."""

from collections.abc import Mapping
import re

# More than mDNS carries in one packet (RFC 6763 §6.2); nobody's record is so long.
MAX_RECORD_BYTES = 9000
_NUMBER = re.compile(r"0x[0-9a-f]{1,16}|[0-9]{1,20}", re.ASCII | re.IGNORECASE)


def look_up(txt: Mapping[str, str], key: str) -> str:
    """Return a value or an empty text; `key` is lower case, those of records any."""
    for name, value in txt.items():
        if name.lower() == key:
            return value or ""
    return ""


def parse_record(data: bytes) -> dict[str, str]:
    """Parse a record as DNS carries it: texts `key=value` after their length (RFC 6763).

    The first of equal keys wins; keys without a value have an empty one. Everything
    from a truncated text on, or beyond 9000 bytes, counts as absent.
    """
    record: dict[str, str] = {}
    data = data[:MAX_RECORD_BYTES]
    at = 0
    while at < len(data) and (end := at + 1 + data[at]) <= len(data):
        key, _, value = data[at + 1 : end].decode(errors="replace").partition("=")
        if key:
            record.setdefault(key, value)
        at = end
    return record


def lower_keys(txt: Mapping[str, str]) -> dict[str, str]:
    """Return a record with keys in lower case; the first of equal keys wins."""
    record: dict[str, str] = {}
    for name, value in txt.items():
        record.setdefault(name.lower(), value or "")
    return record


def parse_features(text: str) -> int | None:
    """Parse `0xLOW,0xHIGH`, possibly without leading zeros, or one 64-bit number."""
    match [parse_number(word) for word in text.split(",")]:
        case [int(whole)]:
            return whole & 0xFFFFFFFFFFFFFFFF
        case [int(low), int(high)]:
            return (high & 0xFFFFFFFF) << 32 | low & 0xFFFFFFFF
    return None


def parse_number(text: str) -> int | None:
    """Parse a decimal or 0x number without a sign, or return None."""
    plain = text.strip()
    if not _NUMBER.fullmatch(plain):
        return None
    return int(plain, 16 if plain[:2] in ("0x", "0X") else 10)


def parse_numbers(text: str) -> frozenset[int]:
    """Parse a list of numbers."""
    parsed = (parse_number(each) for each in text.split(","))
    return frozenset(each for each in parsed if each is not None)


def parse_words(text: str) -> frozenset[str]:
    """Parse a list of words into upper case."""
    words = (each.strip().upper() for each in text.split(","))
    return frozenset(word for word in words if word)


def parse_major(version: str) -> int:
    """Return the first number of a version, or 0."""
    return parse_number(version.partition(".")[0]) or 0
