"""The duration that a WAV header states."""

import struct

import pytest

from custom_components.airplay.raop.decoder.transfer.wav_head import stated_ms

from ...audio.media import RATE, noise, wav

WAV = wav(noise(RATE * 3 // 2))


def with_size(size: int) -> bytes:
    """Return a WAV header with another size of its data."""
    return WAV[:40] + struct.pack("<I", size) + WAV[44:]


@pytest.mark.parametrize(
    ("head", "ms"),
    [
        (WAV[:44], 1500),
        (WAV[:36] + b"LIST\x03\0\0\0abc\0" + WAV[36:44], 1500),
        (with_size(0), None),
        (with_size(0xFFFFFFFF), None),
        (with_size(0x7FFFF000), None),
        (WAV[:28] + bytes(4) + WAV[32:44], None),
        (WAV[:12] + WAV[36:44], None),
        (WAV[:43], None),
        (WAV[:12], None),
        (WAV[:36] + b"LIST\xff\xff\xff\xff" + WAV[36:], None),
        (b"RF64" + WAV[4:], None),
        (b"", None),
    ],
)
def test_a_header_states_a_duration_or_none(head: bytes, ms: int | None) -> None:
    assert stated_ms(head) == ms


def test_no_more_is_read_than_a_header_has() -> None:
    many = b"junk\0\0\0\0" * 100_000

    assert stated_ms(WAV[:36] + many + WAV[36:44]) is None
