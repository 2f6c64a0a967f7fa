"""The identity of this installation toward receivers: a permanent ID and port."""

import secrets
from typing import NotRequired, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..raop.api import Identity

_VERSION = 1


class _Kept(TypedDict):
    dacp_id: str
    dacp_port: NotRequired[int]


async def async_get_identity(hass: HomeAssistant) -> Identity:
    """Return the installation's identity, creating it on the first call."""
    store = _store(hass)
    kept = await store.async_load()
    if kept is None:
        kept = _Kept(dacp_id=_new_dacp_id())
        await store.async_save(kept)
    return Identity(
        dacp_id=kept["dacp_id"],
        client_name=hass.config.location_name or "Home Assistant",
        dacp_port=kept.get("dacp_port", 0),
    )


async def async_keep_port(hass: HomeAssistant, port: int) -> None:
    """Store the port that receivers learn with the ID; they are slow to find another."""
    store = _store(hass)
    if kept := await store.async_load():
        await store.async_save({**kept, "dacp_port": port})


def _store(hass: HomeAssistant) -> Store[_Kept]:
    return Store[_Kept](hass, _VERSION, f"{DOMAIN}.identity", private=True)


def _new_dacp_id() -> str:
    """Return 16 hex digits without a leading 0, which receivers strip and then miss."""
    return f"{(1 + secrets.randbelow(15)) << 60 | secrets.randbits(60):016X}"
