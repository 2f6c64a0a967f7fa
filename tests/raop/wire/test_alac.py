"""Verbatim ALAC frames, checked against vectors, the definition and FFmpeg."""

import hashlib
import struct

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.airplay.raop.wire.alac import FRAME_BYTES, SILENT_FRAME, encode
from custom_components.airplay.raop.wire.rtp import PACKET_BYTES
from tests.raop.vectors import octets, pattern_pcm, word

PACKETS = st.integers(0, 4).flatmap(
    lambda count: st.randoms(use_true_random=False).map(
        lambda random: random.randbytes(count * PACKET_BYTES)
    )
)


def by_definition(pcm: bytes) -> bytes:
    """Write one frame bit by bit."""
    bits = f"{1:03b}{0:04b}{0:012b}{0:01b}{0:02b}{1:01b}"
    bits += "".join(f"{sample:016b}" for (sample,) in struct.iter_unpack("<H", pcm))
    bits += "111"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def test_silent_frame_is_the_known_one() -> None:
    assert len(SILENT_FRAME) == FRAME_BYTES == 1412
    assert hashlib.sha256(SILENT_FRAME).hexdigest() == word(
        "alac_silence_352", "sha256"
    )


def test_pattern_becomes_the_known_frame() -> None:
    (frame,) = encode(pattern_pcm())

    assert frame.startswith(octets("alac_pattern_352", "head"))
    assert hashlib.sha256(frame).hexdigest() == word("alac_pattern_352", "sha256")


@given(PACKETS)
def test_batches_are_encoded_by_the_definition(pcm: bytes) -> None:
    frames = encode(pcm)

    assert frames == [
        by_definition(pcm[at : at + PACKET_BYTES])
        for at in range(0, len(pcm), PACKET_BYTES)
    ]


@pytest.mark.parametrize("size", [1, PACKET_BYTES - 1, PACKET_BYTES + 4])
def test_parts_of_packets_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="incomplete packet"):
        encode(bytes(size))


@pytest.mark.parametrize(
    "pcm",
    [
        pytest.param(pattern_pcm(), id="pattern"),
        pytest.param(bytes(PACKET_BYTES), id="silence"),
        pytest.param(b"\x00\x80\xff\x7f" * 352, id="extremes"),
        pytest.param(np.random.default_rng(1).bytes(PACKET_BYTES), id="white noise"),
    ],
)
def test_ffmpeg_decodes_the_very_samples(pcm: bytes) -> None:
    av = pytest.importorskip("av")
    decoder = av.CodecContext.create("alac", "r")
    decoder.extradata = struct.pack(
        ">I4sIIBBBBBBHIII", 36, b"alac", 0, 352, 0, 16, 40, 10, 14, 2, 255, 0, 0, 44100
    )
    (frame,) = encode(pcm)

    (decoded,) = decoder.decode(av.Packet(frame))

    assert decoded.to_ndarray().T.astype("<i2").tobytes() == pcm
