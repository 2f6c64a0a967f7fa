"""The codecs of buffered streams, which the SSRC of each packet names."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.virtual_receiver.raop.alac import AlacError, decode_alac

_HEADER_BITS = 23
_END_TAG = 0b111


@dataclass(frozen=True, slots=True)
class Codec:
    """The codec of packets; one without `decode` is accepted and stays silent."""

    rate: int
    frames_per_packet: int
    decode: Callable[[bytes, int], bytes] | None = None


def decode_alac_24(frame: bytes, frames: int) -> bytes:
    """Decode a verbatim stereo frame of 24 bits; the lowest 8 are dropped."""
    bits, total = int.from_bytes(frame), len(frame) * 8
    sound_bits = frames * 48
    tail_bits = total - _HEADER_BITS - sound_bits
    if not 3 <= tail_bits < 11:
        raise AlacError(f"{len(frame)} bytes for {frames} frames")
    # stereo, no size, no wasted bytes, verbatim
    if bits >> total - _HEADER_BITS != 1 << 20 | 1:
        raise AlacError("not a plain verbatim element")
    if bits & (1 << tail_bits) - 1 != _END_TAG << tail_bits - 3:
        raise AlacError("no end tag")
    sound = (bits >> tail_bits & (1 << sound_bits) - 1).to_bytes(sound_bits // 8)
    pcm = bytearray(frames * 4)
    pcm[0::2], pcm[1::2] = sound[1::3], sound[0::3]
    return bytes(pcm)


# 0xFACE is shairport-sync's own name for the codec of realtime streams
CODECS = {
    0x0000FACE: Codec(44100, 352, decode_alac),
    0x15000000: Codec(48000, 352, decode_alac_24),
    0x16000000: Codec(44100, 1024),
    0x17000000: Codec(48000, 1024),
}
