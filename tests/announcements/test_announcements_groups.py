"""Announcements on speakers that play together, as they play at receivers."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.players import call, play, state_of
from tests.ha.sound import FOLDER
from tests.ha.three_speakers import HALL, KITCHEN, STUDY, House, house_of
from tests.ha.watch import Watch, logged
from tests.raop.engine.announcing import voice_began_ns, volumes
from tests.raop.engine.stereo_marks import (
    Samples,
    gains,
    gains_in_parts,
    heard_sides,
    is_said_whole,
    music,
    voice,
)

from .held_sender import HeldSender, airplay_announce, announce, hold_announcements

SAID = f"{FOLDER}/said.wav"
LONG = f"{FOLDER}/long.wav"
SONG = f"{FOLDER}/song.wav"
BELL = "https://media.example/bell.mp3"
DINNER = "https://media.example/dinner.mp3"
TOGETHER_NS = 1_000_000


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Return the folder of Home Assistant's media."""
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


@pytest.fixture
def said(media: Path) -> Samples:
    """Return the sound of a short announcement."""
    return voice(media / "said.wav", 0.5)


@pytest.fixture
async def house(
    hass: HomeAssistant, tmp_path: Path, media: Path
) -> AsyncGenerator[House]:
    """Return a house in which the kitchen and the hall play together."""
    async with house_of(hass, tmp_path) as built:
        await built.join(KITCHEN, HALL)
        yield built


@pytest.fixture
def held(house: House) -> Generator[HeldSender]:
    """Return a sender that holds announcements."""
    with hold_announcements() as held:
        yield held


async def choose(house: House, player: str, **announcements: Any) -> None:
    """Choose options for announcements."""
    entry = house.entries[player]
    house.hass.config_entries.async_update_entry(
        entry, options={**entry.options, "announcements": announcements}
    )
    await house.hass.config_entries.async_reload(entry.entry_id)
    await house.hass.async_block_till_done()


def says_nothing(house: House, player: str) -> bool:
    return not heard_sides(house.receivers[player].recording.packets)[1].any()


def are_together(house: House, *players: str) -> bool:
    began = [voice_began_ns(house.receivers[each]) for each in players]
    return max(began) - min(began) < TOGETHER_NS


def speakers(house: House, command: Any) -> list[set[str]]:
    """Return the players that an announcement is for, stream by stream."""
    of = {each.receiver_id.lower(): name for name, each in house.receivers.items()}
    return [
        {of[each.member.receiver.lower()] for each in target.addressees}
        for target in command.targets
    ]


async def test_member_announces_alone_and_the_music_of_the_other_is_untouched(
    hass: HomeAssistant, house: House, media: Path, said: Samples
) -> None:
    song = music(media / "song.wav", 5)
    await play(hass, KITCHEN, SONG)
    watches = {player: Watch(hass, player) for player in (KITCHEN, HALL)}

    await announce(hass, HALL, SAID, preannounce=False)

    assert house.group(HALL) == [KITCHEN, HALL]
    assert state_of(hass, HALL).state == "playing"
    await house.ends(KITCHEN)
    kitchen, hall = house.receivers[KITCHEN], house.receivers[HALL]
    await kitchen.drain()
    await hall.drain()
    assert is_said_whole(hall, said)
    assert says_nothing(house, KITCHEN)
    assert (gains(kitchen, song) == 1).all()
    assert len(gains(hall, song)) == len(song)
    heard = {
        player: any(state.attributes.get("announcing") for state in watch.states)
        for player, watch in watches.items()
    }
    assert heard == {KITCHEN: False, HALL: True}


