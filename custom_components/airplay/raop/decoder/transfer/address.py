"""Web addresses as browsers read them, written by people and by servers.

Source: the URL standard of WHATWG, 4.4 (URL parsing) and 4.5.
"""

import re
from urllib.parse import quote, urldefrag, urljoin

from ..icy import decode_text

_AROUND = "".join(map(chr, range(0x21)))
_DROPPED = str.maketrans("", "", "\t\r\n")
_SCHEME = re.compile(r"(https?):[/\\]*", re.IGNORECASE)
_END_OF_PATH = re.compile(r"[?#]")
# What a request line may contain; an escape stays as it is.
_PLAIN = "!#$%&'()*+,/:;=?@[]~"


def as_browsers_read(address: str) -> str:
    r"""Return a web address without blanks around it, tabs, line ends, and `\`."""
    address = address.strip(_AROUND).translate(_DROPPED)
    if found := _SCHEME.match(address):
        address = f"{found[1]}://{address[found.end() :]}"
    end = _END_OF_PATH.search(address)
    at = end.start() if end else len(address)
    return address[:at].replace("\\", "/") + address[at:]


def redirected(url: str, location: str) -> str:
    """Return where a `Location` leads from a URL, without its fragment.

    It may be relative, and raw UTF-8, which http.client reads as Latin-1.

    Raises ValueError: it is not an address.
    """
    text = decode_text(location.encode("latin-1", "replace"))
    return urldefrag(urljoin(url, as_browsers_read(text))).url


def request_target(path: str, query: str) -> str:
    """Return the target of a request line, with escapes where they are needed."""
    target = path or "/"
    return quote(f"{target}?{query}" if query else target, safe=_PLAIN)
