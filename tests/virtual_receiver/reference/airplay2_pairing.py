"""Pairing as a sender does it, written from the protocol's text for tests."""

from collections.abc import Iterator
import hashlib
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.virtual_receiver.pairing.srp import HOME_KIT
from tests.virtual_receiver.pairing.tlv import pack, unpack

_METHOD, _NAME, _SALT, _KEY, _PROOF, _SEALED, _STATE, _ERROR = range(8)
_SIGNATURE, _FLAGS = 10, 19
_SENDER = b"0123456789ABCDEF"
# 3072 bits, generator 5
_N, _G = HOME_KIT.prime, HOME_KIT.generator


class RefusedError(Exception):
    """The receiver answered with an error."""


def stretch(secret: bytes, salt: str, info: str) -> bytes:
    """Make a key of 32 bytes."""
    return HKDF(SHA512(), 32, salt.encode(), info.encode()).derive(secret)


def _h(*parts: bytes) -> bytes:
    return hashlib.sha512(b"".join(parts)).digest()


def _number(*parts: bytes) -> int:
    return int.from_bytes(_h(*parts))


def _short(value: int) -> bytes:
    return value.to_bytes(-(-value.bit_length() // 8))


def _check(body: bytes) -> dict[int, bytes]:
    items = unpack(body)
    if _ERROR in items:
        raise RefusedError(items[_ERROR].hex())
    return items


class Talk:
    """The bodies to post, one after the other; `answer` handles each answer."""

    def __init__(self) -> None:
        """Start with nothing agreed."""
        self.answer = b""
        self.secret = b""
        self._own = Ed25519PrivateKey.generate()

    def set_up(self, code: str, *, is_transient: bool) -> Iterator[bytes]:
        """Yield M1, M3 and, to be remembered, M5."""
        flags = [(_FLAGS, b"\x10")] if is_transient else []
        yield pack((_STATE, b"\1"), (_METHOD, b"\0"), *flags)
        offer = _check(self.answer)
        a = secrets.randbits(256)
        public = pow(_G, a, _N)
        yield pack((_STATE, b"\3"), *self._prove(code, offer, a, public))
        _check(self.answer)
        if is_transient:
            return
        prefix = "Pair-Setup-Controller-Sign"
        proved = stretch(self.secret, f"{prefix}-Salt", f"{prefix}-Info")
        mine = self._own.public_key().public_bytes_raw()
        signature = self._own.sign(proved + _SENDER + mine)
        who = pack((_NAME, _SENDER), (_KEY, mine), (_SIGNATURE, signature))
        prefix = "Pair-Setup-Encrypt"
        key = stretch(self.secret, f"{prefix}-Salt", f"{prefix}-Info")
        yield pack((_STATE, b"\5"), (_SEALED, _seal(key, b"PS-Msg05", who)))
        _check(self.answer)

    def _prove(
        self, code: str, offer: dict[int, bytes], a: int, public: int
    ) -> list[tuple[int, bytes]]:
        salt, theirs = offer[_SALT], int.from_bytes(offer[_KEY])
        x = _number(salt, _h(f"Pair-Setup:{code}".encode()))
        k = _number(_N.to_bytes(384), _G.to_bytes(384))
        u = _number(public.to_bytes(384), theirs.to_bytes(384))
        shared = pow(theirs - k * pow(_G, x, _N), a + u * x, _N)
        self.secret = _h(_short(shared))
        mixed = _number(_short(_N)) ^ _number(_short(_G))
        proof = _h(
            mixed.to_bytes(64),
            _h(b"Pair-Setup"),
            salt,
            _short(public),
            _short(theirs),
            self.secret,
        )
        return [(_KEY, public.to_bytes(384)), (_PROOF, proof)]

    def verify(self) -> Iterator[bytes]:
        """Yield M1 and M3 with the keys that `set_up` left behind."""
        own = X25519PrivateKey.generate()
        mine = own.public_key().public_bytes_raw()
        yield pack((_STATE, b"\1"), (_KEY, mine))
        theirs = _check(self.answer)[_KEY]
        self.secret = own.exchange(X25519PublicKey.from_public_bytes(theirs))
        prefix = "Pair-Verify-Encrypt"
        key = stretch(self.secret, f"{prefix}-Salt", f"{prefix}-Info")
        signature = self._own.sign(mine + _SENDER + theirs)
        who = pack((_NAME, _SENDER), (_SIGNATURE, signature))
        yield pack((_STATE, b"\3"), (_SEALED, _seal(key, b"PV-Msg03", who)))
        _check(self.answer)


def _seal(key: bytes, nonce: bytes, plain: bytes) -> bytes:
    return ChaCha20Poly1305(key).encrypt(bytes(4) + nonce, plain, None)
