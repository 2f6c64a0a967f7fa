"""From the payload of an audio packet to s16le, by the ANNOUNCE."""

from collections.abc import Callable

from .alac import AlacError, decode_alac, decode_l16
from .crypto import decrypt
from .sdp import Announcement

type KeyOpener = Callable[[bytes], bytes]


class Decoder:
    """Decrypt and decode the packets of one stream."""

    def __init__(self, announcement: Announcement, open_key: KeyOpener | None) -> None:
        """Decrypt the stream's key, if there is one and an opener for it."""
        self._announcement = announcement
        self._key: bytes | None = None
        if announcement.encrypted_key is not None and open_key is not None:
            self._key = open_key(announcement.encrypted_key)

    @property
    def can_decode(self) -> bool:
        """Return whether the key is known, if one is needed."""
        return self._key is not None or not self._announcement.is_encrypted

    def decode(self, payload: bytes) -> bytes:
        """Return the sound, or raise AlacError."""
        if not self.can_decode:
            raise AlacError("encrypted with a key that cannot be opened")
        if self._key is not None and self._announcement.aes_iv is not None:
            payload = decrypt(payload, self._key, self._announcement.aes_iv)
        if self._announcement.codec == "l16":
            return decode_l16(payload)
        return decode_alac(payload, self._announcement.frames_per_packet)
