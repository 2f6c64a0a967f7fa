"""The addresses in plain playlists, M3U and PLS."""

import re

from .icy import decode_text

MAX_PLAYLIST_BYTES = 1 << 16
_PLS_ENTRY = re.compile(r"^\s*file(\d+)\s*=\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)


def entries_of(playlist: bytes) -> list[str]:
    """Return the addresses in a playlist, in order and without duplicates."""
    text = decode_text(playlist.removeprefix(b"\xef\xbb\xbf"))
    if text.lstrip()[:10].lower() == "[playlist]":
        numbered = sorted(_PLS_ENTRY.findall(text), key=lambda entry: int(entry[0]))
        found = [address for _, address in numbered]
    else:
        lines = (line.strip() for line in text.splitlines())
        found = [line for line in lines if line and not line.startswith("#")]
    return list(dict.fromkeys(found))
