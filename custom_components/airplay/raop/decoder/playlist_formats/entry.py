"""An entry of a playlist, whatever its format."""

from typing import NamedTuple

# A station has a few servers.
MOST_ADDRESSES = 16


class PlaylistLine(NamedTuple):
    """An entry as written: the address, its title, and its length in seconds.

    `others` are further addresses of the same sound, `picture` is that of a logo or cover.
    """

    address: str
    name: str = ""
    seconds: str = ""
    artist: str = ""
    album: str = ""
    picture: str = ""
    others: tuple[str, ...] = ()
