"""The password check of RAOP: digest authentication of RFC 2069."""

import hashlib
import hmac
import re

REALM = "raop"
_PAIR = re.compile(r'(\w+)="([^"]*)"')


def challenge(nonce: str) -> str:
    """Write the WWW-Authenticate header of a 401."""
    return f'Digest realm="{REALM}", nonce="{nonce}"'


def digest(
    user: str, password: str, method: str, uri: str, nonce: str, *, upper: bool = False
) -> str:
    """Compute the response that proves a password."""

    def md5(*parts: str) -> str:
        text = ":".join(parts).encode()
        word = hashlib.md5(text, usedforsecurity=False).hexdigest()
        return word.upper() if upper else word

    return md5(md5(user, REALM, password), nonce, md5(method, uri))


def is_authorized(
    header: str | None,
    method: str,
    uri: str,
    *,
    password: str,
    nonce: str,
    upper: bool = False,
) -> bool:
    """Check an Authorization header against the request that carries it."""
    if header is None or not header.startswith("Digest "):
        return False
    fields = dict(_PAIR.findall(header))
    if fields.get("realm") != REALM or fields.get("nonce") != nonce:
        return False
    if fields.get("uri") != uri or "username" not in fields:
        return False
    expected = digest(fields["username"], password, method, uri, nonce, upper=upper)
    return hmac.compare_digest(fields.get("response", "").encode(), expected.encode())
