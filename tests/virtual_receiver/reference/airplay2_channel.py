"""The sender's side of an encrypted connection, for tests."""

import asyncio
import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from .airplay2_pairing import stretch


class Secret:
    """One side of an encrypted connection."""

    def __init__(self, secret: bytes, salt: str, write: str, read: str) -> None:
        """Derive both keys from their names."""
        self._write = ChaCha20Poly1305(stretch(secret, salt, write))
        self._read = ChaCha20Poly1305(stretch(secret, salt, read))
        self._sent = self._got = 0

    def seal(self, plain: bytes) -> bytes:
        """Return frames of up to 1024 bytes."""
        sealed = b""
        for at in range(0, len(plain), 1024):
            piece = plain[at : at + 1024]
            size = struct.pack("<H", len(piece))
            nonce = struct.pack("<4xQ", self._sent)
            sealed += size + self._write.encrypt(nonce, piece, size)
            self._sent += 1
        return sealed

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """Read one frame."""
        size = await reader.readexactly(2)
        sealed = await reader.readexactly(int.from_bytes(size, "little") + 16)
        nonce = struct.pack("<4xQ", self._got)
        self._got += 1
        return self._read.decrypt(nonce, sealed, size)
