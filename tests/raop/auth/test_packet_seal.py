"""Audio packets of AirPlay 2."""

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from custom_components.airplay.raop.auth.packet_seal import SEAL_BYTES, PacketSeal
from custom_components.airplay.raop.wire.rtp import buffered_header, framed
from tests.raop.vectors import number, octets

KEY = octets("ap2_audio_packet_nonce_seq_le", "shk")
HEADER = octets("ap2_audio_packet_nonce_seq_le", "header")
PAYLOAD = octets("ap2_audio_packet_nonce_seq_le", "payload")


def test_packets_are_the_known_ones() -> None:
    assert PacketSeal(KEY)(HEADER, PAYLOAD) == octets(
        "ap2_audio_packet_nonce_counter0", "packet"
    )


def test_buffered_packets_are_the_known_ones() -> None:
    seal = PacketSeal(octets("ap2_buffered_packet", "shk"))
    payload = octets("ap2_buffered_packet", "payload")
    sequence = number("ap2_buffered_packet", "seq23")
    header = buffered_header(sequence, 0x10000000, 0x16000000)
    assert header == octets("ap2_buffered_packet", "header")
    seal(header, payload)

    assert framed(seal(header, payload)) == octets("ap2_buffered_packet", "framed")


def test_the_same_packet_twice_has_two_nonces() -> None:
    seal = PacketSeal(KEY)

    sealed = [seal(HEADER, PAYLOAD) for _ in range(300)]

    nonces = [packet[-8:] for packet in sealed]
    assert nonces == [count.to_bytes(8, "little") for count in range(300)]
    assert len({packet[12:] for packet in sealed}) == 300
    for packet, nonce in zip(sealed, nonces, strict=True):
        cipher = ChaCha20Poly1305(KEY)
        body = packet[len(HEADER) : -8]
        assert cipher.decrypt(bytes(4) + nonce, body, HEADER[4:12]) == PAYLOAD
    assert len(sealed[0]) == len(HEADER) + len(PAYLOAD) + SEAL_BYTES


def test_the_marker_can_be_set_later() -> None:
    packet = bytearray(PacketSeal(KEY)(HEADER, PAYLOAD))
    packet[1] |= 0x80

    opened = ChaCha20Poly1305(KEY).decrypt(
        bytes(4) + packet[-8:], bytes(packet[12:-8]), bytes(packet[4:12])
    )

    assert opened == PAYLOAD
