"""Pair-verify: prove to a receiver that we are the sender paired with it."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..errors import (
    CredentialsRejectedError,
    PairingRequiredError,
    ReceiverProtocolError,
    ReceiverRefusedError,
)
from ..wire import tlv8
from ..wire.handshake import Handshake
from ..wire.rtsp import Request, Response
from ..wire.tlv8 import Tag
from .channel import ChannelKeys
from .credentials import Credentials, HomeKitCredentials, LegacyCredentials
from .keys import derive, seal, unseal
from .pairing_client import id_headers
from .pairing_messages import LASTING_KIND, message, read_answer

_URI = "/pair-verify"
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_REFUSALS = (400, 401, 403, 470)


def verify(credentials: Credentials, private: bytes) -> Handshake[ChannelKeys | None]:
    """Verify by stored keys; return keys if the connection is encrypted from here on.

    The private key for the exchange is 32 random bytes, new for each connection.

    Raises CredentialsRejectedError: the receiver does not know the pairing, or is not
    the paired one.
    Raises ReceiverRefusedError: it refuses for another reason.
    Raises ReceiverProtocolError: an answer is malformed.
    """
    if isinstance(credentials, LegacyCredentials):
        yield from legacy_verify(credentials, private)
        return None
    secret = yield from home_kit_verify(credentials, private)
    return ChannelKeys.control(secret)


def home_kit_verify(
    credentials: HomeKitCredentials, private: bytes
) -> Handshake[bytes]:
    """Exchange signed keys, messages M1 to M4; return the shared secret.

    Raises the errors of `verify`.
    """
    own = X25519PrivateKey.from_private_bytes(private)
    public = own.public_key().public_bytes_raw()
    first = {Tag.STATE: b"\x01", Tag.PUBLIC_KEY: public}
    headers = id_headers(credentials.client_id)
    response = yield message(_URI, LASTING_KIND, first, headers)
    offer = _read(response, 2, Tag.PUBLIC_KEY, Tag.ENCRYPTED_DATA)
    theirs = offer[Tag.PUBLIC_KEY]
    secret = _exchange(own, theirs)
    key = derive(secret, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info")
    _check_receiver(
        credentials, unseal(key, "PV-Msg02", offer[Tag.ENCRYPTED_DATA]), theirs, public
    )
    signer = Ed25519PrivateKey.from_private_bytes(credentials.seed)
    signature = signer.sign(public + credentials.client_id + theirs)
    who = {Tag.IDENTIFIER: credentials.client_id, Tag.SIGNATURE: signature}
    third = {
        Tag.STATE: b"\x03",
        Tag.ENCRYPTED_DATA: seal(key, "PV-Msg03", tlv8.encode(who)),
    }
    response = yield message(_URI, LASTING_KIND, third, headers)
    _read(response, 4)
    return secret


def legacy_verify(credentials: LegacyCredentials, private: bytes) -> Handshake[None]:
    """Verify the older kind of pairing; the connection stays unencrypted.

    One AES-CTR key stream: the receiver's signature uses up its first 64 bytes.

    Raises the errors of `verify`.
    """
    own = X25519PrivateKey.from_private_bytes(private)
    public = own.public_key().public_bytes_raw()
    signer = Ed25519PrivateKey.from_private_bytes(credentials.seed)
    identity = signer.public_key().public_bytes_raw()
    response = yield _legacy(b"\x01\x00\x00\x00" + public + identity)
    _expect(response)
    if len(response.body) != _KEY_BYTES + _SIGNATURE_BYTES:
        raise ReceiverProtocolError("pair-verify: the answer has a wrong length")
    theirs, signed = response.body[:_KEY_BYTES], response.body[_KEY_BYTES:]
    secret = _exchange(own, theirs)
    key = hashlib.sha512(b"Pair-Verify-AES-Key" + secret).digest()[:16]
    iv = hashlib.sha512(b"Pair-Verify-AES-IV" + secret).digest()[:16]
    stream = Cipher(algorithms.AES128(key), modes.CTR(iv)).encryptor()
    stream.update(signed)
    proof = stream.update(signer.sign(public + theirs))
    response = yield _legacy(b"\x00\x00\x00\x00" + proof)
    _expect(response)


def _legacy(body: bytes) -> Request:
    return Request("POST", _URI, body=body, content_type="application/octet-stream")


def _expect(response: Response) -> None:
    if response.status in _REFUSALS:
        raise CredentialsRejectedError("the receiver does not know the pairing")
    if not 200 <= response.status < 300:
        text = f"pair-verify: the receiver answered {response.status}"
        raise ReceiverRefusedError(text, status=response.status)


def _read(response: Response, state: int, *needed: Tag) -> dict[int, bytes]:
    try:
        return read_answer(response, state, *needed, denied=CredentialsRejectedError)
    except PairingRequiredError as err:
        raise CredentialsRejectedError(
            "the receiver does not know the pairing"
        ) from err


def _exchange(own: X25519PrivateKey, theirs: bytes) -> bytes:
    try:
        return own.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError as err:
        raise ReceiverProtocolError("pair-verify: the key is not valid") from err


def _check_receiver(
    credentials: HomeKitCredentials, signed: bytes, theirs: bytes, public: bytes
) -> None:
    """Check that this is the receiver that we were paired with.

    A reset receiver has a new key and no longer knows the pairing.
    """
    items = tlv8.decode(signed)
    who, signature = items.get(Tag.IDENTIFIER, b""), items.get(Tag.SIGNATURE, b"")
    try:
        known = Ed25519PublicKey.from_public_bytes(credentials.receiver_key)
        known.verify(signature, theirs + who + public)
    except (InvalidSignature, ValueError) as err:
        raise CredentialsRejectedError("this is not the paired receiver") from err
