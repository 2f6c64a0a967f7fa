"""SRP-6a as receivers use it for PINs and passwords (RFC 5054).

HomeKit pairing uses the group with 3072 bits and SHA-512; the older kind the group with
2048 bits and SHA-1, and a session key of two hashes.

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
_HOME_KIT_USER = "Pair-Setup"
# OpenSSL knows the group with this generator; the result depends on neither value.
_OPENSSL_GENERATOR = 2
_ANY_PUBLIC = 4
_LEAST_EXPONENT = 2


@dataclass(frozen=True, slots=True, repr=False)
class Group:
    """The numbers and the hash of one kind of pairing.

    The session key is the hash of the secret and each of `key_suffixes` in turn.
    """

    prime: int
    generator: int
    algorithm: str
    key_suffixes: tuple[bytes, ...]
    is_known_to_openssl: bool

    def power(self, base: int, exponent: int) -> int:
        """Return a power within the group.

        With 3072 bits, Python needs a tenth of a second, in which no other thread runs,
        not even the pacing thread. OpenSSL, whose key exchange is exactly such a power,
        is ten times as fast; its maintainers plan to remove it one day. It spends two
        seconds on the primality of a group that it does not know.
        """
        is_degenerate = base in (0, 1, self.prime - 1) or exponent < _LEAST_EXPONENT
        if is_degenerate or not self.is_known_to_openssl:
            # A receiver can cause a degenerate value, which OpenSSL rejects.
            return pow(base, exponent, self.prime)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from cryptography.hazmat.primitives.asymmetric import dh

                group = dh.DHParameterNumbers(self.prime, _OPENSSL_GENERATOR)
                ours = dh.DHPublicNumbers(_ANY_PUBLIC, group)
                private = dh.DHPrivateNumbers(exponent, ours).private_key()
                public = dh.DHPublicNumbers(base, group).public_key()
                return int.from_bytes(private.exchange(public))
        except AttributeError, ImportError, ValueError, UnsupportedAlgorithm:
            return pow(base, exponent, self.prime)

    def digest(self, *parts: bytes) -> bytes:
        """Return the hash of the joined parts."""
        joined = b"".join(parts)
        return hashlib.new(self.algorithm, joined, usedforsecurity=False).digest()

    def number(self, *parts: bytes) -> int:
        """Return the hash of the joined parts as a number."""
        return int.from_bytes(self.digest(*parts))

    def padded(self, number: int) -> bytes:
        """Return a number with as many bytes as the prime has."""
        return number.to_bytes(len(_plain(self.prime)))


HOME_KIT = Group(
    prime=int(
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
    ),
    generator=5,
    algorithm="sha512",
    key_suffixes=(b"",),
    is_known_to_openssl=True,
)
LEGACY = Group(
    prime=int(
        "ac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050"
        "a37329cbb4a099ed8193e0757767a13dd52312ab4b03310dcd7f48a9da04fd50"
        "e8083969edb767b0cf6095179a163ab3661a05fbd5faaae82918a9962f0b93b8"
        "55f97993ec975eeaa80d740adbf4ff747359d041d5c33ea71d281e446b14773b"
        "ca97b43a23fb801676bd207a436c6481f1d2b9078717461a5b9d32e688f87748"
        "544523b524b0d57d5ea77a2775d2ecfa032cfbdbf52fb3786160279004e57ae6"
        "af874e7303ce53299ccc041c7bc308d82a5698f3a8d0c38271ae35f8e9dbfbb6"
        "94b5c803d89f7ae435de236d525f54759b65e372fcd68ef20fa7111f9e4aff73",
        16,
    ),
    generator=2,
    algorithm="sha1",
    key_suffixes=(b"\0\0\0\0", b"\0\0\0\1"),
    is_known_to_openssl=False,
)


@dataclass(frozen=True, slots=True, repr=False)
class Proof:
    """The proof of a PIN to a receiver, and the answer that it must give."""

    public: bytes
    proof: bytes
    key: bytes
    answer: bytes

    def check(self, answer: bytes) -> None:
        """Check that the receiver knows the PIN too.

        Raises AuthenticationError: it does not.
        """
        if not hmac.compare_digest(answer, self.answer):
            raise AuthenticationError("the receiver does not know the code")


def is_usable(private: int, group: Group = HOME_KIT) -> bool:
    """Return whether a private exponent gives an A without leading zero bytes."""
    public = _plain(group.power(group.generator, private))
    return len(public) == len(_plain(group.prime))


def prove(
    pin: str,
    private: int,
    salt: bytes,
    receiver_public: bytes,
    *,
    group: Group = HOME_KIT,
    user: str = _HOME_KIT_USER,
) -> Proof:
    """Compute A, M1, K, and M2 from the receiver's salt and B.

    Raises ReceiverProtocolError: B is not a member of the group.
    """
    b = int.from_bytes(receiver_public)
    if not 0 < b < group.prime:
        raise ReceiverProtocolError("the receiver's public key is not valid")
    a = group.power(group.generator, private)
    k = group.number(group.padded(group.prime), group.padded(group.generator))
    u = group.number(group.padded(a), group.padded(b))
    x = group.number(salt, group.digest(f"{user}:{pin}".encode(errors="replace")))
    base = (b - k * group.power(group.generator, x)) % group.prime
    secret = _plain(group.power(base, private + u * x))
    key = b"".join(group.digest(secret, suffix) for suffix in group.key_suffixes)
    mixed = group.number(_plain(group.prime)) ^ group.number(_plain(group.generator))
    who = group.digest(user.encode())
    public = _plain(a)
    proof = group.digest(mixed.to_bytes(len(who)), who, salt, public, _plain(b), key)
    return Proof(public, proof, key, group.digest(public, proof, key))


def _plain(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
