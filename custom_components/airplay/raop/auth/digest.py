"""RTSP digest authentication, the password protection of classic receivers.

RFC 2069 form (no qop, cnonce or nc) unless the receiver asks for that of RFC 2617; the
proof depends on the method, so that each request needs its own.
"""

from collections.abc import Iterator, Mapping
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
    # The name of AirPlay video, and of receivers whose realm is not RAOP's.
    ("AirPlay", False),
)
_RAOP_REALM = "raop"

# Quoted text stays unchanged, escapes included: it is hashed and returned as it is.
_QUOTED = r'(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*+'
_QUOTABLE = re.compile(_QUOTED)
# A parameter, or the name of a scheme; all else is skipped. Every alternative consumes
# what it has looked at, so that the time is linear.
_WORD = re.compile(
    rf'(?s:([A-Za-z][A-Za-z0-9-]*+)(?:\s*+=\s*+(?:"({_QUOTED})"|([^\s,"\\\x00-\x1f\x7f]++)))?+'
    rf'|"{_QUOTED}|.)'
)
_HASHES = {
    "MD5": hashlib.md5,
    "MD5-SESS": hashlib.md5,
    "SHA-256": hashlib.sha256,
    "SHA-256-SESS": hashlib.sha256,
}
_SESSION = "-SESS"
# In order of preference; auth-int also proves the body.
_QOPS = ("auth", "auth-int")


@dataclass(frozen=True, slots=True)
class Challenge:
    """A receiver's request for a password.

    `qop` is the quality of protection that is used, or None for the RFC 2069 form.
    """

    realm: str
    nonce: str
    opaque: str | None = None
    qop: str | None = None
    algorithm: str = "MD5"

    @classmethod
    def parse(cls, header: str) -> Self:
        """Parse a WWW-Authenticate header; other schemes and parameters are ignored.

        Raises ReceiverProtocolError: it has no digest challenge, or no realm or nonce,
        or no known algorithm.
        """
        digests = [said for scheme, said in _challenges(header) if scheme == "digest"]
        if not any(digests):
            raise ReceiverProtocolError("the receiver does not ask for a digest")
        known = [said for said in digests if said and _algorithm(said) in _HASHES]
        if not known:
            text = f"the algorithm of the digest is unknown: {header[:200]!r}"
            raise ReceiverProtocolError(text)
        said = known[0]
        offered = [word.strip().lower() for word in said.get("qop", "").split(",")]
        try:
            return cls(
                said["realm"],
                said["nonce"],
                said.get("opaque"),
                next((qop for qop in _QOPS if qop in offered), None),
                _algorithm(said),
            )
        except KeyError as err:
            raise ReceiverProtocolError(f"the digest lacks {err}") from err


@dataclass(frozen=True, slots=True)
class NonceUse:
    """Our part of the RFC 2617 form: a random word, and how often the nonce is used."""

    cnonce: str
    count: int = 1


def attempts(realm: str) -> tuple[tuple[str, bool], ...]:
    """Return the user names to try for a realm, and whether the hex is upper-case."""
    if realm.lower() == _RAOP_REALM:
        return ATTEMPTS
    return (ATTEMPTS[-1], *ATTEMPTS[:-1])


def authorization(
    challenge: Challenge,
    *,
    user: str,
    password: str,
    method: str,
    uri: str,
    is_upper: bool = False,
    body: bytes = b"",
    use: NonceUse = NonceUse(""),
) -> str:
    """Return the Authorization header for one request.

    Raises ValueError: a value cannot be quoted.
    """
    realm, nonce, qop = challenge.realm, challenge.nonce, challenge.qop

    def digest(text: str | bytes) -> str:
        plain = text if isinstance(text, bytes) else text.encode(errors="replace")
        found = _HASHES[challenge.algorithm](plain, usedforsecurity=False).hexdigest()
        return found.upper() if is_upper else found

    who = digest(f"{user}:{realm}:{password}")
    if challenge.algorithm.endswith(_SESSION):
        who = digest(f"{who}:{nonce}:{use.cnonce}")
    what = f"{method}:{uri}"
    if qop == "auth-int":
        what += f":{digest(body)}"
    count = f"{use.count:08x}"
    middle = f"{nonce}:{count}:{use.cnonce}:{qop}" if qop else nonce
    quoted = {
        "username": user,
        "realm": realm,
        "nonce": nonce,
        "uri": uri,
        "response": digest(f"{who}:{middle}:{digest(what)}"),
    }
    if challenge.opaque is not None:
        quoted["opaque"] = challenge.opaque
    plain = {}
    if challenge.algorithm != "MD5":
        plain["algorithm"] = challenge.algorithm.replace(_SESSION, "-sess")
    if qop or challenge.algorithm.endswith(_SESSION):
        quoted["cnonce"] = use.cnonce
    if qop:
        plain |= {"qop": qop, "nc": count}
    for name, value in quoted.items():
        if not _QUOTABLE.fullmatch(value):
            raise ValueError(f"{name} cannot be quoted: {value!r}")
    fields = [f'{name}="{value}"' for name, value in quoted.items()]
    fields += [f"{name}={value}" for name, value in plain.items()]
    return "Digest " + ", ".join(fields)


def _challenges(header: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Return the schemes of a header, in lower case, with their parameters."""
    scheme, said = "", dict[str, str]()
    for found in _WORD.finditer(header):
        word, quoted, token = found.groups()
        if word is None:
            continue
        value = token if quoted is None else quoted
        if value is not None:
            said.setdefault(word.lower(), value)
            continue
        yield scheme, said
        scheme, said = word.lower(), {}
    yield scheme, said


def _algorithm(said: Mapping[str, str]) -> str:
    return said.get("algorithm", "MD5").upper()
