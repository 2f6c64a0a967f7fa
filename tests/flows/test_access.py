"""Pairing a new receiver by a code, through Home Assistant's flow manager."""

import pytest

from custom_components.airplay.const import AIRPLAY_TYPE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from tests.ha.flows import FEATURES, answer, discovered, opened
from tests.ha.pairing import CODE, KINDS, asked_for_code, gate_of, gated
from tests.ha.zeroconf import Network, airplay_info, raop_info, service_info
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver
from tests.virtual_receiver.pairing import Gate

pytestmark = pytest.mark.usefixtures("no_setup")


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_code_is_shown_when_it_is_asked_for_and_proved_by_a_session(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await asked_for_code(hass, den)
    assert form["step_id"] == "pair"
    assert not form["errors"]
    assert gate_of(den).shown == 1

    form = await answer(hass, form, code="1234")
    assert form["step_id"] == "pair"
    assert form["errors"] == {"code": "wrong_code"}
    assert gate_of(den).shown == 2
    assert not gate_of(den).senders

    entry = await answer(hass, form, code=" 04 27 ")
    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["data"]["credentials"]
    assert "password" not in entry["data"]
    assert len(gate_of(den).senders) == 1
    assert [each.method for each in den.requests[-4:]] == [
        "OPTIONS",
        "ANNOUNCE",
        "SETUP",
        "TEARDOWN",
    ]
    assert den.violations == []
    await den.wait_until(lambda: not den._tasks)


async def test_receiver_hides_its_code_when_the_user_leaves(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await asked_for_code(hass, den)
    assert den._tasks

    hass.config_entries.flow.async_abort(form["flow_id"])

    await den.wait_until(lambda: not den._tasks)


async def test_receiver_shows_no_code_to_a_user_who_left_before(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(den))
    den.quirks = Quirks(reply_delay_s={"POST": 0.1})
    asking = hass.async_create_task(answer(hass, form))
    await den.wait_for("POST")

    hass.config_entries.flow.async_abort(form["flow_id"])

    with pytest.raises(UnknownFlow):
        await asking
    assert gate_of(den).shown == 1
    await den.wait_until(lambda: not den._tasks)


async def test_code_of_a_receiver_with_a_password_is_its_password(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with gated("home_kit", password=CODE) as den:
        form = await asked_for_code(hass, den)

        entry = await answer(hass, form, code=CODE)

        assert entry["data"]["password"] == CODE
        assert entry["data"]["credentials"]


async def test_password_that_is_not_the_code_is_asked_for_too(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with gated("home_kit", password="secret", txt={"pw": "false"}) as den:
        form = await asked_for_code(hass, den)
        form = await answer(hass, form, code=CODE)
        assert form["step_id"] == "password"

        entry = await answer(hass, form, password="secret")

        assert entry["data"]["password"] == "secret"
        assert entry["data"]["credentials"]


async def test_access_setting_of_the_home_comes_before_any_code(
    hass: HomeAssistant, den: VirtualReceiver, network: Network
) -> None:
    closed = {"acl": "1", "flags": "0x644", "features": FEATURES["home_kit"]}
    network.announce(raop_info(den))
    network.announce(airplay_info(den, txt=closed))
    await hass.async_block_till_done(wait_background_tasks=True)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "access"

    form = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    assert form["step_id"] == "access"
    assert form["errors"] == {"base": "home_only"}
    assert gate_of(den).shown == 0

    network.announce(airplay_info(den, txt=closed | {"acl": "0"}))
    await hass.async_block_till_done()
    form = await answer(hass, form)
    assert form["step_id"] == "pair"
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


async def test_setting_of_the_home_is_named_in_the_list(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen))
    network.announce(airplay_info(kitchen, txt={"act": "2"}))
    form = await opened(hass)
    form = await answer(hass, form, receiver="0a0b0c0d0e01")
    assert form["step_id"] == "access"

    network.announce(airplay_info(kitchen))
    await hass.async_block_till_done()
    await kitchen.stop()
    form = await answer(hass, form)
    assert form["errors"] == {"base": "cannot_connect"}
    await kitchen.start()
    entry = await answer(hass, form)
    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["result"].unique_id == "0a:0b:0c:0d:0e:01"


async def test_user_picks_a_receiver_that_shows_a_code(
    hass: HomeAssistant, den: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(den, txt={"sf": "0x4"}))
    form = await opened(hass)

    # The record omits it; the receiver reports it on request.
    form = await answer(hass, form, receiver="0a0b0c0d0e04")

    assert form["step_id"] == "pair"
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


async def test_airplay_record_names_the_port_of_pairing(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    txt = {"flags": "0x204", "features": "0x4A7FDFD5,0x3C155FDE"}
    info = service_info(
        AIRPLAY_TYPE, "Den", {"deviceid": "0A:0B:0C:0D:0E:04"} | txt, port=den.port
    )
    form = await discovered(hass, info)
    form = await answer(hass, form)

    entry = await answer(hass, form, code=CODE)

    assert entry["data"]["raop"] is None
    assert entry["data"]["credentials"]


async def test_password_of_airplay_2_is_proved_by_pairing(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """As on shairport-sync, which admits all senders by AirPlay 1."""
    gate = Gate("home_kit", "sesame", takes_transient=True, is_open=True)
    quirks = Quirks(takes_ptp=False)
    async with AirPlay2Receiver(
        "Den", gate=gate, quirks=quirks, txt={"sf": "0x84"}, airplay={"flags": "0x84"}
    ) as den:
        form = await discovered(hass, raop_info(den))
        form = await answer(hass, form, password="open")
        assert form["errors"] == {"password": "invalid_auth"}

        entry = await answer(hass, form, password="sesame")

        assert entry["data"]["password"] == "sesame"


async def test_password_form_is_replaced_by_a_code_form(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(den, txt={"sf": "0x84"}))
    assert form["step_id"] == "password"

    form = await answer(hass, form, password="secret")

    assert form["step_id"] == "pair"
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_receiver_known_by_address_only_reports_how_it_pairs(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await opened(hass)
    form = await answer(hass, form, host="localhost", port=den.port)
    assert form["step_id"] == "pair"

    entry = await answer(hass, form, code=CODE)

    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["data"]["airplay"]["txt"]["model"] == "AppleTV5,3"
    assert entry["result"].unique_id == f"localhost:{den.port}"


@pytest.mark.parametrize("status", [400, 403, 470, 500])
async def test_password_is_proved_by_the_protocol_that_plays(
    hass: HomeAssistant, socket_enabled: None, network: Network, status: int
) -> None:
    """AirPlay 1 is refused whatever the password, and AirPlay 2 plays."""
    quirks = Quirks(raop_refuse={"ANNOUNCE": status}, takes_ptp=False)
    async with AirPlay2Receiver("Den", password="sesame", quirks=quirks) as den:
        network.announce(airplay_info(den))
        network.announce(raop_info(den))
        await hass.async_block_till_done(wait_background_tasks=True)
        [form] = hass.config_entries.flow.async_progress()
        if form["step_id"] == "confirm":
            form = await answer(hass, form)
        assert form["step_id"] == "password"

        form = await answer(hass, form, password="guess")
        assert form["errors"] == {"password": "invalid_auth"}
        done = await answer(hass, form, password="sesame")

        assert done["type"] is FlowResultType.CREATE_ENTRY
        assert done["data"]["password"] == "sesame"
