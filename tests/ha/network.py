"""Home Assistant's mDNS without the network."""

from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

from custom_components.airplay.discovery import browser

from .silent_zeroconf import silent_zeroconf


@contextmanager
def quiet_network() -> Generator[None]:
    """Keep mDNS off the network, and do not wait for answers from there."""
    with (
        silent_zeroconf(),
        patch.object(browser, "SETTLE_S", 0.05),
        patch.object(browser, "BOTH_RECORDS_S", 0.05),
    ):
        yield
