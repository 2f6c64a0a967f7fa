"""The logins of HomeKit and of the older pairing, for the ways that need one.

Its ciphers take as long to import as everything else that opens a way.
"""

import os
import secrets

from ...auth import srp
from ...auth.channel import ChannelKeys
from ...auth.credentials import HomeKitCredentials, parse_credentials
from ...auth.pair_setup import OPEN_SECRET, transient_setup
from ...auth.pair_verify import home_kit_verify, verify
from ...errors import CredentialsRejectedError
from ...wire.handshake import Handshake

_KEY_BYTES = 32


def prove_keys(credentials: str) -> Handshake[ChannelKeys | None]:
    """Prove stored keys to a receiver of AirPlay 1; see `pair_verify.verify`."""
    return verify(parse_credentials(credentials), secrets.token_bytes(_KEY_BYTES))


def log_in_by_keys(credentials: str) -> Handshake[bytes]:
    """Return the secret that is shared after stored keys are proven.

    Raises CredentialsRejectedError: the keys are not those of HomeKit.
    Raises the errors of `pair_verify.verify`.
    """
    keys = parse_credentials(credentials)
    if not isinstance(keys, HomeKitCredentials):
        raise CredentialsRejectedError("the stored keys are not those of HomeKit")
    return home_kit_verify(keys, secrets.token_bytes(_KEY_BYTES))


def log_in_by_secret(password: str | None) -> Handshake[bytes]:
    """Return the secret that is shared after a password, or after the open one.

    Raises the errors of `pair_setup.transient_setup`.
    """
    return transient_setup(srp_private(), password or OPEN_SECRET)


def control_keys(secret: bytes) -> ChannelKeys:
    """Return the keys of the control connection for the secret of a login."""
    return ChannelKeys.control(secret)


def srp_private(group: srp.Group = srp.HOME_KIT) -> int:
    """Return a random private exponent for SRP."""
    private = 0
    while not srp.is_usable(private, group):
        private = int.from_bytes(os.urandom(srp.PRIVATE_BYTES))
    return private
