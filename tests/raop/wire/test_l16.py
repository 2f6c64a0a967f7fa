"""Uncompressed payloads."""

from random import Random

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.wire import l16
from custom_components.airplay.raop.wire.rtp import PACKET_BYTES


def test_samples_become_big_endian() -> None:
    (payload,) = l16.encode(b"\x01\x02\x03\x04" * 352)

    assert payload == b"\x02\x01\x04\x03" * 352


def test_silence_stays_silence() -> None:
    assert l16.encode(bytes(PACKET_BYTES)) == [l16.SILENT_FRAME]


def test_no_sound_is_no_packet() -> None:
    assert l16.encode(b"") == []


def test_parts_of_packets_are_refused() -> None:
    with pytest.raises(ValueError, match="incomplete packet"):
        l16.encode(bytes(PACKET_BYTES + 4))


@given(st.integers(1, 4), st.randoms(use_true_random=False))
def test_swapping_twice_gives_the_sound_back(count: int, random: Random) -> None:
    pcm = random.randbytes(count * PACKET_BYTES)

    payloads = l16.encode(pcm)

    assert [len(each) for each in payloads] == [PACKET_BYTES] * count
    assert b"".join(l16.encode(b"".join(payloads))) == pcm
