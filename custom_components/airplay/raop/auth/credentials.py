"""The stored keys of a pairing, in pyatv's text format.

HomeKit: receiver's public key, our seed, receiver's id, our id in hex, split by colons;
older ("fruit") pairing: our id and seed, or the same with the receiver's parts empty.
"""

from dataclasses import dataclass, field

from ..errors import CredentialsRejectedError

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class HomeKitCredentials:
    """Keys that identify us to a receiver with AirPlay 2."""

    receiver_key: bytes
    seed: bytes = field(repr=False)
    receiver_id: bytes
    client_id: bytes


@dataclass(frozen=True, slots=True)
class LegacyCredentials:
    """Keys that identify us to an older Apple TV."""

    client_id: bytes
    seed: bytes = field(repr=False)


type Credentials = HomeKitCredentials | LegacyCredentials


def parse_credentials(text: str) -> Credentials:
    """Parse stored credentials.

    Raises CredentialsRejectedError: the format is unknown; the text quotes no part.
    """
    try:
        parts = [bytes.fromhex(part) for part in text.split(":")]
    except ValueError:
        parts = []
    match parts:
        case [key, seed, receiver_id, client_id] if len(key) == len(seed) == _KEY_BYTES:
            return HomeKitCredentials(key, seed, receiver_id, client_id)
        case [client_id, seed] | [b"", seed, b"", client_id] if len(seed) == _KEY_BYTES:
            return LegacyCredentials(client_id, seed)
    raise CredentialsRejectedError("the stored pairing cannot be read")


def format_credentials(credentials: Credentials) -> str:
    """Return credentials as text to store, in the form that pyatv writes."""
    key, receiver_id = b"", b""
    if isinstance(credentials, HomeKitCredentials):
        key, receiver_id = credentials.receiver_key, credentials.receiver_id
    parts = (key, credentials.seed, receiver_id, credentials.client_id)
    return ":".join(part.hex() for part in parts)