async def test_whole_group_announces_together_each_at_its_own_volume(
    hass: HomeAssistant, house: House, media: Path, said: Samples
) -> None:
    song = music(media / "song.wav", 6)
    await choose(house, KITCHEN, volume=60)
    await choose(house, HALL, volume=45)
    for player in (KITCHEN, HALL):
        await call(hass, player, "volume_set", volume_level=0.3)
    assert house.group(KITCHEN) == [KITCHEN, HALL]
    await play(hass, KITCHEN, SONG)

    await airplay_announce(hass, HALL, media=SAID, chime=False, group=True)

    for player, level in ((KITCHEN, 60), (HALL, 45)):
        receiver = house.receivers[player]
        assert volumes(receiver)[-3:] == [30, level, 30]
        assert state_of(hass, player).attributes["volume_level"] == 0.3
    await house.ends(KITCHEN)
    for player in (KITCHEN, HALL):
        receiver = house.receivers[player]
        await receiver.drain()
        assert is_said_whole(receiver, said)
        assert len(gains(receiver, song)) == len(song)
    assert are_together(house, KITCHEN, HALL)
    assert says_nothing(house, STUDY)


async def test_option_announces_on_the_whole_group_unless_the_call_overrides_it(
    house: House, hass: HomeAssistant, held: HeldSender
) -> None:
    await choose(house, HALL, scope="group", chime="none")
    calls: list[tuple[dict[str, Any], list[set[str]]]] = [
        ({}, [{KITCHEN, HALL}]),
        ({"group": False}, [{HALL}]),
        ({"group": True}, [{KITCHEN, HALL}]),
    ]
    for number, (extra, expected) in enumerate(calls, 1):
        asking = asyncio.create_task(announce(hass, HALL, BELL, **extra))
        sounding = await held.nth(number)
        assert speakers(house, sounding.command) == expected
        assert sounding.command.targets[0].is_alone is (len(expected[0]) == 1)
        # The manner is that of the speaker that was asked.
        assert len(sounding.command.clips) == 1
        sounding.end()
        await asking

    asking = asyncio.create_task(announce(hass, KITCHEN, BELL))
    assert speakers(house, (await held.nth(4)).command) == [{KITCHEN}]
    (await held.nth(4)).end()
    await asking


async def test_two_of_a_group_and_one_outside_announce_at_the_same_instant(
    hass: HomeAssistant, house: House, media: Path, said: Samples
) -> None:
    music(media / "song.wav", 5)
    await play(hass, KITCHEN, SONG)

    await airplay_announce(hass, [KITCHEN, HALL, STUDY], media=SAID, chime=False)

    assert are_together(house, KITCHEN, HALL, STUDY)
    await call(hass, KITCHEN, "media_stop")
    for receiver in house.receivers.values():
        assert is_said_whole(receiver, said)


async def test_speakers_of_one_call_reach_the_sender_grouped_by_stream(
    house: House, hass: HomeAssistant, held: HeldSender
) -> None:
    asking = asyncio.create_task(
        announce(hass, [KITCHEN, HALL, STUDY], BELL, context=Context())
    )
    sounding = await held.nth(1)

    told = speakers(house, sounding.command)
    assert sorted(told, key=len) == [{STUDY}, {KITCHEN, HALL}]
    assert not any(each.is_alone for each in sounding.command.targets)
    sounding.end()
    await asking


async def test_paused_group_stays_paused_when_one_member_announces(
    hass: HomeAssistant, house: House, media: Path, said: Samples
) -> None:
    song = music(media / "song.wav", 3)
    await play(hass, KITCHEN, SONG)
    await call(hass, HALL, "media_pause")

    await announce(hass, HALL, SAID, preannounce=False)

    assert {state_of(hass, each).state for each in (KITCHEN, HALL)} == {"paused"}
    await call(hass, KITCHEN, "media_play")
    await house.ends(KITCHEN)
    for each in (KITCHEN, HALL):
        await house.receivers[each].drain()
        assert len(gains_in_parts(house.receivers[each], song)) == 2
    assert is_said_whole(house.receivers[HALL], said)
    assert says_nothing(house, KITCHEN)


