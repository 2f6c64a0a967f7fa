"""AES-128-CBC of RAOP's audio payloads: each packet is encrypted separately."""

_BLOCK_BYTES = 16


class PacketCipher:
    """Encrypts payloads with one key; each starts with the IV.

    It uses one long-lived context: XOR of the first block with the last ciphertext
    undoes the chaining. A context per packet costs several times as much.
    """

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Set the session's key and IV, 16 bytes each."""
        # Most receivers get clear audio; a start need not wait for the library.
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        self._update = Cipher(algorithms.AES128(key), modes.CBC(iv)).encryptor().update
        self._iv = self._chained = int.from_bytes(iv)

    def __call__(self, payload: bytes) -> bytes:
        """Encrypt the complete blocks; the bytes after them stay clear."""
        end = len(payload) - len(payload) % _BLOCK_BYTES
        if not end:
            return payload
        first = int.from_bytes(payload[:_BLOCK_BYTES]) ^ self._chained ^ self._iv
        encrypted = self._update(
            first.to_bytes(_BLOCK_BYTES) + payload[_BLOCK_BYTES:end]
        )
        self._chained = int.from_bytes(encrypted[-_BLOCK_BYTES:])
        return encrypted + payload[end:]
