"""Receivers that were paired before: forgotten pairings, new passwords, new addresses."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.flows import FEATURES, answer
from tests.ha.pairing import CODE, KINDS, gate_of, gated
from tests.ha.players import entry_for, play, set_up
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.pairing import Gate


@pytest.fixture
def paired(hass: HomeAssistant, den: VirtualReceiver) -> MockConfigEntry:
    """Return an entry whose credentials the receiver knows."""
    entry = entry_for(den, credentials=gate_of(den).acquaint())
    entry.add_to_hass(hass)
    return entry


async def reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, den: VirtualReceiver, *, pair: bool
) -> ConfigFlowResult:
    """Submit the form of the reconfigure flow; return the next step."""
    form = await entry.start_reconfigure_flow(hass)
    return await answer(hass, form, host=den.host, port=den.port, pair=pair)


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_receiver_without_our_pairing_requests_reauth_once(
    hass: HomeAssistant, den: VirtualReceiver, song: str
) -> None:
    entry = entry_for(den, credentials=gate_of(den).acquaint())
    player = await set_up(hass, entry)
    await play(hass, player, song)
    await hass.services.async_call(
        "media_player", "media_stop", {"entity_id": player}, blocking=True
    )
    gate_of(den).reset()

    for _ in range(3):
        with pytest.raises(
            HomeAssistantError, match="no longer recognizes Home Assistant"
        ):
            await play(hass, player, song)
    await hass.async_block_till_done()

    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_pair"
    assert gate_of(den).shown == 0
    form = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    form = await answer(hass, form, code="1111")
    assert form["errors"] == {"code": "wrong_code"}
    done = await answer(hass, form, code=CODE)
    assert done["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    await play(hass, player, song)
    assert den.has_session
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_receiver_that_lost_our_pairing_while_we_were_away(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    entry = entry_for(den, credentials=gate_of(den).acquaint())
    gate_of(den).reset()
    entry.add_to_hass(hass)

    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_pair"
    assert entry.reason
    assert "no longer recognizes Home Assistant" in entry.reason


async def test_receiver_that_refuses_is_not_asked_for_a_new_code(
    hass: HomeAssistant, den: VirtualReceiver, song: str
) -> None:
    entry = entry_for(den, credentials=gate_of(den).acquaint())
    player = await set_up(hass, entry)
    den.quirks = Quirks(refuse={"ANNOUNCE": 500})

    with pytest.raises(HomeAssistantError, match="Den rejected the request"):
        await play(hass, player, song)
    await hass.async_block_till_done()

    assert not hass.config_entries.flow.async_progress()
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_receiver_that_got_a_code_is_paired_in_the_reauth(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with gated("home_kit", password="secret") as den:
        entry = entry_for(den, password="old")
        entry.add_to_hass(hass)
        form = await entry.start_reauth_flow(hass)

        assert form["step_id"] == "reauth_pair"
        form = await answer(hass, form)
        form = await answer(hass, form, code=CODE)
        assert form["step_id"] == "password"
        done = await answer(hass, form, password="secret")

        assert done["reason"] == "reauth_successful"
        assert entry.data["password"] == "secret"
        assert entry.data["credentials"]
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("no_setup")
async def test_password_form_of_the_reauth_is_replaced_by_a_code_form(
    hass: HomeAssistant, locked: VirtualReceiver, socket_enabled: None
) -> None:
    entry = entry_for(locked, password="old")
    entry.add_to_hass(hass)
    form = await entry.start_reauth_flow(hass)
    assert form["step_id"] == "reauth_confirm"
    locked.password, locked.gate = None, Gate("legacy", CODE)

    form = await answer(hass, form, password="new")

    assert form["step_id"] == "pair"


@pytest.mark.usefixtures("no_setup")
async def test_reconfigure_pairs_again(
    hass: HomeAssistant, den: VirtualReceiver, paired: MockConfigEntry
) -> None:
    old = paired.data["credentials"]

    form = await reconfigure(hass, paired, den, pair=True)
    assert form["step_id"] == "pair"
    done = await answer(hass, form, code=CODE)

    assert done["reason"] == "reconfigure_successful"
    assert paired.data["credentials"] != old


@pytest.mark.usefixtures("no_setup")
async def test_reconfigure_keeps_a_working_pairing_and_repairs_a_broken_one(
    hass: HomeAssistant, den: VirtualReceiver, paired: MockConfigEntry
) -> None:
    old = paired.data["credentials"]

    done = await reconfigure(hass, paired, den, pair=False)
    assert done["reason"] == "reconfigure_successful"
    assert paired.data["credentials"] == old

    gate_of(den).reset()
    form = await reconfigure(hass, paired, den, pair=False)

    assert form["step_id"] == "pair"


@pytest.mark.usefixtures("no_setup")
async def test_pairing_with_an_open_receiver_is_kept_only_if_it_is_used(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with gated("legacy", txt={"sf": "0x4"}) as den:
        gate_of(den).is_open = True
        entry = entry_for(den, credentials=gate_of(den).acquaint())
        entry.add_to_hass(hass)
        form = await reconfigure(hass, entry, den, pair=True)

        form = await answer(hass, form, code=CODE)
        assert form["step_id"] == "unlocked"
        done = await answer(hass, form)

    assert done["reason"] == "reconfigure_successful"
    assert "credentials" not in entry.data


@pytest.mark.usefixtures("no_setup")
async def test_receiver_that_is_closed_to_others_now_names_the_setting(
    hass: HomeAssistant, den: VirtualReceiver, paired: MockConfigEntry, network: Network
) -> None:
    network.announce(raop_info(den))
    closed = {"acl": "1", "features": FEATURES["home_kit"]}
    network.announce(airplay_info(den, txt=closed))
    await hass.async_block_till_done()

    form = await reconfigure(hass, paired, den, pair=False)

    assert form["errors"] == {"base": "home_only"}
