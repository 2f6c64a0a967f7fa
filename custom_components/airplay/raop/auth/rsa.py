"""The AirPort's RSA key: encrypts the stream's AES key, identifies receivers.

Every sender since 2004 contains this public key.
"""

import base64
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_MODULUS = int(
    "e7d744f2a2e2788b6c1f55a08eb70544a8fa7945aa8be6c62ce5f51cbdd4dc68"
    "42fe3d1083dd2edec1bfd4252dc02e6f398bdf0e6148ea84855e2e442da6d626"
    "64f674a1f304929ade4f6893ef2df6e711a8c77a0d91c9d980822e50d12922af"
    "ea40ea9f0e14c0f76938c5f3882fc0323dd9fe55155f51bb5921c201629fd733"
    "52d5e2efaabf9ba048d7b813a2b6767f6c3ccf1eb4ce673d037b0d2ea30c5fff"
    "eb06f8d08adde409571a9c689fef10728855dd8cfb9a8bef5c8943ef3b5faa15"
    "dde698beddf3599603eb3e6f61372bb628f6559f599a78bf500687aa7f4976c0"
    "562d412956f8989e18a6355bd81597825e0fc875343ec782117625cdbf98447b",
    16,
)
_EXPONENT = 65537
_KEY_BYTES = 256
_LEAST_MESSAGE_BYTES = 32
_V4_BYTES = 4
_V6_BYTES = 16
_ID_BYTES = 6


def encode_unpadded(data: bytes) -> str:
    """Return Base64 without the `=` at its end, as RAOP requires."""
    return base64.b64encode(data).decode().rstrip("=")


def encrypt_key(key: bytes) -> str:
    """Encrypt an AES key for the session description."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    # Receivers support no other hash.
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303
    return encode_unpadded(_public_key().encrypt(key, oaep))


def is_answer_to(
    response: str, challenge: bytes, address: bytes, receiver_id: bytes
) -> bool:
    """Return whether an Apple-Response is signed with the AirPort's private key.

    The receiver signs our challenge, its address on this connection, and its id, with
    zeros up to 32 bytes. False is no fault: behind NAT the address differs, and newer
    receivers sign with other keys.
    """
    message = (challenge + address + receiver_id).ljust(_LEAST_MESSAGE_BYTES, b"\0")
    return _signed_message(response) == message


def signed_id(response: str, challenge: bytes) -> bytes | None:
    """Return the id in an Apple-Response to our challenge, or None if it is no answer.

    The id comes after an address of 4 or 16 bytes, whatever the address is.
    """
    message = _signed_message(response)
    if message is None or not message.startswith(challenge):
        return None
    is_short = len(message) == _LEAST_MESSAGE_BYTES
    begin = len(challenge) + (_V4_BYTES if is_short else _V6_BYTES)
    found = message[begin : begin + _ID_BYTES]
    return found if len(found) == _ID_BYTES else None


@cache
def _public_key() -> RSAPublicKey:
    """Return the key, made when it is needed: most receivers get clear audio."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.RSAPublicNumbers(_EXPONENT, _MODULUS).public_key()


def _signed_message(response: str) -> bytes | None:
    """Return what was signed with the AirPort's private key, or None."""
    try:
        signature = base64.b64decode(
            response + "=" * (-len(response) % 4), validate=True
        )
    except ValueError:
        return None
    if len(signature) != _KEY_BYTES:
        return None
    signed = pow(int.from_bytes(signature), _EXPONENT, _MODULUS).to_bytes(_KEY_BYTES)
    filler, _, message = signed.removeprefix(b"\0\1").partition(b"\0")
    is_padded = len(filler) + len(message) == _KEY_BYTES - 3
    return message if is_padded and not filler.strip(b"\xff") else None
