"""Encryption of audio payloads."""

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.auth.aes import PacketCipher
from custom_components.airplay.raop.wire.alac import encode
from tests.raop.vectors import octets, pattern_pcm, word

KEY = octets("aes_cbc_packet", "key")
IV = octets("aes_cbc_packet", "iv")


def by_definition(payload: bytes) -> bytes:
    """Encrypt one payload on its own context."""
    end = len(payload) // 16 * 16
    encryptor = Cipher(algorithms.AES(KEY), modes.CBC(IV)).encryptor()
    return encryptor.update(payload[:end]) + payload[end:]


def test_a_frame_becomes_the_known_bytes() -> None:
    (frame,) = encode(pattern_pcm())

    encrypted = PacketCipher(KEY, IV)(frame)

    assert encrypted.startswith(octets("aes_cbc_packet", "cipher_head"))
    assert encrypted.endswith(octets("aes_cbc_packet", "cipher_tail"))
    assert hashlib.sha256(encrypted).hexdigest() == word("aes_cbc_packet", "sha256")


def test_the_bytes_behind_whole_blocks_stay_clear() -> None:
    encrypted = PacketCipher(KEY, IV)(octets("aes_cbc_short", "plain"))

    assert encrypted == octets("aes_cbc_short", "cipher")


@given(st.lists(st.binary(max_size=100)))
def test_every_packet_starts_with_the_iv_again(payloads: list[bytes]) -> None:
    cipher = PacketCipher(KEY, IV)

    encrypted = [cipher(payload) for payload in payloads]

    assert encrypted == [by_definition(payload) for payload in payloads]


def test_less_than_a_block_stays_clear() -> None:
    assert PacketCipher(KEY, IV)(b"fifteen bytes..") == b"fifteen bytes.."


@pytest.mark.parametrize(("key", "iv"), [(bytes(15), IV), (KEY, bytes(15))])
def test_keys_of_other_lengths_are_refused(key: bytes, iv: bytes) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        PacketCipher(key, iv)
