"""HomeKit pair-setup for one connection ("transient"): nothing is kept afterward.

The secret is 3939 on open receivers and the device password on protected ones. After
a failed attempt a new connection is needed: receivers answer wrongly on the old one.
"""

from ..errors import AuthenticationError
from ..wire.handshake import Handshake
from ..wire.tlv8 import Tag
from . import srp
from .pairing_messages import message, read_answer

OPEN_SECRET = "3939"  # noqa: S105 - public
_URI = "/pair-setup"
_PIN_KIND = 3
_TRANSIENT_KIND = 4
_TRANSIENT_FLAG = 0x10


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
    response = yield message(_URI, _TRANSIENT_KIND, first)
    offer = read_answer(response, 2, Tag.SALT, Tag.PUBLIC_KEY)
    proof = srp.prove(secret, private, offer[Tag.SALT], offer[Tag.PUBLIC_KEY])
    third = {
        Tag.STATE: b"\x03",
        Tag.PUBLIC_KEY: proof.public,
        Tag.PROOF: proof.proof,
    }
    response = yield message(_URI, _TRANSIENT_KIND, third)
    answer = read_answer(response, 4, Tag.PROOF, denied=AuthenticationError)
    proof.check(answer[Tag.PROOF])
    return proof.key


def ask_setup() -> Handshake[None]:
    """Ask whether the receiver would accept a PIN now.

    Raises RaopError: it would not, see `read_answer`.
    """
    first = {Tag.STATE: b"\x01", Tag.METHOD: b"\x00"}
    response = yield message(_URI, _PIN_KIND, first)
    read_answer(response, 2, Tag.SALT, Tag.PUBLIC_KEY)
