"""Bridges, which are not offered automatically but can be added by hand."""

from typing import Any
from unittest.mock import patch

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.ha.flows import discovered, opened
from tests.ha.zeroconf import Network, raop_info
from tests.virtual_receiver import VirtualReceiver

# The address of this machine in Home Assistant's tests.
OWN, OTHER = "10.10.10.10", "10.10.10.11"


@pytest.fixture(autouse=True)
def no_setup() -> Any:
    """Test the flow alone."""
    with patch("custom_components.airplay.async_setup_entry", return_value=True) as it:
        yield it


@pytest.mark.parametrize(
    ("model", "address"),
    [("aircast", OTHER), ("airupnp", OTHER), ("ShairportSync", OWN)],
)
async def test_a_bridge_is_not_offered(
    hass: HomeAssistant, kitchen: VirtualReceiver, model: str, address: str
) -> None:
    info = raop_info(kitchen, txt={"am": model}, addresses=(address,))

    result = await discovered(hass, info)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "bridge"
    assert result["description_placeholders"] == {"name": "Kitchen"}


@pytest.mark.parametrize(
    ("model", "address"), [("ShairportSync", OTHER), ("Sonos", OWN)]
)
async def test_a_speaker_is_offered(
    hass: HomeAssistant, kitchen: VirtualReceiver, model: str, address: str
) -> None:
    info = raop_info(kitchen, txt={"am": model}, addresses=(address,))

    assert (await discovered(hass, info))["step_id"] == "confirm"


async def test_a_bridge_is_named_in_the_list_and_can_be_added(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen, txt={"am": "aircast"}))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not hass.config_entries.flow.async_progress()

    form = await opened(hass)
    assert form["data_schema"]
    (field,) = form["data_schema"].schema.values()
    labels = [each["label"] for each in field.config["options"]]
    assert labels[0] == "Kitchen (aircast) - bridge to other speakers"

    added = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"receiver": "0a0b0c0d0e01"}
    )
    assert added["type"] is FlowResultType.CREATE_ENTRY
    assert added["title"] == "Kitchen"


async def test_a_screen_for_mirroring_is_not_offered(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    uxplay = {"am": "AppleTV3,2", "vs": "220.68", "ft": "0x527FFEE6,0x0", "et": "0,3,5"}

    result = await discovered(hass, raop_info(kitchen, txt=uxplay))

    assert result["reason"] == "mirroring_only"
