"""The encrypted control connection after HomeKit pairing.

Frames of up to 1024 bytes: length (2 bytes, little-endian), ciphertext, tag of 16
bytes; the length is authenticated too. Each direction has its own key and its own
counter, which never repeats (HomeKit Accessory Protocol §6.5.2).
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ..errors import ReceiverProtocolError
from .keys import derive

MAX_FRAME_BYTES = 1024
_LENGTH_BYTES = 2
_TAG_BYTES = 16


@dataclass(frozen=True, slots=True, repr=False)
class ChannelKeys:
    """Both keys of a connection, seen from the sender."""

    write: bytes
    read: bytes

    @classmethod
    def control(cls, secret: bytes) -> ChannelKeys:
        """Derive the control connection's keys from the secret of the pairing."""
        return cls(
            write=derive(secret, "Control-Salt", "Control-Write-Encryption-Key"),
            read=derive(secret, "Control-Salt", "Control-Read-Encryption-Key"),
        )

    @classmethod
    def events(cls, secret: bytes) -> ChannelKeys:
        """Derive the event channel's keys; there the receiver sends the requests."""
        return cls(
            write=derive(secret, "Events-Salt", "Events-Read-Encryption-Key"),
            read=derive(secret, "Events-Salt", "Events-Write-Encryption-Key"),
        )


class EncryptedChannel:
    """Encrypts sent bytes and decrypts received ones."""

    def __init__(self, keys: ChannelKeys) -> None:
        """Start with the first frame of both directions."""
        self._writer = ChaCha20Poly1305(keys.write)
        self._reader = ChaCha20Poly1305(keys.read)
        self._written = 0
        self._read = 0
        self._buffer = bytearray()

    def encrypt(self, plain: bytes) -> bytes:
        """Return bytes as encrypted frames."""
        frames = []
        for at in range(0, len(plain), MAX_FRAME_BYTES):
            part = plain[at : at + MAX_FRAME_BYTES]
            length = len(part).to_bytes(_LENGTH_BYTES, "little")
            frames.append(
                length + self._writer.encrypt(_nonce(self._written), part, length)
            )
            self._written += 1
        return b"".join(frames)

    def feed(self, received: bytes) -> bytes:
        """Add received bytes and return the complete frames, decrypted.

        Raises ReceiverProtocolError: a frame is too long, or was not encrypted with our
        key.
        """
        self._buffer += received
        plain = bytearray()
        while len(self._buffer) >= _LENGTH_BYTES:
            length = bytes(self._buffer[:_LENGTH_BYTES])
            end = _LENGTH_BYTES + int.from_bytes(length, "little") + _TAG_BYTES
            if end > _LENGTH_BYTES + MAX_FRAME_BYTES + _TAG_BYTES:
                raise ReceiverProtocolError("an encrypted frame is too long")
            if len(self._buffer) < end:
                break
            plain += self._open(bytes(self._buffer[_LENGTH_BYTES:end]), length)
            del self._buffer[:end]
        return bytes(plain)

    def _open(self, frame: bytes, length: bytes) -> bytes:
        try:
            part = self._reader.decrypt(_nonce(self._read), frame, length)
        except InvalidTag as err:
            raise ReceiverProtocolError("a frame cannot be decrypted") from err
        self._read += 1
        return part


def _nonce(counter: int) -> bytes:
    return bytes(4) + counter.to_bytes(8, "little")
