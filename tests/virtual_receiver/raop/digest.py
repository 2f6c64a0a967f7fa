"""The password check of RAOP: digest authentication of RFC 2069, or RFC 2617."""

import hashlib
import hmac
import re

REALM = "raop"
_PAIR = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,"]+))')


def challenge(nonce: str, extra: str = "") -> str:
    """Write the WWW-Authenticate header of a 401; `extra` ends it."""
    return f'Digest realm="{REALM}", nonce="{nonce}"{extra}'


def digest(
    user: str,
    password: str,
    method: str,
    uri: str,
    nonce: str,
    *,
    upper: bool = False,
    quality: str = "",
) -> str:
    """Compute the response that proves a password.

    `quality` is nc, cnonce and qop, between colons, or empty.
    """

    def md5(*parts: str) -> str:
        text = ":".join(parts).encode()
        word = hashlib.md5(text, usedforsecurity=False).hexdigest()
        return word.upper() if upper else word

    middle = f"{nonce}:{quality}" if quality else nonce
    return md5(md5(user, REALM, password), middle, md5(method, uri))


def is_authorized(
    header: str | None,
    method: str,
    uri: str,
    *,
    password: str,
    nonce: str,
    upper: bool = False,
    user: str | None = None,
    extra: str = "",
) -> bool:
    """Check an Authorization header against the request that carries it."""
    if header is None or not header.startswith("Digest "):
        return False
    fields = {name: quoted or bare for name, quoted, bare in _PAIR.findall(header)}
    if fields.get("realm") != REALM or fields.get("nonce") != nonce:
        return False
    if fields.get("uri") != uri or user not in (None, fields.get("username")):
        return False
    asked = {name: quoted or bare for name, quoted, bare in _PAIR.findall(extra)}
    quality = ""
    if "qop" in asked:
        if fields.get("qop") != "auth" or fields.get("opaque") != asked.get("opaque"):
            return False
        quality = ":".join(fields.get(name, "") for name in ("nc", "cnonce", "qop"))
    expected = digest(
        fields.get("username", ""),
        password,
        method,
        uri,
        nonce,
        upper=upper,
        quality=quality,
    )
    return hmac.compare_digest(fields.get("response", "").encode(), expected.encode())
