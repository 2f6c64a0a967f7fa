"""The units of streams that need no container around them: how long each one is.

Ogg pages (RFC 3533 §6), frames of MPEG audio (ISO/IEC 11172-3 §2.4.2.3 and 13818-3
§2.4.2.3), and frames of AAC in ADTS (ISO/IEC 14496-3 §1.A.3.2).
"""

from enum import Enum, auto

MORE = -1
NONE = 0

_PAGE = b"OggS\0"
_PAGE_HEADER_BYTES = 27
_PAGE_FLAGS = 5
_PAGE_SERIAL = slice(14, 18)
_PAGE_SEGMENTS = 26
_FIRST_PAGE = 0x02

_ADTS_HEADER_BYTES = 7
_ADTS_RATES = 13

_MPEG_HEADER_BYTES = 4
_RATES_HZ = (44100, 48000, 32000)
# By the bits of the version: MPEG-2.5, reserved, MPEG-2, MPEG-1.
_RATE_DIVISORS = (4, 0, 2, 1)
_KBITS_1 = {
    1: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBITS_2 = {
    1: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


class Framing(Enum):
    """How a stream is divided; FLAC cannot be walked through, its beginning is marked."""

    OGG = auto()
    MPEG = auto()
    ADTS = auto()
    FLAC = auto()


def unit_bytes(framing: Framing, octets: bytes, at: int) -> int:
    """Return the length of the unit at a position; MORE bytes decide it, or it is NONE.

    There is at least one byte at the position.
    """
    match framing:
        case Framing.OGG:
            return _page_bytes(octets, at)
        case Framing.MPEG:
            return _mpeg_bytes(octets, at)
        case Framing.ADTS:
            return _adts_bytes(octets, at)
        case Framing.FLAC:
            return NONE


def are_alike(framing: Framing, octets: bytes, at: int, other: int) -> bool:
    """Whether two units may follow each other in one stream."""
    if framing is Framing.MPEG:
        # Version, layer, and sample rate.
        return not (octets[at + 1] ^ octets[other + 1]) & 0xFE and not (
            (octets[at + 2] ^ octets[other + 2]) & 0x0C
        )
    # Version, profile, and sample rate.
    return framing is not Framing.ADTS or not (
        (octets[at + 1] ^ octets[other + 1]) & 0xFE
        or (octets[at + 2] ^ octets[other + 2]) & 0xFC
    )


def is_first_page(octets: bytes, at: int) -> bool:
    """Whether the page of Ogg at a position begins a stream."""
    return bool(octets[at + _PAGE_FLAGS] & _FIRST_PAGE)


def serial_of(octets: bytes, at: int) -> bytes:
    """Return the serial number of the stream that the page of Ogg belongs to."""
    return octets[at + _PAGE_SERIAL.start : at + _PAGE_SERIAL.stop]


def _page_bytes(octets: bytes, at: int) -> int:
    header = octets[at : at + _PAGE_HEADER_BYTES]
    if not header.startswith(_PAGE[: len(header)]):
        return NONE
    if len(header) < _PAGE_HEADER_BYTES:
        return MORE
    body_at = at + _PAGE_HEADER_BYTES + header[_PAGE_SEGMENTS]
    if len(octets) < body_at:
        return MORE
    return body_at - at + sum(octets[at + _PAGE_HEADER_BYTES : body_at])


def _mpeg_bytes(octets: bytes, at: int) -> int:
    header = octets[at : at + _MPEG_HEADER_BYTES]
    if header[0] != 0xFF:
        return NONE
    if len(header) < _MPEG_HEADER_BYTES:
        return MORE
    divisor = _RATE_DIVISORS[header[1] >> 3 & 3]
    layer = 4 - (header[1] >> 1 & 3)
    bit_rate, rate = header[2] >> 4, header[2] >> 2 & 3
    is_frame = header[1] >= 0xE0 and divisor and layer < 4 and 0 < bit_rate < 15
    if not is_frame or rate == 3:
        return NONE
    kbits = (_KBITS_1 if divisor == 1 else _KBITS_2)[layer][bit_rate - 1]
    rate_hz, padding = _RATES_HZ[rate] // divisor, header[2] >> 1 & 1
    if layer == 1:
        return (12_000 * kbits // rate_hz + padding) * 4
    factor = 72_000 if layer == 3 and divisor > 1 else 144_000
    return factor * kbits // rate_hz + padding


def _adts_bytes(octets: bytes, at: int) -> int:
    header = octets[at : at + _ADTS_HEADER_BYTES]
    if header[0] != 0xFF:
        return NONE
    if len(header) < _ADTS_HEADER_BYTES:
        return MORE
    if header[1] & 0xF6 != 0xF0 or (header[2] >> 2 & 15) >= _ADTS_RATES:
        return NONE
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return size if size >= _ADTS_HEADER_BYTES else NONE
