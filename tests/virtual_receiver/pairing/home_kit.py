"""HomeKit pairing, from the receiver's side."""

from collections.abc import Callable
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.virtual_receiver.network.rtsp import Response
from tests.virtual_receiver.quirks import Quirks

from .srp import HOME_KIT, Verifier
from .tlv import pack, unpack

if TYPE_CHECKING:
    from .gate import Gate

_METHOD, _NAME, _SALT, _KEY, _PROOF, _SEALED, _STATE, _ERROR, _DELAY = range(9)
_SIGNATURE, _FLAGS = 10, 19
_WRONG, _BACK_OFF, _MAX_TRIES, _BUSY, _UNKNOWN = 2, 3, 5, 7, 1
_TRANSIENT = 0x10


def stretch(secret: bytes, salt: str, info: str) -> bytes:
    """Make a key of 32 bytes for one purpose."""
    return HKDF(SHA512(), 32, salt.encode(), info.encode()).derive(secret)


class HomeKitVisit:
    """One connection's pairing and verifying."""

    def __init__(self, gate: Gate, quirks: Quirks, code: Callable[[], str]) -> None:
        """Start before the first message."""
        self._gate = gate
        self._code = code
        self._quirks = quirks
        self._attempt: Verifier | None = None
        self._is_transient = False
        self._own = X25519PrivateKey.generate()
        self._theirs = self._shared = b""
        self.is_verified = False
        self.secret: bytes | None = None

    def set_up(self, body: bytes) -> Response:
        """Answer M1, M3 or M5."""
        if (asked := _read(body)) is None:
            return Response(400)
        match asked.get(_STATE):
            case b"\1":
                return self._offer(asked)
            case b"\3":
                return self._check(asked)
            case b"\5" if self._attempt and self._attempt.key:
                return self._keep(asked)
        return _error(6, _UNKNOWN)

    def verify(self, body: bytes) -> Response:
        """Answer M1 or M3."""
        if (asked := _read(body)) is None:
            return Response(400)
        match asked.get(_STATE):
            case b"\1":
                return self._exchange(asked)
            case b"\3" if self._shared:
                return self._admit(asked)
        return _error(4, _UNKNOWN)

    def _offer(self, asked: dict[int, bytes]) -> Response:
        flags = int.from_bytes(asked.get(_FLAGS, b""), "little")
        self._is_transient = bool(flags & _TRANSIENT)
        if self._is_transient and not self._gate.takes_transient:
            return Response(470)
        quirks, wrong = self._quirks, self._gate.wrong
        if quirks.pairs_with_one and self._gate.guest not in (None, self):
            return _error(2, _BUSY)
        self._gate.guest = self
        if quirks.max_wrong_codes and wrong >= quirks.max_wrong_codes:
            return _error(2, _MAX_TRIES)
        if quirks.back_off_after and wrong >= quirks.back_off_after:
            delay = quirks.back_off_s.to_bytes(2, "little")
            return _error(2, _BACK_OFF, (_DELAY, delay))
        self._attempt = Verifier(
            HOME_KIT,
            "Pair-Setup",
            self._code(),
            secrets.token_bytes(16),
            secrets.token_bytes(32),
        )
        offer = (_SALT, self._attempt.salt), (_KEY, self._attempt.public)
        return _answer(2, *offer)

    def _check(self, asked: dict[int, bytes]) -> Response:
        attempt = self._attempt
        if seconds := self._quirks.refuse_proofs_s:
            return _error(4, _BACK_OFF, (_DELAY, seconds.to_bytes(2, "little")))
        if attempt is None or not attempt.check(
            asked.get(_KEY, b""), asked.get(_PROOF, b"")
        ):
            self._gate.wrong += 1
            self._attempt = self._gate.guest = None
            return _error(4, _WRONG)
        self._gate.wrong = 0
        if self._is_transient:
            self.secret, self.is_verified = attempt.key, True
        return _answer(4, (_PROOF, attempt.answer))

    def _keep(self, asked: dict[int, bytes]) -> Response:
        assert self._attempt is not None
        secret = self._attempt.key
        key = stretch(secret, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info")
        prefix = "Pair-Setup-Controller-Sign"
        proved = stretch(secret, f"{prefix}-Salt", f"{prefix}-Info")
        try:
            items = unpack(_open(key, b"PS-Msg05", asked.get(_SEALED, b"")))
            public = items[_KEY]
            sender = Ed25519PublicKey.from_public_bytes(public)
            sender.verify(items[_SIGNATURE], proved + items[_NAME] + public)
        except InvalidTag, InvalidSignature, ValueError, KeyError:
            return _error(6, _WRONG)
        self._gate.senders[items[_NAME]] = public
        self._gate.guest = None
        prefix = "Pair-Setup-Accessory-Sign"
        proof = stretch(secret, f"{prefix}-Salt", f"{prefix}-Info")
        mine = self._gate.signer.public_key().public_bytes_raw()
        signature = self._gate.signer.sign(proof + self._gate.name + mine)
        who = pack((_NAME, self._gate.name), (_KEY, mine), (_SIGNATURE, signature))
        return _answer(6, (_SEALED, _seal(key, b"PS-Msg06", who)))

    def _exchange(self, asked: dict[int, bytes]) -> Response:
        self._theirs = asked.get(_KEY, b"")
        mine = self._own.public_key().public_bytes_raw()
        try:
            theirs = X25519PublicKey.from_public_bytes(self._theirs)
        except ValueError:
            return _error(2, _UNKNOWN)
        self._shared = self._own.exchange(theirs)
        signature = self._gate.signer.sign(mine + self._gate.name + self._theirs)
        who = pack((_NAME, self._gate.name), (_SIGNATURE, signature))
        sealed = _seal(self._verify_key, b"PV-Msg02", who)
        return _answer(2, (_KEY, mine), (_SEALED, sealed))

    def _admit(self, asked: dict[int, bytes]) -> Response:
        mine = self._own.public_key().public_bytes_raw()
        try:
            items = unpack(_open(self._verify_key, b"PV-Msg03", asked[_SEALED]))
            known = Ed25519PublicKey.from_public_bytes(self._gate.senders[items[_NAME]])
            known.verify(items[_SIGNATURE], self._theirs + items[_NAME] + mine)
        except InvalidTag, InvalidSignature, ValueError, KeyError:
            return _error(4, _WRONG)
        self.secret, self.is_verified = self._shared, True
        return _answer(4)

    @property
    def _verify_key(self) -> bytes:
        prefix = "Pair-Verify-Encrypt"
        return stretch(self._shared, f"{prefix}-Salt", f"{prefix}-Info")


def _seal(key: bytes, nonce: bytes, plain: bytes) -> bytes:
    return ChaCha20Poly1305(key).encrypt(b"\0\0\0\0" + nonce, plain, None)


def _open(key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    return ChaCha20Poly1305(key).decrypt(b"\0\0\0\0" + nonce, sealed, None)


def _answer(state: int, *items: tuple[int, bytes]) -> Response:
    body = pack((_STATE, bytes([state])), *items)
    return Response(200, {"Content-Type": "application/octet-stream"}, body)


def _read(body: bytes) -> dict[int, bytes] | None:
    try:
        return unpack(body)
    except ValueError:
        return None


def _error(state: int, code: int, *items: tuple[int, bytes]) -> Response:
    return _answer(state, (_ERROR, bytes([code])), *items)
