"""The option for a range of UDP ports, one for all speakers."""

from contextlib import suppress

from homeassistant.core import HomeAssistant

from ..const import DOMAIN
from ..raop.api import PortRange, RaopError, has_free_ports, needed_ports
from ..sender.sender import SENDER
from ..sender.udp_ports import async_keep_udp_ports, async_load_udp_ports
from .form_errors import FormError

CONF_UDP_PORTS = "udp_ports"


async def async_use_udp_ports(hass: HomeAssistant, text: str) -> None:
    """Use the range that a user entered, or any ports; open sessions keep theirs.

    Raises FormError: it is no range, is too small, or is in use by other programs.
    """
    ports = _parse(text) if text.strip() else None
    if ports == await async_load_udp_ports(hass):
        return
    if ports:
        least = needed_ports(len(hass.config_entries.async_entries(DOMAIN)))
        if ports.size < least:
            raise FormError("udp_ports_few", CONF_UDP_PORTS)
        # Half of them are spare, and may be in use, also by sessions of ours.
        is_free = hass.async_add_executor_job(has_free_ports, ports, least // 2)
        if not await is_free:
            raise FormError("udp_ports_in_use", CONF_UDP_PORTS)
    await async_keep_udp_ports(hass, ports)
    if sender := SENDER.current(hass):
        # A process that does not respond is restarted with the range.
        with suppress(RaopError):
            await sender.async_limit_udp_ports(ports)


def _parse(text: str) -> PortRange:
    try:
        return PortRange.parse(text)
    except ValueError as err:
        raise FormError("udp_ports_invalid", CONF_UDP_PORTS) from err
