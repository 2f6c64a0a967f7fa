"""Receivers that show a code, and the flow up to there."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.pairing.gate import Kind

from .flows import FEATURES, answer, discovered
from .zeroconf import raop_info

CODE = "0427"
KINDS = ["legacy", "home_kit"]


def gated(kind: Kind, **details: Any) -> VirtualReceiver:
    """Return a receiver that plays only for paired senders."""
    return VirtualReceiver(
        "Den",
        receiver_id="0A0B0C0D0E04",
        gate=Gate(kind, CODE),
        txt={"ft": FEATURES[kind], "am": "AppleTV5,3"} | details.pop("txt", {}),
        **details,
    )


def gate_of(receiver: VirtualReceiver) -> Gate:
    assert receiver.gate
    return receiver.gate


async def asked_for_code(
    hass: HomeAssistant, receiver: VirtualReceiver
) -> ConfigFlowResult:
    """Continue until the receiver shows its code."""
    form = await discovered(hass, raop_info(receiver))
    assert form["step_id"] == "confirm"
    assert gate_of(receiver).shown == 0
    return await answer(hass, form)
