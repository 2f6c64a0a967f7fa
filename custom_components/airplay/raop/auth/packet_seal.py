"""ChaCha20-Poly1305 of AirPlay 2's audio packets."""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

# The size that sealing adds: tag and nonce.
SEAL_BYTES = 16 + 8
_AUTHENTICATED = slice(4, 12)


class PacketSeal:
    """Encrypts packets with one key, which all receivers of a stream may share.

    The nonce is sent with the packet and counts all encryptions, so that it is never
    used twice: neither for a packet that is made again with other audio, nor for one
    with the same number that only one receiver plays.
    """

    def __init__(self, key: bytes) -> None:
        """Set the key, 32 random bytes that have encrypted nothing else."""
        self.key = key
        self._count = 0

    @cached_property
    def _cipher(self) -> ChaCha20Poly1305:
        """The cipher, made with the first packet: most streams seal none."""
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        return ChaCha20Poly1305(self.key)

    def __call__(self, header: bytes, payload: bytes) -> bytes:
        """Return a sealed packet; RTP time and SSRC of its header are authenticated."""
        nonce = self._count.to_bytes(8, "little")
        self._count += 1
        sealed = self._cipher.encrypt(bytes(4) + nonce, payload, header[_AUTHENTICATED])
        return header + sealed + nonce
