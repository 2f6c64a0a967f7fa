"""The verifier's side of SRP-6a (RFC 5054), for both kinds of pairing."""

from collections.abc import Callable
from dataclasses import dataclass
import hashlib
from typing import Any

type Hash = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Group:
    """A prime, a generator and a hash."""

    prime: int
    generator: int
    size: int
    hash: Hash

    def h(self, *parts: bytes) -> bytes:
        """Hash parts as one text."""
        word: bytes = self.hash(b"".join(parts)).digest()
        return word

    def number(self, *parts: bytes) -> int:
        """Hash parts to a number."""
        return int.from_bytes(self.h(*parts))

    def pad(self, value: int) -> bytes:
        """Write a number as long as the prime."""
        return value.to_bytes(self.size)


LEGACY = Group(
    int(
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
    2,
    256,
    lambda text: hashlib.sha1(text, usedforsecurity=False),
)
# RFC 5054 with 3072 bits is 2^3072 - 2^3008 - 1 + 2^64 * ([2^2942 pi] + 1690314)
HOME_KIT = Group(
    int(
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
    5,
    384,
    hashlib.sha512,
)


def short(value: int) -> bytes:
    """Write a number without leading zeros, as pair_ap hashes it."""
    return value.to_bytes(max(1, -(-value.bit_length() // 8)))


class Verifier:
    """One attempt of a sender to prove a code."""

    def __init__(
        self, group: Group, user: str, code: str, salt: bytes, private: bytes
    ) -> None:
        """Prepare the offer: salt and B."""
        self._group = group
        self._user = user
        self._b = int.from_bytes(private)
        self.salt = salt
        x = group.number(salt, group.h(f"{user}:{code}".encode()))
        self._v = pow(group.generator, x, group.prime)
        k = group.number(group.pad(group.prime), group.pad(group.generator))
        masked = pow(group.generator, self._b, group.prime)
        self._public = (k * self._v + masked) % group.prime
        self.key = b""
        self.answer = b""

    @property
    def public(self) -> bytes:
        """B as it goes over the wire."""
        return self._group.pad(self._public)

    @property
    def secret(self) -> int:
        """The shared secret, for tests of its leading zeros."""
        return self._secret

    def check(self, sender_public: bytes, proof: bytes) -> bool:
        """Return whether the sender knows the code; then there are a key and M2."""
        group = self._group
        a = int.from_bytes(sender_public)
        if a % group.prime == 0:
            return False
        u = group.number(group.pad(a % group.prime), self.public)
        self._secret = pow(a * pow(self._v, u, group.prime), self._b, group.prime)
        self.key = self._session_key(short(self._secret))
        mixed = group.number(short(group.prime)) ^ group.number(short(group.generator))
        whose = group.h(self._user.encode())
        expected = group.h(
            mixed.to_bytes(len(whose)),
            whose,
            self.salt,
            short(a),
            short(self._public),
            self.key,
        )
        self.answer = group.h(short(a), expected, self.key)
        return proof == expected

    def _session_key(self, secret: bytes) -> bytes:
        if self._group is LEGACY:
            return b"".join(self._group.h(secret, bytes([0, 0, 0, n])) for n in (0, 1))
        return self._group.h(secret)
