"""SRP-6a as HomeKit pairing uses it: RFC 5054 with 3072 bits and SHA-512.

Receivers and open senders disagree about leading zero bytes, which one number in 256
has. A is chosen without any; B and the secret S are hashed without them, as in
pair_ap, HomeKitADK, and srptools; the salt is hashed unchanged.
"""

from dataclasses import dataclass
import hashlib
import hmac
import warnings

from cryptography.exceptions import UnsupportedAlgorithm

from ..errors import AuthenticationError, ReceiverProtocolError

PRIVATE_BYTES = 32
_USER = "Pair-Setup"
_GENERATOR = 5
_PRIME = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74"
    "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
    "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05"
    "98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb"
    "9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718"
    "3995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d04507a33"
    "a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7"
    "abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864"
    "d87602733ec86a64521f2b18177b200cbbe117577a615d6c770988c0bad946e2"
    "08e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff",
    16,
)
_PRIME_BYTES = 384
# OpenSSL knows the group with this generator; the result depends on neither value.
_OPENSSL_GENERATOR = 2
_ANY_PUBLIC = 4
_DEGENERATE = (0, 1, _PRIME - 1)
_LEAST_EXPONENT = 2


@dataclass(frozen=True, slots=True, repr=False)
class Proof:
    """The proof of a PIN to a receiver, and the answer that it must give."""

    public: bytes
    proof: bytes
    key: bytes

    def check(self, answer: bytes) -> None:
        """Check that the receiver knows the PIN too.

        Raises AuthenticationError: it does not.
        """
        expected = _hash(self.public, self.proof, self.key)
        if not hmac.compare_digest(answer, expected):
            raise AuthenticationError("the receiver does not know the code")


def is_usable(private: int) -> bool:
    """Return whether a private exponent gives an A without leading zero bytes."""
    return _power(_GENERATOR, private).bit_length() > (_PRIME_BYTES - 1) * 8


def prove(pin: str, private: int, salt: bytes, receiver_public: bytes) -> Proof:
    """Compute A, M1, and K from the receiver's salt and B.

    Raises ReceiverProtocolError: B is not a member of the group.
    """
    b = int.from_bytes(receiver_public)
    if not 0 < b < _PRIME:
        raise ReceiverProtocolError("the receiver's public key is not valid")
    a = _power(_GENERATOR, private)
    k = _number(_padded(_PRIME), _padded(_GENERATOR))
    u = _number(_padded(a), _padded(b))
    x = _number(salt, _hash(f"{_USER}:{pin}".encode(errors="replace")))
    base = (b - k * _power(_GENERATOR, x)) % _PRIME
    secret = _power(base, private + u * x)
    key = _hash(_plain(secret))
    group = _number(_plain(_PRIME)) ^ _number(_plain(_GENERATOR))
    who = _hash(_USER.encode())
    proof = _hash(group.to_bytes(64), who, salt, _plain(a), _plain(b), key)
    return Proof(_plain(a), proof, key)


def _power(base: int, exponent: int) -> int:
    """Return a power within the group.

    Python needs a tenth of a second, in which no other thread runs, not even the
    pacing thread. OpenSSL, whose key exchange is exactly such a power, is ten times as
    fast; its maintainers plan to remove it one day.
    """
    if base in _DEGENERATE or exponent < _LEAST_EXPONENT:
        # A receiver can cause this value, which OpenSSL rejects.
        return pow(base, exponent, _PRIME)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from cryptography.hazmat.primitives.asymmetric import dh

            group = dh.DHParameterNumbers(_PRIME, _OPENSSL_GENERATOR)
            ours = dh.DHPublicNumbers(_ANY_PUBLIC, group)
            private = dh.DHPrivateNumbers(exponent, ours).private_key()
            public = dh.DHPublicNumbers(base, group).public_key()
            return int.from_bytes(private.exchange(public))
    except AttributeError, ImportError, ValueError, UnsupportedAlgorithm:
        return pow(base, exponent, _PRIME)


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha512(b"".join(parts)).digest()


def _number(*parts: bytes) -> int:
    return int.from_bytes(_hash(*parts))


def _plain(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def _padded(number: int) -> bytes:
    return number.to_bytes(_PRIME_BYTES)
