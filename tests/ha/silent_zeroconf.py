"""Home Assistant's zeroconf off the network; imports nothing of the integration."""

from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

from zeroconf import IPVersion

from homeassistant.components import zeroconf


@contextmanager
def silent_zeroconf() -> Generator[None]:
    """Keep mDNS off the network."""
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
    ):
        yield
