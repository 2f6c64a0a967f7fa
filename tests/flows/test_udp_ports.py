"""The range of UDP ports: set in the options, and nothing is bound outside of it."""

from collections.abc import Iterator
from contextlib import suppress
import os
import re
import signal
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.airplay.const import DOMAIN
from custom_components.airplay.raop.engine.net.port_pool import limit_udp_ports
from custom_components.airplay.raop.udp_ports import PortRange
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from tests.free_ports import occupied, port_range, udp_ports_of
from tests.ha.flows import answer, discovered
from tests.ha.players import call, entry_for, play, player_of, set_up, state_of
from tests.ha.processes import sender_pids
from tests.ha.watch import Watch
from tests.ha.zeroconf import raop_info
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver

from .test_options import ANNOUNCEMENTS, suggested

# The clock of AirPlay 2, which has ports of its own.
PTP = {319, 320}
FIELDS: dict[str, Any] = {
    "depth": 1,
    "keep_paused": 10,
    "announcements": ANNOUNCEMENTS,
}


@pytest.fixture(autouse=True)
def no_limit() -> Iterator[None]:
    """Let tests that follow in this process use any port."""
    yield
    limit_udp_ports(None)


@pytest.fixture
async def entry(hass: HomeAssistant, kitchen: VirtualReceiver) -> MockConfigEntry:
    """Return the entry of a speaker that is set up."""
    made = entry_for(kitchen)
    await set_up(hass, made)
    return made


