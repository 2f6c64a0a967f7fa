"""Radio titles in the audio: split the blocks of the ICY protocol from it."""

_BLOCK_UNIT = 16
_TITLE_BEGINS = b"StreamTitle='"
# A title may contain quotes, and even "';".
_TITLE_ENDS = (b"';Stream", b"';", b"'")


class IcyDemuxer:
    """Splits a radio's bytes into audio and titles; holds at most one block."""

    def __init__(self, interval: int) -> None:
        """Expect a block of metadata after every interval of this many bytes."""
        self._interval = interval
        self._sound_left = interval
        self._block = bytearray()
        self._block_left = 0

    def feed(self, octets: bytes) -> tuple[bytes, list[str]]:
        """Return the audio in these bytes, and the titles that are complete now."""
        sound = bytearray()
        titles: list[str] = []
        at = 0
        while at < len(octets):
            if self._block_left:
                taken = octets[at : at + self._block_left]
                at += len(taken)
                titles += self._read_block(taken)
            elif self._sound_left:
                taken = octets[at : at + self._sound_left]
                at += len(taken)
                self._sound_left -= len(taken)
                sound += taken
            else:
                self._block_left = octets[at] * _BLOCK_UNIT
                self._sound_left = self._interval
                at += 1
        return bytes(sound), titles

    def _read_block(self, octets: bytes) -> list[str]:
        self._block += octets
        self._block_left -= len(octets)
        if self._block_left:
            return []
        block = bytes(self._block)
        self._block.clear()
        title = _title_in(block)
        return [] if title is None else [title]


def decode_text(octets: bytes) -> str:
    """Decode text of a radio, which does not declare UTF-8 or Latin-1."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _title_in(block: bytes) -> str | None:
    """Return the title, "" if the radio clears it, None if there is none."""
    _, begin, rest = block.partition(_TITLE_BEGINS)
    if not begin:
        return None
    for end in _TITLE_ENDS:
        if (at := rest.rfind(end)) >= 0:
            return decode_text(rest[:at]).strip()
    return None
