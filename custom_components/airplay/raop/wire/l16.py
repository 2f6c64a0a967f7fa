"""Uncompressed payloads: 16-bit big-endian stereo (RFC 3551 §4.5.11)."""

from array import array

from .rtp import PACKET_BYTES

SILENT_FRAME = bytes(PACKET_BYTES)


def encode(pcm: bytes) -> list[bytes]:
    """Encode whole packets of signed 16-bit little-endian stereo PCM.

    Raises ValueError: the last packet is incomplete.
    """
    if len(pcm) % PACKET_BYTES:
        raise ValueError("the PCM ends with an incomplete packet")
    samples = array("H", pcm)
    samples.byteswap()
    swapped = samples.tobytes()
    return [
        swapped[at : at + PACKET_BYTES] for at in range(0, len(swapped), PACKET_BYTES)
    ]
