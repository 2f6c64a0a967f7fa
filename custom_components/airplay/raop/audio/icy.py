"""Radio titles between the sound: the ICY protocol's blocks taken out of the bytes."""

import re

_BLOCK = 16
_TITLE = re.compile(rb"StreamTitle='(.*?)';(?:\s*\w+='|\s*\0*$)|StreamTitle='(.*)'", re.DOTALL)


class IcyDemuxer:
    """Splits a radio's bytes into sound and titles; holds at most one block."""

    def __init__(self, interval: int) -> None:
        """Expect a block of metadata after every interval of this many bytes."""
        self._interval = interval
        self._sound_left = interval
        self._block = bytearray()
        self._block_left = 0

    def feed(self, octets: bytes) -> tuple[bytes, list[str]]:
        """Return the sound in these bytes, and the titles that are complete now."""
        sound = bytearray()
        titles: list[str] = []
        at = 0
        while at < len(octets):
            if self._block_left:
                taken = octets[at : at + self._block_left]
                self._block += taken
                self._block_left -= len(taken)
                at += len(taken)
                if not self._block_left:
                    titles += _titles(bytes(self._block))
                    self._block.clear()
            elif self._sound_left:
                taken = octets[at : at + self._sound_left]
                sound += taken
                self._sound_left -= len(taken)
                at += len(taken)
            else:
                self._block_left = octets[at] * _BLOCK
                self._sound_left = self._interval
                at += 1
        return bytes(sound), titles


def decode_text(octets: bytes) -> str:
    """Read text of a radio, which does not say whether it is UTF-8 or Latin-1."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _titles(block: bytes) -> list[str]:
    match = _TITLE.search(block.rstrip(b"\0"))
    if match is None:
        return []
    title = match[1] if match[1] is not None else match[2]
    return [decode_text(title).strip()]
