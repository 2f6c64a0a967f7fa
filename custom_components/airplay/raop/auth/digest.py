"""RTSP digest authentication, the password protection of classic receivers.

RFC 2069 form (no qop, cnonce or nc); the proof depends on the method, so that each
request needs its own.
"""

from dataclasses import dataclass
import hashlib
import re
from typing import Self

from ..errors import ReceiverProtocolError

ATTEMPTS: tuple[tuple[str, bool], ...] = (
    ("iTunes", False),
    # The first AirPort Express hashes upper-case hex and expects it.
    ("iTunes", True),
    ("", False),
)

# Quoted text stays unchanged, escapes included: it is hashed and returned as it is.
_QUOTED = r'(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*'
_QUOTABLE = re.compile(_QUOTED)
_SCHEME = re.compile(r"(?:^|,)\s*digest\s", re.IGNORECASE)
_PARAMETER = re.compile(
    rf'([A-Za-z][A-Za-z0-9-]*)\s*=\s*(?:"({_QUOTED})"|([^\s,"\\\x00-\x1f\x7f]+))'
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A receiver's request for a password."""

    realm: str
    nonce: str

    @classmethod
    def parse(cls, header: str) -> Self:
        """Parse a WWW-Authenticate header; other schemes and parameters are ignored.

        Raises ReceiverProtocolError: it has no digest challenge, or no realm or nonce.
        """
        scheme = _SCHEME.search(header)
        if scheme is None:
            raise ReceiverProtocolError("the receiver does not ask for a digest")
        said: dict[str, str] = {}
        for found in _PARAMETER.finditer(header, scheme.end()):
            value = found[3] if found[2] is None else found[2]
            said.setdefault(found[1].lower(), value)
        try:
            return cls(said["realm"], said["nonce"])
        except KeyError as err:
            raise ReceiverProtocolError(f"the digest lacks {err}") from err


def authorization(
    challenge: Challenge,
    *,
    user: str,
    password: str,
    method: str,
    uri: str,
    is_upper: bool = False,
) -> str:
    """Return the Authorization header for one request.

    Raises ValueError: a value cannot be quoted.
    """
    realm, nonce = challenge.realm, challenge.nonce
    who = _digest(f"{user}:{realm}:{password}", is_upper=is_upper)
    what = _digest(f"{method}:{uri}", is_upper=is_upper)
    fields = {
        "username": user,
        "realm": realm,
        "nonce": nonce,
        "uri": uri,
        "response": _digest(f"{who}:{nonce}:{what}", is_upper=is_upper),
    }
    for name, value in fields.items():
        if not _QUOTABLE.fullmatch(value):
            raise ValueError(f"{name} cannot be quoted: {value!r}")
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items())


def _digest(text: str, *, is_upper: bool) -> str:
    plain = text.encode(errors="replace")
    found = hashlib.md5(plain, usedforsecurity=False).hexdigest()
    return found.upper() if is_upper else found
