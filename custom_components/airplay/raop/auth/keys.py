"""Keys that HomeKit pairing derives from a shared secret (HKDF-SHA-512, 32 bytes)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..errors import ReceiverProtocolError

_KEY_BYTES = 32


def derive(secret: bytes, salt: str, info: str) -> bytes:
    """Return the key for one purpose."""
    function = HKDF(hashes.SHA512(), _KEY_BYTES, salt.encode(), info.encode())
    return function.derive(secret)


def seal(key: bytes, message: str, plain: bytes) -> bytes:
    """Encrypt the content of a pairing message; `message` is for example `PV-Msg03`."""
    return ChaCha20Poly1305(key).encrypt(_nonce(message), plain, None)


def unseal(key: bytes, message: str, sealed: bytes) -> bytes:
    """Decrypt the content of a pairing message.

    Raises ReceiverProtocolError: it was sealed with another key, or is damaged.
    """
    try:
        return ChaCha20Poly1305(key).decrypt(_nonce(message), sealed, None)
    except InvalidTag as err:
        raise ReceiverProtocolError(f"{message} cannot be decrypted") from err


def _nonce(message: str) -> bytes:
    return bytes(4) + message.encode()
