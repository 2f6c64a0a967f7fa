"""Sound of an audio packet: verbatim ALAC frames and L16, to s16le."""

from array import array

_HEADER_BITS = 23
_END_TAG = 0b111


class AlacError(Exception):
    """The frame is not one that a decoder would play as it was meant."""


def decode_alac(frame: bytes, frames_per_packet: int = 352) -> bytes:
    """Decode one verbatim stereo frame of 16 bits, with its end tag."""
    if len(frame) < 8:
        raise AlacError("frame too short")
    bits = int.from_bytes(frame)
    total = len(frame) * 8
    header = bits >> (total - _HEADER_BITS)
    # 3 bits of element, 4 of instance, 12 unused
    if header >> 4 != 1 << 16:
        raise AlacError("not a plain stereo element")
    has_size, wasted_bytes, verbatim = header >> 3 & 1, header >> 1 & 3, header & 1
    if wasted_bytes:
        raise AlacError("uncompressed low bytes")
    if not verbatim:
        raise AlacError("compressed frame")
    count, head_bits = frames_per_packet, _HEADER_BITS
    if has_size:
        head_bits += 32
        count = bits >> (total - head_bits) & 0xFFFFFFFF
        if not 0 < count <= frames_per_packet:
            raise AlacError(f"frame count {count}")
    sound_bits = count * 32
    tail_bits = total - head_bits - sound_bits
    if not 3 <= tail_bits < 11:
        raise AlacError(f"{len(frame)} bytes for {count} frames")
    tail = bits & (1 << tail_bits) - 1
    if tail != _END_TAG << tail_bits - 3:
        raise AlacError(f"end tag and padding are {tail:0{tail_bits}b}")
    sound = bits >> tail_bits & (1 << sound_bits) - 1
    return swap(sound.to_bytes(sound_bits // 8))


def decode_l16(payload: bytes) -> bytes:
    """Decode big-endian stereo samples of 16 bits."""
    if not payload or len(payload) % 4:
        raise AlacError(f"{len(payload)} bytes are no stereo frames")
    return swap(payload)


def swap(sound: bytes) -> bytes:
    """Turn big-endian samples of 16 bits into little-endian ones."""
    samples = array("h", sound)
    samples.byteswap()
    return samples.tobytes()
