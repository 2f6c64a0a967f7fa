"""A device with the ID of a speaker that has a password or keys, and asks for neither."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.airplay.const import DOMAIN
from homeassistant.components.repairs import RepairsFlowManager
from homeassistant.components.repairs.const import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.ha.flows import answer
from tests.ha.pairing import CODE, gate_of, gated
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver
from tests.virtual_receiver.pairing import Gate

ID = "0A0B0C0D0E01"

# The entry, its player, and the first form of the repair.
type Asked = tuple[MockConfigEntry, str, Any]


def issues(hass: HomeAssistant) -> list[str | None]:
    """Return the kinds of all issues of the integration."""
    found = ir.async_get(hass).issues.values()
    return [each.translation_key for each in found if each.active]


async def start_fix(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Open the repair of an entry; return its first form."""
    assert await async_setup_component(hass, REPAIRS, {})
    await hass.async_block_till_done()
    flows: RepairsFlowManager = hass.data[REPAIRS]["flow_manager"]
    issue = f"unlocked_{entry.entry_id}"
    return await flows.async_init(DOMAIN, data={"issue_id": issue})


async def confirm(hass: HomeAssistant, form: Any) -> Any:
    flows: RepairsFlowManager = hass.data[REPAIRS]["flow_manager"]
    done = await flows.async_configure(form["flow_id"], {})
    await hass.async_block_till_done()
    return done


@asynccontextmanager
async def airplay_2(
    network: Network, **details: Any
) -> AsyncGenerator[AirPlay2Receiver]:
    """Return a receiver of AirPlay 2 that is announced."""
    quirks = Quirks(takes_ptp=False)
    async with AirPlay2Receiver(
        "Kitchen", receiver_id=ID, quirks=quirks, **details
    ) as receiver:
        network.announce(raop_info(receiver))
        network.announce(airplay_info(receiver))
        yield receiver


async def is_refused(
    hass: HomeAssistant, receiver: VirtualReceiver, player: str, song: str
) -> bool:
    """Whether nothing is played on a receiver, and the user learns why."""
    with pytest.raises(HomeAssistantError, match="no longer asks for its password"):
        await play(hass, player, song)
    await hass.async_block_till_done()
    assert state_of(hass, player).state == "idle"
    assert not receiver.asked("RECORD")
    return not receiver.played


@pytest.fixture
async def asked(hass: HomeAssistant, locked: VirtualReceiver, song: str) -> Asked:
    """Ask whether the password of a speaker is gone, which it was when it was to play."""
    entry = entry_for(locked, password="secret")
    player = await set_up(hass, entry)
    locked.password = None
    assert await is_refused(hass, locked, player, song)
    return entry, player, await start_fix(hass, entry)


async def test_password_that_is_not_asked_for_any_more_has_to_be_confirmed(
    hass: HomeAssistant,
    locked: VirtualReceiver,
    song: str,
    song_pcm: bytes,
) -> None:
    entry = entry_for(locked, password="secret")
    player = await set_up(hass, entry)
    await play(hass, player, song)
    await call(hass, player, "media_stop")
    locked.clear()
    locked.password = None

    assert await is_refused(hass, locked, player, song)
    assert await is_refused(hass, locked, player, song)

    assert issues(hass) == ["unlocked"]
    assert not hass.config_entries.flow.async_progress()
    assert entry.data["password"] == "secret"
    form = await start_fix(hass, entry)
    assert form["description_placeholders"] == {"name": "Bedroom"}
    assert (await confirm(hass, form))["type"] is FlowResultType.CREATE_ENTRY
    assert issues(hass) == []
    assert "password" not in entry.data
    watch = Watch(hass, player)
    await play(hass, player, song)
    await watch.until_is("idle")
    assert locked.heard(song_pcm).is_complete


async def test_issue_ends_when_the_password_is_asked_for_again(
    hass: HomeAssistant, locked: VirtualReceiver, song: str
) -> None:
    player = await set_up(hass, entry_for(locked, password="secret"))
    locked.password = None
    assert await is_refused(hass, locked, player, song)
    assert issues(hass) == ["unlocked"]

    locked.password = "secret"
    await play(hass, player, song)

    assert issues(hass) == []
    await call(hass, player, "media_stop")


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
async def test_device_with_the_id_of_a_paired_receiver_gets_no_sound_by_airplay_1(
    hass: HomeAssistant, socket_enabled: None, network: Network, song: str, kind: Any
) -> None:
    async with gated(kind) as den:
        entry = entry_for(den, credentials=gate_of(den).acquaint())
        player = await set_up(hass, entry)
    async with VirtualReceiver("Den", receiver_id=den.receiver_id) as fake:
        network.announce(raop_info(fake, txt={"ft": "0x0", "sf": "0x0"}))
        await hass.async_block_till_done()

        assert await is_refused(hass, fake, player, song)

        assert issues(hass) == ["unlocked"]
        assert await hass.config_entries.async_remove(entry.entry_id)
        assert issues(hass) == []


