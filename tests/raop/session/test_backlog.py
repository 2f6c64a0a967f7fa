"""The packets of one timeline."""

import hashlib
import random

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.airplay.raop.auth.packet_seal import PacketSeal
from custom_components.airplay.raop.commands import Channel
from custom_components.airplay.raop.session.backlog import (
    CAPACITY,
    AudioKey,
    Backlog,
    Format,
    shared,
)
from custom_components.airplay.raop.wire.codec import Codec
from custom_components.airplay.raop.wire.rtp import PACKET_BYTES
from tests.raop.vectors import octets, pattern_pcm, word

HEADER_BYTES = 12
SSRC = 0xDEADBEEF
KEY = AudioKey(octets("aes_cbc_packet", "key"), octets("aes_cbc_packet", "iv"))
FORMATS = [
    Format(),
    Format(Codec.ALAC, KEY),
    Format(Codec.L16),
    Format(Codec.L16, KEY),
    Format(channel=Channel.LEFT),
    Format(Codec.L16, KEY, Channel.MONO),
]
SILENCE = bytes(PACKET_BYTES)


def sound(packets: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(packets * PACKET_BYTES)


def header(datagram: bytes) -> tuple[int, int]:
    """Return sequence number and rtptime."""
    return int.from_bytes(datagram[2:4]), int.from_bytes(datagram[4:8])


def filled(packets: int, sequence: int = 100, frame: int = 1000) -> Backlog:
    backlog = Backlog(sequence, frame, SSRC)
    backlog.append(sound(packets))
    return backlog


def test_datagrams_are_the_known_ones() -> None:
    backlog = Backlog(0x1234, 0x10000000, SSRC)
    backlog.append(pattern_pcm() * 2)

    first, second = backlog.datagrams(Format(), 0x1234, 2)

    # The marker bit is the outlet's business: each receiver starts on its own.
    assert first[:1] + b"\xe0" + first[2:12] == octets("rtp_audio_header_first")
    assert second[:12] == octets("rtp_audio_header_next")
    alac = hashlib.sha256(first[HEADER_BYTES:]).hexdigest()
    assert alac == word("alac_pattern_352", "sha256")


def test_encrypted_datagrams_are_the_known_ones() -> None:
    backlog = Backlog(0x1234, 0x10000000, SSRC)
    backlog.append(pattern_pcm())

    (datagram,) = backlog.datagrams(Format(Codec.ALAC, KEY), 0x1234, 1)

    encrypted = hashlib.sha256(datagram[HEADER_BYTES:]).hexdigest()
    assert encrypted == word("aes_cbc_packet", "sha256")
    assert datagram[-4:] == octets("aes_cbc_packet", "plain_tail")


def test_l16_is_big_endian() -> None:
    backlog = Backlog(0, 0, SSRC)
    backlog.append(b"\x01\x02" * (PACKET_BYTES // 2))

    (datagram,) = backlog.datagrams(Format(Codec.L16), 0, 1)

    assert datagram[HEADER_BYTES:] == b"\x02\x01" * (PACKET_BYTES // 2)


@pytest.mark.parametrize("shape", FORMATS)
def test_a_format_knows_the_size_of_its_datagrams(shape: Format) -> None:
    backlog = filled(3)

    sizes = {len(each) for each in backlog.datagrams(shape, 100, 3)}

    assert sizes == {shape.datagram_bytes}


def test_receivers_of_equal_format_share_datagrams() -> None:
    backlog = filled(4)
    same_key = AudioKey(bytes(KEY.key), bytes(KEY.iv))

    plain = backlog.datagrams(Format(), 100, 4)
    sealed = backlog.datagrams(Format(Codec.ALAC, KEY), 100, 4)

    again = backlog.datagrams(Format(Codec.ALAC), 100, 4)
    sealed_again = backlog.datagrams(Format(Codec.ALAC, same_key), 102, 2)
    assert all(one is other for one, other in zip(plain, again, strict=True))
    assert all(
        one is other for one, other in zip(sealed[2:], sealed_again, strict=True)
    )
    assert not set(plain) & set(sealed)


@pytest.mark.parametrize("codec", Codec)
def test_a_channel_is_encoded_separately_and_once(codec: Codec) -> None:
    backlog = filled(4)
    left = np.frombuffer(sound(4), "<i2").reshape(-1, 2)[:, 0]
    alike = Backlog(100, 1000, SSRC)
    alike.append(np.repeat(left, 2).tobytes())

    shape = Format(codec, channel=Channel.LEFT)
    datagrams = backlog.datagrams(shape, 100, 4)

    assert datagrams == alike.datagrams(Format(codec), 100, 4)
    assert not set(datagrams) & set(backlog.datagrams(Format(codec), 100, 4))
    again = backlog.datagrams(Format(codec, None, Channel.LEFT), 100, 4)
    assert all(one is other for one, other in zip(datagrams, again, strict=True))


def test_headers_are_the_same_in_every_format() -> None:
    backlog = filled(8)

    heads = {
        tuple(datagram[:HEADER_BYTES] for datagram in backlog.datagrams(shape, 100, 8))
        for shape in FORMATS
    }

    assert len(heads) == 1


@pytest.mark.parametrize("shape", FORMATS)
def test_a_format_that_comes_late_is_filled_up(shape: Format) -> None:
    early, late = filled(50), filled(50)
    piece = [each for n in range(100, 150) for each in early.datagrams(shape, n, 1)]
    late.datagrams(Format(), 100, 50)

    assert late.datagrams(shape, 100, 50) == piece


def test_a_hole_in_a_format_is_filled_between_its_packets() -> None:
    backlog = filled(10)
    edges = backlog.datagrams(Format(), 100, 2) + backlog.datagrams(Format(), 108, 2)

    everything = backlog.datagrams(Format(), 100, 10)

    assert everything == filled(10).datagrams(Format(), 100, 10)
    assert everything[:2] + everything[-2:] == edges


def test_sequence_and_rtptime_wrap_on_the_wire_alone() -> None:
    backlog = Backlog(0xFFFE, (1 << 32) - 352, SSRC)
    backlog.append(sound(4))

    heads = [header(each) for each in backlog.datagrams(Format(), 0xFFFE, 4)]

    assert heads == [(0xFFFE, 2**32 - 352), (0xFFFF, 0), (0, 352), (1, 704)]
    assert backlog.next_sequence == 0x10002
    assert backlog.frame_of(backlog.next_sequence) == (1 << 32) + 3 * 352


@pytest.mark.parametrize("behind", [0, 1, 352, 353, 3519, 3520])
def test_the_sound_of_packets_is_kept_from_any_frame_on(behind: int) -> None:
    backlog = filled(CAPACITY + 10, frame=1000)

    kept = backlog.music_from(backlog.frame_of(backlog.next_sequence) - behind)

    assert kept == sound(CAPACITY + 10)[len(sound(CAPACITY + 10)) - behind * 4 :]


def test_packets_too_old_or_not_made_yet_are_omitted() -> None:
    backlog = filled(CAPACITY + 10)

    kept = backlog.datagrams(Format(), 0, 10_000)

    assert backlog.oldest_sequence == 110
    assert len(kept) == CAPACITY
    assert header(kept[0]) == (110, 1000 + 10 * 352)
    assert header(kept[-1]) == (100 + CAPACITY + 9, 1000 + (CAPACITY + 9) * 352)
    assert backlog.datagrams(Format(), 100, 10) == []
    assert backlog.datagrams(Format(), backlog.next_sequence, 1) == []


def test_a_packet_is_never_served_from_the_round_before() -> None:
    backlog = filled(CAPACITY)
    before = backlog.datagrams(Format(), 100, CAPACITY)

    backlog.append(sound(CAPACITY, seed=2))

    after = backlog.datagrams(Format(), 100, 2 * CAPACITY)
    assert not set(before) & set(after)
    assert header(after[0])[0] == 100 + CAPACITY


def test_packets_are_found_by_16_bits_across_the_wrap() -> None:
    backlog = Backlog(0xFFF0, 0, SSRC)
    backlog.append(sound(32))

    assert backlog.packet_for(0xFFF0) == 0xFFF0
    assert backlog.packet_for(0xFFFF) == 0xFFFF
    assert backlog.packet_for(0) == 0x10000
    assert backlog.packet_for(0x000F) == 0x1000F


@pytest.mark.parametrize("never", [0xFFEF, 0x0010, 0x0011, 0x8000])
def test_packets_before_the_first_and_after_the_last_are_not_found(never: int) -> None:
    backlog = Backlog(0xFFF0, 0, SSRC)
    backlog.append(sound(32))

    assert backlog.packet_for(never) is None


def test_only_as_many_packets_are_found_as_are_kept() -> None:
    backlog = Backlog(0xFFFF, 0, SSRC)
    backlog.append(SILENCE * (CAPACITY + 2))

    assert backlog.packet_for(0) is None
    assert backlog.packet_for(1) == 0x10001
    assert backlog.packet_for(CAPACITY & 0xFFFF) == 0xFFFF + CAPACITY + 1


def test_an_empty_backlog_finds_nothing() -> None:
    backlog = Backlog(7, 0, SSRC)

    assert backlog.packet_for(7) is None
    assert backlog.packet_for(6) is None
    assert backlog.datagrams(Format(), 7, 4) == []


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(1, 3 * CAPACITY),
    st.integers(0, 3 * CAPACITY),
)
def test_a_kept_packet_is_found_by_its_number(
    sequence: int, frame: int, packets: int, behind: int
) -> None:
    backlog = Backlog(sequence, frame, SSRC)
    backlog.append(SILENCE * packets)
    wanted = backlog.next_sequence - 1 - behind

    found = backlog.packet_for(wanted & 0xFFFF)

    if behind < min(packets, CAPACITY):
        assert found == wanted
        (datagram,) = backlog.datagrams(Format(), wanted, 1)
        rtptime = frame + (wanted - sequence) * 352
        assert header(datagram) == (wanted & 0xFFFF, rtptime & 0xFFFFFFFF)
    else:
        assert found is None


def test_a_packet_is_found_by_the_frame_from_which_on_it_is_wanted() -> None:
    backlog = Backlog(100, 1000, SSRC)

    assert backlog.sequence_from(1000) == 100
    assert backlog.sequence_from(1001) == 101
    assert backlog.sequence_from(1352) == 101
    assert backlog.sequence_from(648) == 99


SEAL = PacketSeal(bytes(range(32)))
SEALED = Format(key=SEAL, ssrc=0)
BUFFERED = Format(key=SEAL, ssrc=0xFACE, is_buffered=True)


def unsealed(header: bytes, sealed: bytes) -> bytes:
    cipher = ChaCha20Poly1305(SEAL.key)
    return cipher.decrypt(bytes(4) + sealed[-8:], sealed[:-8], header[4:12])


@pytest.mark.parametrize("shape", [SEALED, BUFFERED])
def test_sealed_packets_hold_the_same_audio_as_plain_ones(shape: Format) -> None:
    backlog = filled(3, sequence=0x7FFFFE)
    plain = [each[12:] for each in backlog.datagrams(Format(), 0x7FFFFE, 3)]

    packets = backlog.datagrams(shape, 0x7FFFFE, 3)

    assert {len(packet) for packet in packets} == {shape.datagram_bytes}
    if shape.is_buffered:
        assert [int.from_bytes(packet[:2]) for packet in packets] == [
            len(packet) for packet in packets
        ]
        packets = [packet[2:] for packet in packets]
        numbers = [int.from_bytes(packet[:4]) for packet in packets]
        assert numbers == [0x807FFFFE, 0x807FFFFF, 0x80000000]
    assert [unsealed(each[:12], each[12:]) for each in packets] == plain
    assert {packet[8:12] for packet in packets} == {(shape.ssrc or 0).to_bytes(4)}
    rtptimes = [int.from_bytes(packet[4:8]) for packet in packets]
    assert rtptimes == [1000, 1352, 1704]


def test_a_packet_that_is_made_again_is_not_sealed_alike() -> None:
    backlog = filled(4)
    first = backlog.datagrams(SEALED, 100, 4)

    backlog.take_back(102)
    backlog.append(sound(2, seed=2))
    again = backlog.datagrams(SEALED, 100, 4)

    assert again[:2] == first[:2]
    assert len({packet[-8:] for packet in first + again}) == 6


def test_music_without_a_voice_is_played_again() -> None:
    backlog = Backlog(100, 1000, SSRC)
    mixed, music = sound(2, seed=1), sound(2, seed=2)

    backlog.append(sound(1, seed=3))
    backlog.append(mixed, music)

    assert backlog.music_from(1000 + 352) == music
    (datagram,) = backlog.datagrams(Format(Codec.L16), 101, 1)
    assert datagram[HEADER_BYTES:] != SILENCE
    plain = Backlog(100, 1000, SSRC)
    plain.append(sound(1, seed=3) + mixed)
    assert datagram == plain.datagrams(Format(Codec.L16), 101, 1)[0]


def test_equal_formats_are_one_object_once_they_are_shared() -> None:
    one, other = (Format(channel=Channel.LEFT) for _ in range(2))

    assert one is not other
    assert shared(one) is shared(other)
    assert shared(one) is not shared(Format(channel=Channel.RIGHT))
