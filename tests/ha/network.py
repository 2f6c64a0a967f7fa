"""Home Assistant's mDNS without the network."""

from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

from zeroconf import IPVersion

from custom_components.airplay.discovery import browser
from homeassistant.components import zeroconf


@contextmanager
def quiet_network() -> Generator[None]:
    """Keep mDNS off the network, and do not wait for answers from there."""
    alone = {
        "interfaces": ["127.0.0.1"],
        "ip_version": IPVersion.V4Only,
        "unicast": True,
    }
    with (
        patch.object(zeroconf, "_async_get_zc_args", return_value=alone),
        # Nothing is asked, so that no other test run on this machine answers.
        patch.object(zeroconf.HaZeroconf, "async_send"),
        # It stays for the process, and makes every later instance the first one.
        patch.object(zeroconf, "install_multiple_zeroconf_catcher"),
        patch.object(browser, "SETTLE_S", 0.05),
        patch.object(browser, "BOTH_RECORDS_S", 0.05),
    ):
        yield
