"""Fixtures of the zoo."""

from collections.abc import Callable, Generator
from unittest.mock import patch

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa as rsa_keys
import pytest

from custom_components.airplay.raop.auth import rsa
from tests.virtual_receiver.airplay2 import PtpPorts

from .receiver import free_udp_ports

_OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)


@pytest.fixture(autouse=True)
def no_other_integrations() -> Generator[None]:
    """Let no other integration discover the devices: some look for 18 s."""
    with patch("homeassistant.loader.ZEROCONF", {}):
        yield


@pytest.fixture(scope="session")
def airport_key() -> rsa_keys.RSAPrivateKey:
    """Return a key in place of the AirPort's."""
    return rsa_keys.generate_private_key(65537, 2048)


@pytest.fixture
def open_key(
    airport_key: rsa_keys.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bytes], bytes]:
    """Return how receivers open the key of encrypted audio."""
    public = airport_key.public_key()
    monkeypatch.setattr(rsa, "_public_key", lambda: public)
    monkeypatch.setenv("AIRPLAY_TEST_RSA", f"{public.public_numbers().n:x}")
    return lambda sealed: airport_key.decrypt(sealed, _OAEP)


@pytest.fixture
def ptp(monkeypatch: pytest.MonkeyPatch) -> PtpPorts:
    """Return the PTP ports of a receiver, and keep the sender's off the standard ones."""
    ports = free_udp_ports(4)
    monkeypatch.setenv("AIRPLAY_TEST_PTP_PORTS", ",".join(map(str, ports)))
    sender_event, sender_general, event, general = ports
    return PtpPorts(event, general, sender_event, sender_general)
