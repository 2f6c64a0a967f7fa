"""What the addresses in a playlist mean, seen from the playlist.

In a file, they are paths, relative or absolute, of Windows or of anything else; some
writers escape them as in web addresses, and most do not. So `a%20b.mp3` may be either.
"""

import re
from urllib.parse import unquote, urljoin, urlsplit

_FILE = re.compile(r"file://(?:localhost)?(?=/)", re.IGNORECASE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*://|file:|[a-z]:[\\/]", re.IGNORECASE)


def file_path(address: str) -> str | None:
    """Return the path in an address of the scheme `file` (RFC 8089), None for others.

    Whatever follows the host is the path: names contain `#` and `?`, and files no query.
    """
    if found := _FILE.match(address):
        return unquote(address[found.end() :])
    return None


def has_scheme(address: str) -> bool:
    """Whether an address has a scheme or a drive, and so is not a path from here."""
    return _ELSEWHERE.match(address) is not None


def local_paths(address: str) -> tuple[str, ...]:
    """Return the paths that an address may mean, the likeliest first.

    A relative one is seen from the playlist's folder. None: it leads elsewhere.
    """
    if (path := file_path(address)) is not None:
        return (path,)
    if has_scheme(address):
        return ()
    path = address.replace("\\", "/")
    return tuple(dict.fromkeys((path, unquote(path))))


def web_address(address: str, base_url: str = "") -> str | None:
    """Return an absolute web address; None for files, pipes, and anything else."""
    if not has_scheme(address):
        address = address.replace("\\", "/")
    try:
        parts = urlsplit(urljoin(base_url, address).replace(" ", "%20"))
        is_web = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        return None
    return parts.geturl() if is_web and parts.hostname else None
