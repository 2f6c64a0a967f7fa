"""pyatv's own receivers as judges of our pairing; they share no code with ours."""

import binascii
import hashlib
import plistlib
from typing import Any, override

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyatv.protocols.airplay.server_auth import AirPlayServerAuth
from pyatv.protocols.airplay.srp import AtvSRPContext
from pyatv.support.http import HttpRequest, HttpResponse
from srptools import SRPServerSession, constants

from custom_components.airplay.raop.wire.rtsp import Request, Response


class PyatvHomeKit(AirPlayServerAuth):
    """pyatv's server of HomeKit pairing; it reads the PIN from its constructor."""

    def __init__(self, pin: str) -> None:
        """Start without any sender."""
        # As text, because the first digit may be 0.
        super().__init__("Den", pin=pin)  # type: ignore[arg-type]
        self.requests: list[Request] = []
        self.was_encrypted = False

    def answer(self, request: Request) -> Response:
        """Have pyatv answer a request."""
        self.requests.append(request)
        headers = dict(request.headers)
        asked = HttpRequest(
            request.method, request.uri, "RTSP", "1.0", headers, request.body
        )
        told = self.handle_request(asked)
        assert isinstance(told, HttpResponse)
        assert isinstance(told.body, bytes)
        return Response(told.code, told.message, {}, told.body)

    @override
    def enable_encryption(self, output_key: bytes, input_key: bytes) -> None:
        """Note that the receiver encrypts from now on."""
        self.was_encrypted = True

    @override
    def _m1_setup(self, pairing_data: Any, transient: bool) -> Any:
        # srptools drops leading zeros of the salt, which no receiver does.
        while True:
            answer = super()._m1_setup(pairing_data, transient)
            if not str(self.salt).lstrip("b'").startswith("00"):
                return answer


class PyatvLegacy:
    """A receiver of the older pairing, on pyatv's context of srptools."""

    def __init__(self, pin: str) -> None:
        """Start without any sender."""
        self._pin = pin
        self._server: Any = None
        self._salt = ""
        self.requests: list[Request] = []
        self.sender: bytes | None = None

    def answer(self, request: Request) -> Response:
        """Answer one of the three messages."""
        self.requests.append(request)
        if request.uri == "/pair-pin-start":
            return Response(200, "OK", {})
        asked = plistlib.loads(request.body)
        if "method" in asked:
            return self._offer(asked["user"])
        if "proof" in asked:
            return self._check(asked)
        return self._keep(asked)

    def _offer(self, user: str) -> Response:
        group = {
            "prime": constants.PRIME_2048,
            "generator": constants.PRIME_2048_GEN,
            "bits_salt": 128,
        }
        verifier, self._salt = "", "00"
        while self._salt.startswith("00"):
            context = AtvSRPContext(user, self._pin, **group)
            _, verifier, self._salt = context.get_user_data_triplet()
        context = AtvSRPContext(user, **group)
        self._server = SRPServerSession(context, verifier, "21" * 32)
        public = bytes.fromhex(self._server.public)
        return _plist(pk=public, salt=bytes.fromhex(self._salt))

    def _check(self, asked: dict[str, bytes]) -> Response:
        self._server.process(asked["pk"].hex(), self._salt)
        if not self._server.verify_proof(binascii.hexlify(asked["proof"])):
            return Response(470, "", {})
        return _plist(proof=bytes.fromhex(self._server.key_proof_hash.decode()))

    def _keep(self, asked: dict[str, bytes]) -> Response:
        secret = bytes.fromhex(self._server.key.decode())
        key = hashlib.sha512(b"Pair-Setup-AES-Key" + secret).digest()[:16]
        start = hashlib.sha512(b"Pair-Setup-AES-IV" + secret).digest()[:16]
        iv = start[:-1] + bytes(((start[-1] + 1) & 0xFF,))
        sealed = asked["epk"] + asked["authTag"]
        self.sender = AESGCM(key).decrypt(iv, sealed, None)
        return _plist(epk=bytes(32), authTag=bytes(16))


def public_of(seed: bytes) -> bytes:
    """Return the public key of a long-term key's seed."""
    own = Ed25519PrivateKey.from_private_bytes(seed)
    return own.public_key().public_bytes_raw()


def _plist(**items: bytes) -> Response:
    body = plistlib.dumps(items, fmt=plistlib.FMT_BINARY)
    return Response(200, "OK", {}, body)
