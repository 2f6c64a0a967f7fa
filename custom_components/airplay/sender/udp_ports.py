"""The range of UDP ports that all speakers share, kept for the installation."""

import logging
from typing import TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..raop.api import PortRange, limit_udp_ports

_LOGGER = logging.getLogger(__name__)

_VERSION = 1


class _Kept(TypedDict):
    udp_ports: str


async def async_load_udp_ports(hass: HomeAssistant) -> PortRange | None:
    """Return the range, or None for any port; this process uses it from now on."""
    kept = await _store(hass).async_load()
    ports = None
    if kept and (text := kept["udp_ports"]):
        try:
            ports = PortRange.parse(text)
        except ValueError as err:
            _LOGGER.warning("Ignored the stored range of UDP ports: %s", err)
    limit_udp_ports(ports)
    return ports


async def async_keep_udp_ports(hass: HomeAssistant, ports: PortRange | None) -> None:
    """Store the range; this process uses it from now on."""
    limit_udp_ports(ports)
    await _store(hass).async_save(_Kept(udp_ports=str(ports or "")))


def _store(hass: HomeAssistant) -> Store[_Kept]:
    return Store[_Kept](hass, _VERSION, f"{DOMAIN}.network")
