"""Apple Lossless frames with uncompressed samples, which cost almost no time.

A frame is, first bit first: channel pair (3 bits: 1), instance (4), unused (12), has
size (1), shifted bytes (2), is not compressed (1: 1), the samples (16 bits each), end
tag (3: 111), zeros to the next byte. Layout: Apple's published ALAC sources.
"""

from . import l16
from .rtp import PACKET_BYTES

FRAME_BYTES = PACKET_BYTES + 4

# The bits after the samples: the end tag, and zeros.
_TAIL_BITS = 9
_HEADER = 0b001_0000_000000000000_0_00_1
# All but the samples, as one number.
_FRAME = _HEADER << PACKET_BYTES * 8 + _TAIL_BITS | 0b111 << _TAIL_BITS - 3


def encode(pcm: bytes) -> list[bytes]:
    """Encode whole packets of signed 16-bit little-endian stereo PCM.

    Raises ValueError: the last packet is incomplete.
    """
    return [
        (_FRAME | int.from_bytes(samples) << _TAIL_BITS).to_bytes(FRAME_BYTES)
        for samples in l16.encode(pcm)
    ]


SILENT_FRAME = encode(bytes(PACKET_BYTES))[0]