async def test_announcement_wakes_only_its_own_speakers_of_an_idle_group(
    hass: HomeAssistant, house: House, said: Samples
) -> None:
    watch = Watch(hass, KITCHEN)
    before = house.receivers[KITCHEN].connections

    await announce(hass, HALL, SAID, preannounce=False)

    assert is_said_whole(house.receivers[HALL], said)
    assert house.receivers[KITCHEN].connections == before
    assert {*watch.names} <= {"idle"}
    assert house.group(KITCHEN) == [KITCHEN, HALL]


async def test_member_that_drops_out_under_a_voice_misses_the_rest_of_it(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    house: House,
    media: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    music(media / "song.wav", 6)
    said = voice(media / "long.wav", 2)
    for player in (KITCHEN, HALL):
        await call(hass, player, "volume_set", volume_level=0.3)
    await play(hass, KITCHEN, SONG)
    watch = Watch(hass, HALL)

    asking = asyncio.create_task(
        airplay_announce(hass, KITCHEN, media=LONG, chime=False, group=True, volume=0.5)
    )
    await watch.until(lambda state: state.attributes.get("announcing") is True)
    await house.receivers[HALL].stop()
    await watch.until(lambda state: "announcing" not in state.attributes)
    assert not asking.done()
    await asking

    await logged(caplog, "Announcement failed on some speakers")
    await call(hass, KITCHEN, "media_stop")
    await house.receivers[KITCHEN].drain()
    assert is_said_whole(house.receivers[KITCHEN], said)
    assert volumes(house.receivers[KITCHEN])[-2:] == [50, 30]
    # Only the volume that could not be restored remains in the journal.
    left = hass_storage["airplay.announcements"]["data"]
    assert left == {house.entries[HALL].entry_id: {"level": 0.3, "is_muted": False}}


async def test_a_group_without_a_reachable_member_is_an_error(
    hass: HomeAssistant, house: House, said: Samples
) -> None:
    for player in (KITCHEN, HALL):
        await house.receivers[player].stop()

    with pytest.raises(HomeAssistantError):
        await announce(hass, KITCHEN, SAID, group=True)


async def test_announcement_for_a_group_waits_for_all_of_it(
    hass: HomeAssistant, house: House, held: HeldSender
) -> None:
    alone = asyncio.create_task(announce(hass, HALL, BELL))
    first = await held.nth(1)
    group = asyncio.create_task(announce(hass, KITCHEN, DINNER, group=True))
    beside = asyncio.create_task(announce(hass, STUDY, DINNER))
    second = await held.nth(2)
    assert speakers(house, second.command) == [{STUDY}]
    after = asyncio.create_task(announce(hass, KITCHEN, BELL))
    await asyncio.sleep(0)
    assert len(held.announced) == 2

    first.end()
    third = await held.nth(3)
    assert speakers(house, third.command) == [{KITCHEN, HALL}]
    third.end()
    fourth = await held.nth(4)
    assert speakers(house, fourth.command) == [{KITCHEN}]
    second.end()
    fourth.end()
    await asyncio.gather(alone, group, beside, after)


async def test_two_members_play_different_announcements_at_the_same_time(
    hass: HomeAssistant, house: House, media: Path
) -> None:
    one = voice(media / "one.wav", 5, seed=5)
    two = voice(media / "two.wav", 1, seed=6)
    watch = Watch(hass, KITCHEN)

    first = asyncio.create_task(
        announce(hass, KITCHEN, f"{FOLDER}/one.wav", preannounce=False)
    )
    await watch.until(lambda state: state.attributes.get("announcing") is True)
    await announce(hass, HALL, f"{FOLDER}/two.wav", preannounce=False)
    await first

    kitchen, hall = house.receivers[KITCHEN], house.receivers[HALL]
    assert is_said_whole(kitchen, one)
    assert is_said_whole(hall, two)
    assert voice_began_ns(hall) - voice_began_ns(kitchen) < 5_000_000_000
