"""Who this installation is towards receivers: one id, kept for ever."""

import secrets
from typing import TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .raop.messages import Identity

_VERSION = 1


class _Kept(TypedDict):
    dacp_id: str


async def async_get_identity(hass: HomeAssistant) -> Identity:
    """Return the installation's identity, made at the first time."""
    store = Store[_Kept](hass, _VERSION, f"{DOMAIN}.identity", private=True)
    kept = await store.async_load()
    if kept is None:
        kept = _Kept(dacp_id=_new_dacp_id())
        await store.async_save(kept)
    return Identity(
        dacp_id=kept["dacp_id"],
        client_name=hass.config.location_name or "Home Assistant",
    )


def _new_dacp_id() -> str:
    """Make 16 hex digits without a leading 0, which receivers strip and then miss."""
    return f"{(1 + secrets.randbelow(15)) << 60 | secrets.randbits(60):016X}"
