"""The receiver's end of an encrypted connection: control, or its own events."""

import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.virtual_receiver.network.rtsp import RtspError

from .home_kit import stretch

_LIMIT_BYTES = 1024


class SecureChannel:
    """Opens a sender's sealed messages and seals our answers."""

    def __init__(self, secret: bytes, *, is_event: bool = False) -> None:
        """Use the keys from pairing; a sender's write key is our read key.

        On the event channel it is the receiver that asks, so that the keys have
        the names of the other side.
        """
        salt, read, write = "Control-Salt", "Control-Write", "Control-Read"
        if is_event:
            salt, read, write = "Events-Salt", "Events-Read", "Events-Write"
        incoming = stretch(secret, salt, f"{read}-Encryption-Key")
        outgoing = stretch(secret, salt, f"{write}-Encryption-Key")
        self._incoming = ChaCha20Poly1305(incoming)
        self._outgoing = ChaCha20Poly1305(outgoing)
        self._in = self._out = 0
        self._rest = b""

    def open(self, received: bytes) -> bytes:
        """Return the plain bytes that are complete so far."""
        self._rest += received
        plain = b""
        while len(self._rest) > 2:
            (size,) = struct.unpack_from("<H", self._rest)
            if size > _LIMIT_BYTES:
                raise RtspError(f"frame of {size} bytes")
            if len(self._rest) < size + 18:
                break
            frame, self._rest = self._rest[: size + 18], self._rest[size + 18 :]
            nonce = struct.pack("<4xQ", self._in)
            try:
                plain += self._incoming.decrypt(nonce, frame[2:], frame[:2])
            except InvalidTag as err:
                raise RtspError("frame cannot be opened") from err
            self._in += 1
        return plain

    def seal(self, plain: bytes) -> bytes:
        """Return bytes as frames."""
        sealed = b""
        while plain:
            part, plain = plain[:_LIMIT_BYTES], plain[_LIMIT_BYTES:]
            size = struct.pack("<H", len(part))
            nonce = struct.pack("<4xQ", self._out)
            sealed += size + self._outgoing.encrypt(nonce, part, size)
            self._out += 1
        return sealed
