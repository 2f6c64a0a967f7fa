"""Adding a receiver, through Home Assistant's flow manager."""

from collections.abc import AsyncGenerator
from contextlib import closing
import socket
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.airplay.const import AIRPLAY_TYPE, DOMAIN, RAOP_TYPE
from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.ha.flows import answer, discovered, opened
from tests.ha.players import entry_for
from tests.ha.zeroconf import Network, airplay_info, raop_info, service_info
from tests.virtual_receiver import Quirks, VirtualReceiver

KITCHEN_ID = "0a:0b:0c:0d:0e:01"


@pytest.fixture(autouse=True)
def no_setup() -> Any:
    """Test the flow alone: other tests cover the entry."""
    with patch(
        "custom_components.airplay.async_setup_entry", return_value=True
    ) as set_up:
        yield set_up


@pytest.fixture
def closed_port(socket_enabled: None) -> int:
    """Return a port without a listener."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
async def stranger(socket_enabled: None) -> AsyncGenerator[VirtualReceiver]:
    """Return something that answers, but not as a receiver does."""
    quirks = Quirks(garbage_reply=frozenset({"OPTIONS"}))
    async with VirtualReceiver("Web server", quirks=quirks) as receiver:
        yield receiver


async def test_discovered_receiver_is_added_after_a_click(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(kitchen))
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"] == {
        "name": "Kitchen",
        "model": "ShairportSync",
    }
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": "Kitchen"}

    entry = await answer(hass, form)

    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["title"] == "Kitchen"
    assert entry["result"].unique_id == KITCHEN_ID
    assert entry["data"] == {
        "id": "0a0b0c0d0e01",
        "name": "Kitchen",
        "host": "127.0.0.1",
        "addresses": ["127.0.0.1"],
        "raop": {
            "instance": "0A0B0C0D0E01@Kitchen",
            "port": kitchen.port,
            "txt": kitchen.txt,
        },
        "airplay": None,
        "manual": False,
    }
    assert kitchen.asked("OPTIONS")


async def test_both_records_make_one_card_and_one_entry(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen))
    network.announce(airplay_info(kitchen))
    await hass.async_block_till_done(wait_background_tasks=True)

    (flow,) = hass.config_entries.flow.async_progress()
    entry = await hass.config_entries.flow.async_configure(flow["flow_id"], {})

    assert entry["data"]["raop"]["txt"] == kitchen.txt
    assert entry["data"]["airplay"]["txt"]["deviceid"] == "0A:0B:0C:0D:0E:01"


async def test_airplay_record_waits_for_the_raop_record(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    with patch("custom_components.airplay.discovery.browser.BOTH_RECORDS_S", 5):
        network.announce(airplay_info(kitchen))
        network.announce(raop_info(kitchen))
        await hass.async_block_till_done(wait_background_tasks=True)

    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "confirm"


async def test_second_record_of_a_receiver_shows_no_second_card(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    await discovered(hass, raop_info(kitchen))

    second = await discovered(hass, airplay_info(kitchen))

    assert second["type"] is FlowResultType.ABORT
    assert second["reason"] == "already_in_progress"


async def test_rediscovery_updates_the_address(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    entry = entry_for(kitchen)
    entry.add_to_hass(hass)

    again = await discovered(
        hass, raop_info(kitchen, port=1234, addresses=("169.254.7.7", "10.0.0.9"))
    )

    assert again["reason"] == "already_configured"
    assert entry.data["host"] == "10.0.0.9"
    assert entry.data["raop"]["port"] == 1234


async def test_ignored_receiver_shows_no_card(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    MockConfigEntry(
        domain=DOMAIN, unique_id=KITCHEN_ID, source=SOURCE_IGNORE
    ).add_to_hass(hass)

    again = await discovered(hass, raop_info(kitchen))

    assert again["reason"] == "already_configured"


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("127.0.0.9", "127.0.0.1")], ids=["one", "two"]
)
async def test_receiver_added_by_its_address_shows_no_card(
    hass: HomeAssistant, kitchen: VirtualReceiver, addresses: tuple[str, ...]
) -> None:
    entry = entry_for(kitchen, manual=True)
    MockConfigEntry(
        domain=DOMAIN, unique_id=f"127.0.0.1:{kitchen.port}", data=entry.data
    ).add_to_hass(hass)

    again = await discovered(hass, raop_info(kitchen, addresses=addresses))

    assert again["reason"] == "already_configured"


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (
            service_info(RAOP_TYPE, "0A0B0C0D0E09@Old", {"tp": "TCP"}),
            "tcp_only",
        ),
        (
            service_info(RAOP_TYPE, "0A0B0C0D0E09@Closed", {"et": "3", "tp": "UDP"}),
            "encryption",
        ),
        (
            service_info(
                AIRPLAY_TYPE,
                "New",
                {"deviceid": "0A:0B:0C:0D:0E:09", "features": "0x200"},
            ),
            "no_protocol",
        ),
        (
            service_info(
                AIRPLAY_TYPE,
                "Screen",
                {"deviceid": "0A:0B:0C:0D:0E:09", "features": "0x40000080"},
            ),
            "no_audio",
        ),
        (
            service_info(
                RAOP_TYPE, "0A0B0C0D0E09@Lost", {}, addresses=("169.254.1.1",)
            ),
            "no_address",
        ),
    ],
)
async def test_receiver_that_cannot_be_played_to_shows_no_card(
    hass: HomeAssistant, info: ZeroconfServiceInfo, reason: str
) -> None:
    result = await discovered(hass, info)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason


async def test_discovered_receiver_that_is_off_can_be_tried_again(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(kitchen))
    await kitchen.stop()

    form = await answer(hass, form)
    assert form["errors"] == {"base": "cannot_connect"}

    await kitchen.start()
    assert (await answer(hass, form))["type"] is FlowResultType.CREATE_ENTRY


async def test_password_is_asked_for_and_tried_before_it_is_kept(
    hass: HomeAssistant, locked: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(locked))
    assert form["step_id"] == "password"

    form = await answer(hass, form, password="wrong")
    assert form["step_id"] == "password"
    assert form["errors"] == {"password": "invalid_auth"}

    entry = await answer(hass, form, password="secret")
    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["data"]["password"] == "secret"


async def test_password_is_requested_if_only_the_receiver_requires_it(
    hass: HomeAssistant, locked: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(locked, txt={"pw": "false"}))
    assert form["step_id"] == "confirm"

    form = await answer(hass, form)
    assert form["step_id"] == "password"
    assert not form["errors"]

    entry = await answer(hass, form, password="secret")
    assert entry["type"] is FlowResultType.CREATE_ENTRY


async def test_receiver_that_goes_during_the_password_step(
    hass: HomeAssistant, locked: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(locked))
    await locked.stop()

    form = await answer(hass, form, password="secret")
    assert form["errors"] == {"base": "cannot_connect"}

    await locked.start()
    entry = await answer(hass, form, password="secret")
    assert entry["type"] is FlowResultType.CREATE_ENTRY


async def test_user_picks_a_receiver_from_the_network(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    locked: VirtualReceiver,
    network: Network,
) -> None:
    MockConfigEntry(
        domain=DOMAIN, unique_id=KITCHEN_ID, source=SOURCE_IGNORE
    ).add_to_hass(hass)
    entry_for(locked).add_to_hass(hass)
    network.announce(raop_info(kitchen))
    network.announce(raop_info(locked))
    network.announce(
        service_info(RAOP_TYPE, "0A0B0C0D0E09@Attic", {"tp": "TCP", "am": "Air1"})
    )

    form = await opened(hass)
    assert form["step_id"] == "user"
    assert form["data_schema"]
    assert [
        (option["value"], option["label"])
        for option in form["data_schema"].schema["receiver"].config["options"]
    ] == [
        ("0a0b0c0d0e09", "Attic (Air1) - unsupported older protocol"),
        ("0a0b0c0d0e01", "Kitchen (ShairportSync)"),
        ("address", "address"),
    ]

    form = await answer(hass, form, receiver="0a0b0c0d0e09")
    assert form["errors"] == {"receiver": "tcp_only"}

    await kitchen.stop()
    form = await answer(hass, form, receiver="0a0b0c0d0e01")
    assert form["errors"] == {"base": "cannot_connect"}

    await kitchen.start()
    entry = await answer(hass, form, receiver="0a0b0c0d0e01")
    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["result"].unique_id == KITCHEN_ID


async def test_user_picks_a_receiver_with_a_password(
    hass: HomeAssistant, locked: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(locked))
    form = await opened(hass)

    form = await answer(hass, form, receiver="0a0b0c0d0e02")

    assert form["step_id"] == "password"


async def test_user_enters_an_address(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(service_info(RAOP_TYPE, "0A0B0C0D0E09@Attic", {}))
    form = await opened(hass)
    form = await answer(hass, form, receiver="address")
    assert form["step_id"] == "address"

    entry = await answer(hass, form, host=" 127.0.0.1 ", port=kitchen.port)

    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["title"] == "127.0.0.1"
    assert entry["result"].unique_id == f"127.0.0.1:{kitchen.port}"
    assert entry["data"]["manual"] is True


async def test_address_of_a_known_receiver_is_that_receiver(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen))
    form = await opened(hass)
    form = await answer(hass, form, receiver="address")

    entry = await answer(hass, form, host="127.0.0.1", port=kitchen.port)

    assert entry["title"] == "Kitchen"
    assert entry["result"].unique_id == KITCHEN_ID


async def test_address_of_a_receiver_that_answers_when_asked_directly(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    form = await opened(hass)
    assert form["step_id"] == "address"
    with patch("custom_components.airplay.discovery.browser.SETTLE_S", 0.5):
        hass.loop.call_later(0.1, network.announce, raop_info(kitchen))

        entry = await answer(hass, form, host="127.0.0.1", port=kitchen.port)

    assert entry["title"] == "Kitchen"


async def test_wrong_addresses_can_be_corrected(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    stranger: VirtualReceiver,
    closed_port: int,
) -> None:
    form = await opened(hass)

    form = await answer(hass, form, host="127.0.0.1", port=closed_port)
    assert form["errors"] == {"base": "cannot_connect"}
    form = await answer(hass, form, host="127.0.0.1", port=stranger.port)
    assert form["errors"] == {"base": "not_understood"}

    entry = await answer(hass, form, host="localhost", port=kitchen.port)
    assert entry["type"] is FlowResultType.CREATE_ENTRY


async def test_address_of_a_receiver_that_cannot_be_played_to(
    hass: HomeAssistant, network: Network
) -> None:
    network.announce(service_info(RAOP_TYPE, "0A0B0C0D0E09@Old", {"tp": "TCP"}))
    form = await opened(hass)
    form = await answer(hass, form, receiver="address")

    form = await answer(hass, form, host="127.0.0.1", port=5000)

    assert form["errors"] == {"base": "tcp_only"}


async def test_address_is_added_once(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    form = await opened(hass)
    await answer(hass, form, host="127.0.0.1", port=kitchen.port)

    form = await opened(hass)
    again = await answer(hass, form, host="127.0.0.1", port=kitchen.port)

    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_configured"


async def test_address_with_a_password(
    hass: HomeAssistant, locked: VirtualReceiver
) -> None:
    form = await opened(hass)
    form = await answer(hass, form, host="127.0.0.1", port=locked.port)
    assert form["step_id"] == "password"

    entry = await answer(hass, form, password="secret")

    assert entry["data"]["password"] == "secret"
    assert entry["data"]["manual"] is True


async def test_reauth_stores_the_new_password(
    hass: HomeAssistant, locked: VirtualReceiver
) -> None:
    entry = entry_for(locked, password="old")
    entry.add_to_hass(hass)
    form = await entry.start_reauth_flow(hass)
    assert form["step_id"] == "reauth_confirm"

    form = await answer(hass, form, password="older")
    assert form["errors"] == {"password": "invalid_auth"}

    done = await answer(hass, form, password="secret")
    assert done["reason"] == "reauth_successful"
    assert entry.data["password"] == "secret"
    await hass.async_block_till_done()


async def test_reconfigure_changes_address_and_password(
    hass: HomeAssistant, locked: VirtualReceiver, closed_port: int
) -> None:
    entry = entry_for(locked)
    entry.add_to_hass(hass)
    form = await entry.start_reconfigure_flow(hass)
    assert form["step_id"] == "reconfigure"

    form = await answer(hass, form, host="127.0.0.1", port=closed_port)
    assert form["errors"] == {"base": "cannot_connect"}
    form = await answer(hass, form, host="127.0.0.1", port=locked.port)
    assert form["errors"] == {"base": "password_required"}

    done = await answer(
        hass, form, host="127.0.0.1", port=locked.port, password="secret"
    )
    assert done["reason"] == "reconfigure_successful"
    assert entry.data["password"] == "secret"
    assert entry.data["id"] == "0a0b0c0d0e02"
    assert entry.data["raop"]["txt"] == locked.txt
    await hass.async_block_till_done()


async def test_reconfigure_without_a_password_removes_it(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    entry = entry_for(kitchen, password="old")
    entry.add_to_hass(hass)
    form = await entry.start_reconfigure_flow(hass)

    await answer(hass, form, host="127.0.0.1", port=kitchen.port)

    assert "password" not in entry.data
    await hass.async_block_till_done()


async def test_reconfigure_refuses_another_receiver(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    locked: VirtualReceiver,
    network: Network,
) -> None:
    network.announce(raop_info(kitchen))
    network.announce(raop_info(locked))
    entry = entry_for(kitchen)
    entry.add_to_hass(hass)
    form = await entry.start_reconfigure_flow(hass)

    form = await answer(hass, form, host="127.0.0.1", port=locked.port)
    assert form["errors"] == {"base": "wrong_receiver"}

    done = await answer(hass, form, host="127.0.0.1", port=kitchen.port)
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
