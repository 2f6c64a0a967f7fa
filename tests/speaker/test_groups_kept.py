"""Groups survive reloads, restarts, lost receivers and lost processes."""

import asyncio
from collections.abc import AsyncGenerator
import os
from pathlib import Path
import signal
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.airplay.raop.messages import MemberChanged, MemberState, Seen
from custom_components.airplay.sender.sender import Sender
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.ha.diagnostics import diagnostics_of
from tests.ha.players import call, play, player_of, state_of
from tests.ha.processes import sender_pids
from tests.ha.songs import is_item
from tests.ha.three_speakers import HALL, KITCHEN, STUDY, House, house_of
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, raop_info


@pytest.fixture
async def house(hass: HomeAssistant, tmp_path: Path) -> AsyncGenerator[House]:
    """Return a house of three speakers."""
    async with house_of(hass, tmp_path) as built:
        yield built


async def reload(hass: HomeAssistant, house: House, *players: str) -> None:
    """Remove speakers, then bring them back one after another."""
    for each in players:
        await hass.config_entries.async_unload(house.entries[each].entry_id)
    for each in players:
        await hass.config_entries.async_setup(house.entries[each].entry_id)
        await hass.async_block_till_done()


async def test_leader_that_is_reloaded_leads_again_and_the_music_plays_on(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    pcm = await house.play(KITCHEN, "a", 8)
    watch = Watch(hass, KITCHEN)

    await reload(hass, house, KITCHEN)

    assert house.group(HALL) == [KITCHEN, HALL]
    await watch.until(is_item("a"))
    await house.ends(HALL)
    assert house.receivers[HALL].heard(pcm).is_complete
    assert house.are_alike(KITCHEN, HALL)


@pytest.mark.parametrize(
    "order", [(KITCHEN, HALL, STUDY), (HALL, STUDY, KITCHEN), (STUDY, KITCHEN, HALL)]
)
async def test_group_is_restored_in_any_order_of_its_speakers(
    hass: HomeAssistant, house: House, order: tuple[str, ...]
) -> None:
    await house.play(HALL, "own", 8)
    await call(hass, HALL, "media_stop")
    await house.join(KITCHEN, HALL, STUDY)
    await house.play(KITCHEN, "a", 8)
    await play(hass, STUDY, house.songs.make("b", 8), enqueue="add")
    await call(hass, HALL, "media_stop")

    await reload(hass, house, *order)

    assert {house.group(each)[0] for each in order} == {KITCHEN}
    assert {frozenset(house.group(each)) for each in order} == {frozenset(order)}
    await call(hass, STUDY, "media_play")
    assert is_item("a")(state_of(hass, HALL))
    assert state_of(hass, HALL).attributes["queue_size"] == 2
    await house.unjoin(HALL)
    await call(hass, HALL, "media_play")
    assert is_item("own")(state_of(hass, HALL))
    for each in (HALL, STUDY):
        await call(hass, each, "media_stop")


async def test_group_is_kept_on_the_disk_with_its_leader_first(
    hass: HomeAssistant, house: House, hass_storage: dict[str, Any]
) -> None:
    ids = {each: entry.entry_id for each, entry in house.entries.items()}
    await house.join(STUDY, KITCHEN, HALL)
    assert hass_storage["airplay.groups"]["data"] == [
        [ids[STUDY], ids[KITCHEN], ids[HALL]]
    ]

    await house.unjoin(STUDY)
    assert hass_storage["airplay.groups"]["data"] == [[ids[KITCHEN], ids[HALL]]]

    assert await hass.config_entries.async_remove(ids[KITCHEN])
    assert hass_storage["airplay.groups"]["data"] == []
    assert house.group(HALL) == []


async def test_member_that_left_while_another_was_away_stays_out(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL, STUDY)
    await hass.config_entries.async_unload(house.entries[KITCHEN].entry_id)
    assert house.group(HALL) == [HALL, STUDY]

    await house.unjoin(HALL)
    await hass.config_entries.async_setup(house.entries[KITCHEN].entry_id)
    await hass.async_block_till_done()

    assert house.group(HALL) == []
    assert sorted(house.group(STUDY)) == [KITCHEN, STUDY]


async def test_group_outlives_the_sender_process(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    await house.play(KITCHEN, "a", 9)
    watch = Watch(hass, HALL)

    os.kill(sender_pids()[0], signal.SIGKILL)
    await watch.until_is("idle")

    assert house.group(HALL) == [KITCHEN, HALL]
    await call(hass, HALL, "media_play")
    for each in (KITCHEN, HALL):
        assert is_item("a")(state_of(hass, each))
        assert house.receivers[each].has_session
    await call(hass, HALL, "media_stop")


def notices(hass: HomeAssistant) -> list[ir.IssueEntry]:
    found = ir.async_get(hass).issues.values()
    return [each for each in found if each.active and each.domain == "airplay"]


async def test_member_that_cannot_return_is_removed_with_a_notice(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    pcm = await house.play(KITCHEN, "a", 5)
    runtime = house.entries[HALL].runtime_data
    watch = Watch(hass, HALL)

    given_up = MemberChanged(
        stream=runtime.speaker.player.members.stream,
        receiver=runtime.speaker.device.receiver.id,
        state=MemberState.LEFT,
        code="link_hopeless",
        text="it dropped out 5 times within 10 minutes",
    )
    runtime.sender._handle_event(given_up)
    await watch.until_is("idle")
    await house.receivers[HALL].wait_idle()

    assert house.group(KITCHEN) == []
    [notice] = notices(hass)
    assert notice.translation_key == "left_group"
    assert notice.translation_placeholders
    assert notice.translation_placeholders["name"] == "Hall"
    assert "keeps failing" in notice.translation_placeholders["reason"]
    assert "cable" in notice.translation_placeholders["reason"]
    await house.ends(KITCHEN)
    assert house.receivers[KITCHEN].heard(pcm).is_complete
    await house.play(HALL, "b", 3)
    assert not notices(hass)
    await call(hass, HALL, "media_stop")


async def test_member_that_refuses_the_password_starts_a_reauth_of_its_entry(
    hass: HomeAssistant, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    await house.play(KITCHEN, "a", 5)
    runtime = house.entries[HALL].runtime_data
    watch = Watch(hass, HALL)

    runtime.sender._handle_event(
        MemberChanged(
            stream=runtime.speaker.player.members.stream,
            receiver=runtime.speaker.device.receiver.id,
            state=MemberState.LEFT,
            code="auth_failed",
        )
    )
    await watch.until_is("idle")
    await hass.async_block_till_done()

    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    assert len(notices(hass)) == 1
    await call(hass, KITCHEN, "media_stop")


async def test_member_that_mdns_sees_again_is_tried_at_once(
    hass: HomeAssistant,
    network: Network,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hall = house.receivers[HALL]
    network.announce(raop_info(hall))
    await hass.async_block_till_done()
    await house.join(KITCHEN, HALL)
    await house.play(KITCHEN, "a", 6)
    seen: asyncio.Queue[Seen] = asyncio.Queue()
    request = Sender.async_request

    async def listen(self: Sender, command: Any, **details: Any) -> None:
        if isinstance(command, Seen):
            seen.put_nowait(command)
        await request(self, command, **details)

    monkeypatch.setattr(Sender, "async_request", listen)

    network.goodbye(raop_info(hall))
    network.announce(raop_info(hall))
    async with asyncio.timeout(10):
        again = await seen.get()
    network.announce(raop_info(hall, port=hall.port + 1))
    async with asyncio.timeout(10):
        moved = await seen.get()

    assert again.member.name == "Hall"
    assert (again.member.port, moved.member.port) == (hall.port, hall.port + 1)
    await call(hass, KITCHEN, "media_stop")


async def test_group_is_in_the_diagnostics(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, house: House
) -> None:
    await house.join(KITCHEN, HALL)
    entry = house.entries[HALL]
    told = await diagnostics_of(hass, hass_client, entry)

    assert told["group"]["is_leader"] is False
    assert len(told["group"]["members"]) == 2
    assert all(each.endswith("…") for each in told["group"]["members"])
    assert player_of(hass, house.entries[HALL]) == HALL
