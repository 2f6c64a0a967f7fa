"""The older ("fruit") pairing by PIN, of Apple TVs with AirPlay 1.

Three property lists to `/pair-setup-pin`, after the receiver shows its PIN: our id, the
proof of the PIN, and our long-term key. As pair_ap, OwnTone, and pyatv do it; no
document of Apple's describes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import (
    AuthenticationError,
    PairingRefusedError,
    RaopError,
    ReceiverProtocolError,
    ReceiverRefusedError,
)
from ..wire.handshake import Handshake
from ..wire.plist import build_plist, parse_plist
from ..wire.rtsp import Request, Response
from . import srp
from .credentials import LegacyCredentials
from .pairing_client import PairingClient, show_pin
from .pairing_messages import AGENT

_URI = "/pair-setup-pin"
_PLIST = "application/x-apple-binary-plist"
_REFUSALS = (401, 403, 470)
_TAG_BYTES = 16
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class LegacySetup:
    """Pairing by PIN; the id of the client has 16 hex digits in upper case."""

    client: PairingClient

    def begin(self) -> Handshake[None]:
        """Have the receiver show its PIN.

        Raises RaopError: see `show_pin`.
        """
        yield from show_pin(self.client)

    def finish(
        self, pin: str, private: int, seed: bytes
    ) -> Handshake[LegacyCredentials]:
        """Prove the PIN, send our long-term key, and return the credentials to keep.

        The private exponent has 256 random bits and passes `srp.is_usable` for the
        group `srp.LEGACY`; the seed of our long-term key has 32 random bytes.

        Raises AuthenticationError: the PIN is wrong.
        Raises PairingRefusedError: the receiver pairs with no sender.
        Raises ReceiverRefusedError: it refuses a request for another reason.
        Raises ReceiverProtocolError: an answer is malformed.
        """
        user = self.client.id
        response = yield self._request({"method": "pin", "user": user})
        offer = _read(
            response, PairingRefusedError("the receiver pairs with no sender")
        )
        salt, public = _octets(offer, "salt"), _octets(offer, "pk")
        proof = srp.prove(pin, private, salt, public, group=srp.LEGACY, user=user)
        response = yield self._request({"pk": proof.public, "proof": proof.proof})
        denied = AuthenticationError("the receiver does not accept the proof")
        answer = _read(response, denied)
        if "proof" not in answer:
            raise denied
        proof.check(_octets(answer, "proof"))
        response = yield self._request(_sealed_key(proof.key, seed))
        _check(response, denied)
        return LegacyCredentials(bytes.fromhex(user), seed)

    def _request(self, items: Mapping[str, object]) -> Request:
        headers = (*AGENT, *self.client.headers)
        return Request("POST", _URI, headers, build_plist(items), _PLIST)


def _sealed_key(secret: bytes, seed: bytes) -> dict[str, object]:
    """Return our long-term key, encrypted with AES-GCM under the shared secret."""
    key = hashlib.sha512(b"Pair-Setup-AES-Key" + secret).digest()[:_KEY_BYTES]
    iv = bytearray(hashlib.sha512(b"Pair-Setup-AES-IV" + secret).digest()[:_KEY_BYTES])
    iv[-1] = (iv[-1] + 1) % 256
    signer = Ed25519PrivateKey.from_private_bytes(seed)
    public = signer.public_key().public_bytes_raw()
    sealed = AESGCM(key).encrypt(bytes(iv), public, None)
    return {"epk": sealed[:-_TAG_BYTES], "authTag": sealed[-_TAG_BYTES:]}


def _read(response: Response, refusal: RaopError) -> dict[str, object]:
    _check(response, refusal)
    return parse_plist(response.body)


def _check(response: Response, refusal: RaopError) -> None:
    if response.status in _REFUSALS:
        raise refusal
    if not 200 <= response.status < 300:
        text = f"{_URI}: the receiver answered {response.status}"
        raise ReceiverRefusedError(text, status=response.status)


def _octets(items: Mapping[str, object], name: str) -> bytes:
    value = items.get(name)
    if not isinstance(value, bytes) or not value:
        raise ReceiverProtocolError(f"{_URI}: the answer lacks {name}")
    return value