@pytest.mark.parametrize("secret", ["password", "credentials"])
async def test_device_with_the_id_of_a_speaker_gets_no_sound_by_airplay_2(
    hass: HomeAssistant, socket_enabled: None, network: Network, song: str, secret: str
) -> None:
    gate = Gate("home_kit", CODE, name=b"0A:0B:0C:0D:0E:01")
    secrets = {"password": "secret", "credentials": gate.acquaint()}
    details: dict[str, Any] = {"password": "secret"}
    if secret == "credentials":
        details = {"gate": gate}
    async with airplay_2(network, **details) as real:
        entry = entry_for(real, **{secret: secrets[secret]})
        player = await set_up(hass, entry)
        await play(hass, player, song)
        assert real.has_session
        await call(hass, player, "media_stop")
    async with airplay_2(network) as fake:
        await hass.async_block_till_done()

        assert await is_refused(hass, fake, player, song)

        assert issues(hass) == ["unlocked"]
        await confirm(hass, await start_fix(hass, entry))
        await play(hass, player, song)
        assert fake.has_session
        await call(hass, player, "media_stop")


async def test_receiver_with_another_key_gets_no_sound_and_is_paired_again(
    hass: HomeAssistant, socket_enabled: None, network: Network, song: str
) -> None:
    names = b"0A:0B:0C:0D:0E:01"
    gate = Gate("home_kit", CODE, name=names)
    txt = {"flags": "0x204"}
    entry = None
    async with airplay_2(network, gate=gate, airplay=txt) as real:
        entry = entry_for(real, credentials=gate.acquaint())
        player = await set_up(hass, entry)
    other = Gate("home_kit", CODE, name=names, senders=gate.senders)
    async with airplay_2(network, gate=other, airplay=txt) as fake:
        await hass.async_block_till_done()

        with pytest.raises(HomeAssistantError, match="no longer recognizes"):
            await play(hass, player, song)

        assert not fake.played
        await hass.async_block_till_done()
        (flow,) = hass.config_entries.flow.async_progress()
        assert flow["step_id"] == "reauth_pair"


@pytest.mark.usefixtures("no_setup")
async def test_reauth_asks_whether_the_password_is_gone(
    hass: HomeAssistant, locked: VirtualReceiver
) -> None:
    entry = entry_for(locked, password="old")
    entry.add_to_hass(hass)
    form = await entry.start_reauth_flow(hass)
    assert form["step_id"] == "reauth_confirm"
    locked.password = None

    form = await answer(hass, form, password="secret")
    assert form["step_id"] == "unlocked"
    assert entry.data["password"] == "old"
    done = await answer(hass, form)

    assert done["reason"] == "reauth_successful"
    assert "password" not in entry.data


@pytest.mark.usefixtures("no_setup")
async def test_reconfigure_asks_whether_the_password_is_gone(
    hass: HomeAssistant, locked: VirtualReceiver
) -> None:
    entry = entry_for(locked, password="secret")
    entry.add_to_hass(hass)
    locked.password = None
    form = await entry.start_reconfigure_flow(hass)
    where = {"host": locked.host, "port": locked.port}

    form = await answer(hass, form, **where, password="secret")
    assert form["step_id"] == "unlocked"
    locked.password = "secret"
    form = await answer(hass, form)
    assert form["errors"] == {"base": "password_required"}
    assert entry.data["password"] == "secret"
    locked.password = None
    done = await answer(hass, form)

    assert done["reason"] == "reconfigure_successful"
    assert "password" not in entry.data


async def test_repair_that_is_confirmed_too_late_keeps_the_password(
    hass: HomeAssistant, locked: VirtualReceiver, song: str, asked: Asked
) -> None:
    entry, player, form = asked

    locked.password = "secret"
    await play(hass, player, song)
    await call(hass, player, "media_stop")
    done = await confirm(hass, form)

    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "resolved")
    assert entry.data["password"] == "secret"


async def test_repair_of_a_speaker_that_was_removed(
    hass: HomeAssistant, asked: Asked
) -> None:
    entry, _, form = asked

    await hass.config_entries.async_remove(entry.entry_id)
    done = await confirm(hass, form)

    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "removed")
