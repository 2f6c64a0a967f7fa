"""Decryption of audio packets."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC


def decrypt(payload: bytes, key: bytes, iv: bytes) -> bytes:
    """Decrypt the whole blocks of a payload; the last 0 to 15 bytes are clear."""
    blocks = len(payload) // 16 * 16
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    return decryptor.update(payload[:blocks]) + payload[blocks:]