@pytest.fixture
def player(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return the entity id of the speaker."""
    return player_of(hass, entry)


async def submit(hass: HomeAssistant, entry: MockConfigEntry, text: str) -> Any:
    """Enter a range, and return the form or the end of the flow."""
    form = await hass.config_entries.options.async_init(entry.entry_id)
    flow = hass.config_entries.options.async_configure
    done = await flow(form["flow_id"], FIELDS | {"udp_ports": text})
    await hass.async_block_till_done()
    return done


async def use(hass: HomeAssistant, entry: MockConfigEntry, ports: object) -> None:
    """Enter a range that can be used."""
    done = await submit(hass, entry, str(ports or ""))
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def shown(hass: HomeAssistant, entry: MockConfigEntry) -> str | None:
    """Return the range that the form shows."""
    form = await hass.config_entries.options.async_init(entry.entry_id)
    filled: str | None = suggested(form["data_schema"]).get("udp_ports")
    return filled


def bound() -> set[int]:
    """Return the UDP ports of the sender process, but for those of the clock."""
    (pid,) = sender_pids()
    return udp_ports_of(pid) - PTP


def within(ports: PortRange) -> bool:
    """Return whether the sender has ports, all in the range."""
    return bool(bound()) and bound() <= set(range(ports.first, ports.last + 1))


async def test_a_session_opens_no_port_outside_of_the_range(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    entry: MockConfigEntry,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    ports = port_range(64)
    await use(hass, entry, ports)
    assert await shown(hass, entry) == str(ports)

    watch = Watch(hass, player)
    await play(hass, player, song)
    assert within(ports)
    assert len(bound()) == 3
    await watch.until_is("idle")

    assert kitchen.heard(song_pcm).is_complete


async def test_a_change_applies_to_the_next_session_and_cuts_off_none(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    entry: MockConfigEntry,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    await use(hass, entry, None)
    watch = Watch(hass, player)
    await play(hass, player, song)
    before, (pid,) = bound(), sender_pids()
    ports = port_range(64)

    await use(hass, entry, ports)
    assert bound() == before
    await watch.until_is("idle")
    assert kitchen.heard(song_pcm).is_complete

    await play(hass, player, song)
    assert within(ports)
    assert sender_pids() == [pid]
    await call(hass, player, "media_stop")

    await use(hass, entry, "")
    assert await shown(hass, entry) is None
    await play(hass, player, song)
    assert not bound() & set(range(ports.first, ports.last + 1))
    await call(hass, player, "media_stop")


async def test_a_process_that_is_started_again_keeps_to_the_range(
    hass: HomeAssistant, entry: MockConfigEntry, player: str, song: str
) -> None:
    ports = port_range(64)
    await use(hass, entry, ports)

    os.kill(sender_pids()[0], signal.SIGKILL)
    with suppress(HomeAssistantError):
        # The end of the process may come in the middle.
        await play(hass, player, song)
    await play(hass, player, song)

    assert within(ports)
    await call(hass, player, "media_stop")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("6001", "udp_ports_invalid"),
        ("80-200", "udp_ports_invalid"),
        ("7000-6000", "udp_ports_invalid"),
        ("60000-70000", "udp_ports_invalid"),
        ("6001-6063", "udp_ports_few"),
    ],
)
async def test_a_range_that_cannot_be_is_refused_by_the_form(
    hass: HomeAssistant, entry: MockConfigEntry, text: str, error: str
) -> None:
    form = await submit(hass, entry, text)

    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {"udp_ports": error}
    assert suggested(form["data_schema"])["udp_ports"] == text
    assert await shown(hass, entry) is None


async def test_a_range_in_use_by_other_programs_is_named(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    player: str,
    song: str,
) -> None:
    ports = port_range(64)
    with occupied(ports):
        form = await submit(hass, entry, str(ports))
        assert form["errors"] == {"udp_ports": "udp_ports_in_use"}
    await use(hass, entry, ports)

    named = rf"all UDP ports of the range in its options \({ports}\)"
    with occupied(ports), pytest.raises(HomeAssistantError, match=named):
        await play(hass, player, song)

    await play(hass, player, song)
    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")


async def test_a_group_of_both_kinds_opens_no_port_outside_of_the_range(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    entry: MockConfigEntry,
    player: str,
    song: str,
    song_pcm: bytes,
    socket_enabled: None,
) -> None:
    ports = port_range(64)
    await use(hass, entry, ports)
    async with AirPlay2Receiver(
        "Den", receiver_id="0A0B0C0D0E09", quirks=Quirks(takes_ptp=False)
    ) as den:
        record = {"instance": den.name, "port": den.port, "txt": den.airplay_txt({})}
        other = entry_for(den, airplay=record)
        other.add_to_hass(hass)
        hass.config_entries.async_update_entry(
            other, options={"lane": "airplay2-realtime"}
        )
        await hass.config_entries.async_setup(other.entry_id)
        await hass.async_block_till_done()
        watch = Watch(hass, player)
        await call(hass, player, "join", group_members=[player_of(hass, other)])

        await play(hass, player, song)
        assert within(ports)
        assert len(bound()) == 6
        await watch.until_is("idle")

        assert kitchen.heard(song_pcm).is_complete
        assert den.heard(song_pcm).is_complete
        await hass.config_entries.async_remove(other.entry_id)


async def test_the_check_of_a_password_keeps_to_the_range_of_the_installation(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    kitchen: VirtualReceiver,
) -> None:
    ports = port_range(64)
    hass_storage["airplay.network"] = {
        "version": 1,
        "data": {"udp_ports": str(ports)},
    }
    await async_setup_component(hass, DOMAIN, {})
    kitchen.password = "sesame"

    form = await discovered(hass, raop_info(kitchen))
    done = await answer(hass, form, password="sesame")

    assert done["type"] is FlowResultType.CREATE_ENTRY
    transport = kitchen.asked("SETUP")[0].headers["transport"]
    used = {int(port) for port in re.findall(r"_port=(\d+)", transport)}
    assert len(used) == 2
    assert used <= set(range(ports.first, ports.last + 1))


async def test_a_stored_range_that_cannot_be_is_ignored(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    kitchen: VirtualReceiver,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hass_storage["airplay.network"] = {"version": 1, "data": {"udp_ports": "1-2"}}
    player = await set_up(hass, entry_for(kitchen))

    await play(hass, player, song)

    assert "Ignored the stored range of UDP ports" in caplog.text
    await call(hass, player, "media_stop")


async def test_a_range_may_be_set_while_no_speaker_is_set_up(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    entry, ports = entry_for(kitchen), port_range(64)
    entry.add_to_hass(hass)
    assert not sender_pids()
    # The entry is set up afterward, as with all changed options.
    await use(hass, entry, ports)
    player = player_of(hass, entry)
    await play(hass, player, song)

    assert within(ports)
    await call(hass, player, "media_stop")
