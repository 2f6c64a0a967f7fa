"""HomeKit pair-setup: for good with the PIN that a receiver shows, or for one connection.

HomeKit Accessory Protocol §5.6, as AirPlay receivers use it. For one connection
("transient") the secret is 3939 on open receivers and the device password on protected
ones, and nothing is kept afterward. After a failed attempt a new connection is needed:
receivers answer wrongly on the old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ..errors import ReceiverProtocolError
from ..wire import tlv8
from ..wire.handshake import Handshake
from ..wire.opack import build_opack
from ..wire.rtsp import Request
from ..wire.tlv8 import Tag
from . import srp
from .credentials import HomeKitCredentials
from .keys import derive, seal, unseal
from .pairing_client import PairingClient, show_pin
from .pairing_messages import LASTING_KIND, TRANSIENT_KIND, message, read_answer

OPEN_SECRET = "3939"  # noqa: S105 - public
_URI = "/pair-setup"
_TRANSIENT_FLAG = 0x10
_MOST_ID_BYTES = 255


def transient_setup(private: int, secret: str = OPEN_SECRET) -> Handshake[bytes]:
    """Agree on a key of 64 bytes, from which the connection's keys follow.

    The private exponent has 256 random bits and passes `srp.is_usable`.

    Raises AuthenticationError: the receiver does not accept the secret, or does not
    know it.
    Raises RaopError: see `read_answer` and `srp.prove`.
    """
    first = {
        Tag.STATE: b"\x01",
        Tag.METHOD: b"\x00",
        Tag.FLAGS: bytes((_TRANSIENT_FLAG,)),
    }
    response = yield message(_URI, TRANSIENT_KIND, first)
    offer = read_answer(response, 2, Tag.SALT, Tag.PUBLIC_KEY)
    proof = srp.prove(secret, private, offer[Tag.SALT], offer[Tag.PUBLIC_KEY])
    response = yield message(_URI, TRANSIENT_KIND, _third(proof))
    answer = read_answer(response, 4, Tag.PROOF)
    proof.check(answer[Tag.PROOF])
    return proof.key


@dataclass(frozen=True, slots=True, repr=False)
class Offer:
    """What a receiver offers before the PIN is proved: its salt and B."""

    salt: bytes
    public: bytes


@dataclass(frozen=True, slots=True)
class HomeKitSetup:
    """Pairing by PIN, messages M1 to M6, with the user's typing after M2."""

    client: PairingClient

    def begin(self) -> Handshake[Offer]:
        """Have the receiver show its PIN, and return its offer.

        Raises RaopError: see `show_pin` and `read_answer`.
        """
        yield from show_pin(self.client, (("X-Apple-HKP", str(LASTING_KIND)),))
        response = yield self._message({Tag.STATE: b"\x01", Tag.METHOD: b"\x00"})
        offer = read_answer(response, 2, Tag.SALT, Tag.PUBLIC_KEY)
        return Offer(offer[Tag.SALT], offer[Tag.PUBLIC_KEY])

    def finish(
        self, offer: Offer, pin: str, private: int, seed: bytes
    ) -> Handshake[HomeKitCredentials]:
        """Prove the PIN, exchange long-term keys, and return the credentials to keep.

        The private exponent is as for `transient_setup`; the seed of our long-term key
        has 32 random bytes.

        Raises AuthenticationError: the PIN is wrong.
        Raises RaopError: see `read_answer`, `srp.prove`, and `unseal`; the receiver's
        key is not valid.
        """
        proof = srp.prove(pin, private, offer.salt, offer.public)
        response = yield self._message(_third(proof))
        answer = read_answer(response, 4, Tag.PROOF)
        proof.check(answer[Tag.PROOF])
        key = derive(proof.key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info")
        ours = tlv8.encode(self._introduction(proof.key, seed))
        fifth = {Tag.STATE: b"\x05", Tag.ENCRYPTED_DATA: seal(key, "PS-Msg05", ours)}
        response = yield self._message(fifth)
        answer = read_answer(response, 6, Tag.ENCRYPTED_DATA)
        theirs = tlv8.decode(unseal(key, "PS-Msg06", answer[Tag.ENCRYPTED_DATA]))
        receiver_id, receiver_key = _introduced(proof.key, theirs)
        return HomeKitCredentials(
            receiver_key, seed, receiver_id, self.client.id.encode()
        )

    def _message(self, items: Mapping[Tag, bytes]) -> Request:
        return message(_URI, LASTING_KIND, items, self.client.headers)

    def _introduction(self, secret: bytes, seed: bytes) -> dict[Tag, bytes]:
        """Return our id and long-term key, signed; the name is for the screen."""
        signer = Ed25519PrivateKey.from_private_bytes(seed)
        public = signer.public_key().public_bytes_raw()
        who = self.client.id.encode()
        prefix = "Pair-Setup-Controller-Sign"
        proved = derive(secret, f"{prefix}-Salt", f"{prefix}-Info")
        return {
            Tag.IDENTIFIER: who,
            Tag.PUBLIC_KEY: public,
            Tag.SIGNATURE: signer.sign(proved + who + public),
            Tag.NAME: build_opack({"name": self.client.name}),
        }


def _third(proof: srp.Proof) -> dict[Tag, bytes]:
    return {
        Tag.STATE: b"\x03",
        Tag.PUBLIC_KEY: proof.public,
        Tag.PROOF: proof.proof,
    }


def _introduced(secret: bytes, items: Mapping[int, bytes]) -> tuple[bytes, bytes]:
    """Return the receiver's id and long-term key, which it must have signed."""
    who, public = items.get(Tag.IDENTIFIER, b""), items.get(Tag.PUBLIC_KEY, b"")
    if not 0 < len(who) <= _MOST_ID_BYTES:
        raise ReceiverProtocolError("pair-setup: the receiver's id is not valid")
    prefix = "Pair-Setup-Accessory-Sign"
    proved = derive(secret, f"{prefix}-Salt", f"{prefix}-Info")
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(items.get(Tag.SIGNATURE, b""), proved + who + public)
    except (InvalidSignature, ValueError) as err:
        raise ReceiverProtocolError(
            "pair-setup: the receiver's key is not valid"
        ) from err
    return who, public
