"""Receivers that are no speakers, but pass audio on to speakers of their own."""

from homeassistant.core import HomeAssistant, callback

from ..raop.api import Receiver, plain_address
from .records import async_own_addresses

# shairport-sync, in the record of its AirPlay 1 and of its AirPlay 2.
_PROGRAM = "shairport"


@callback
def async_is_bridge(hass: HomeAssistant, receiver: Receiver) -> bool:
    """Whether a receiver is a bridge to other speakers.

    One that runs on this machine usually plays to what this machine can play to, too.
    """
    if receiver.is_bridge:
        return True
    is_program = (receiver.model or "").lower().startswith(_PROGRAM)
    places = {plain_address(each) for each in receiver.addresses}
    return is_program and bool(places & async_own_addresses(hass))
