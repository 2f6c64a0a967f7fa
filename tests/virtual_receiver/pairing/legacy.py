"""Pairing as older Apple TVs do it, from the receiver's side."""

from collections.abc import Callable
import hashlib
import plistlib
import secrets
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from tests.virtual_receiver.network.rtsp import Response

from .srp import LEGACY, Verifier

if TYPE_CHECKING:
    from .gate import Gate

_PLIST = "application/x-apple-binary-plist"


def _word(label: str, secret: bytes) -> bytes:
    return hashlib.sha512(label.encode() + secret).digest()[:16]


class LegacyVisit:
    """One connection's pairing and verifying."""

    def __init__(self, gate: Gate, code: Callable[[], str]) -> None:
        """Start before the first message."""
        self._gate = gate
        self._code = code
        self._user = ""
        self._attempt: Verifier | None = None
        self._has_proved = False
        self._own = X25519PrivateKey.generate()
        self._claimed: Ed25519PublicKey | None = None
        self._signed = b""
        self._cipher: Any = None
        self.is_verified = False

    def set_up(self, body: bytes) -> Response:
        """Answer one of the three messages of /pair-setup-pin."""
        try:
            asked = plistlib.loads(body)
        except plistlib.InvalidFileException, ValueError:
            return Response(400)
        if "method" in asked:
            return self._offer(asked["user"])
        if "proof" in asked:
            return self._check(asked["pk"], asked["proof"])
        return self._keep(asked["epk"], asked["authTag"])

    def verify(self, body: bytes) -> Response:
        """Answer one of the two messages of /pair-verify."""
        step, rest = body[:4], body[4:]
        if step == b"\1\0\0\0" and len(rest) == 64:
            return self._exchange(rest[:32], rest[32:])
        if step == b"\0\0\0\0" and len(rest) == 64 and self._claimed:
            return self._admit(rest)
        return Response(400)

    def _offer(self, user: str) -> Response:
        self._user, self._has_proved = user, False
        self._attempt = Verifier(
            LEGACY,
            user,
            self._code(),
            secrets.token_bytes(16),
            secrets.token_bytes(32),
        )
        return _plist(pk=self._attempt.public, salt=self._attempt.salt)

    def _check(self, public: bytes, proof: bytes) -> Response:
        if self._attempt is None or not self._attempt.check(public, proof):
            self._gate.wrong += 1
            self._attempt = None
            return Response(470)
        self._gate.wrong = 0
        self._has_proved = True
        return _plist(proof=self._attempt.answer)

    def _keep(self, sealed: bytes, tag: bytes) -> Response:
        if self._attempt is None or not self._has_proved:
            return Response(470)
        key = _word("Pair-Setup-AES-Key", self._attempt.key)
        start = bytearray(_word("Pair-Setup-AES-IV", self._attempt.key))
        start[-1] = (start[-1] + 1) % 256
        opener = Cipher(AES(key), modes.GCM(bytes(start), tag)).decryptor()
        try:
            public = opener.update(sealed) + opener.finalize()
        except InvalidTag:
            return Response(470)
        self._gate.senders[self._user.encode()] = public
        own = Cipher(AES(key), modes.GCM(bytes(start))).encryptor()
        mine = own.update(self._gate.signer.public_key().public_bytes_raw())
        own.finalize()
        return _plist(epk=mine, authTag=own.tag)

    def _exchange(self, theirs: bytes, identity: bytes) -> Response:
        self._claimed = Ed25519PublicKey.from_public_bytes(identity)
        secret = self._own.exchange(X25519PublicKey.from_public_bytes(theirs))
        mine = self._own.public_key().public_bytes_raw()
        self._signed = theirs + mine
        key = _word("Pair-Verify-AES-Key", secret)
        start = _word("Pair-Verify-AES-IV", secret)
        # both directions share one key stream: ours has its first 64 bytes
        self._cipher = Cipher(AES(key), modes.CTR(start)).encryptor()
        proof = self._cipher.update(self._gate.signer.sign(mine + theirs))
        return _octets(mine + proof)

    def _admit(self, sealed: bytes) -> Response:
        assert self._claimed is not None
        is_known = self._claimed.public_bytes_raw() in self._gate.senders.values()
        try:
            self._claimed.verify(self._cipher.update(sealed), self._signed)
        except InvalidSignature:
            return Response(403)
        self.is_verified = is_known
        return _octets(b"") if is_known else Response(403)


def _plist(**items: bytes) -> Response:
    body = plistlib.dumps(items, fmt=plistlib.FMT_BINARY)
    return Response(200, {"Content-Type": _PLIST}, body)


def _octets(body: bytes) -> Response:
    return Response(200, {"Content-Type": "application/octet-stream"}, body)
