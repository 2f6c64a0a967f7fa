"""The volume of announcements, and how the user's volume is always restored."""

import asyncio
import os
from pathlib import Path
import signal
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from custom_components.airplay.announcements import volume_recovery
from custom_components.airplay.discovery import browser
from custom_components.airplay.raop.errors import ReceiverUnreachableError
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from tests.ha.players import call, entry_for, level_of, play, set_up, state_of
from tests.ha.processes import sender_pids
from tests.ha.sound import FOLDER
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, raop_info
from tests.raop.engine.stereo_marks import music, voice
from tests.virtual_receiver import VirtualReceiver

from .held_sender import announce, begun, hold_announcements

SAID = f"{FOLDER}/said.wav"
LONG = f"{FOLDER}/long.wav"
JOURNAL = "airplay.announcements"
MAXIMUM = "number.kitchen_maximum_volume"


@pytest.fixture(autouse=True)
def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a folder with a short and a long announcement."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs["local"] = str(folder)
    voice(folder / "said.wav", 0.5)
    voice(folder / "long.wav", 3)
    return folder


def percents(of: VirtualReceiver) -> list[int]:
    """Return the volumes that a receiver got, without repetitions."""
    told = [round((each.volume_db + 30) / 0.3) for each in of.volumes]
    return [level for at, level in enumerate(told) if not at or told[at - 1] != level]


def notes(storage: dict[str, Any]) -> Any:
    """Return the stored volumes that may need to be restored."""
    return storage.get(JOURNAL, {}).get("data", {})


def write_down(storage: dict[str, Any], entry: MockConfigEntry, level: float) -> None:
    """Leave a volume in the journal, as a killed process does."""
    storage[JOURNAL] = {
        "version": 1,
        "minor_version": 1,
        "key": JOURNAL,
        "data": {entry.entry_id: {"level": level, "is_muted": False}},
    }


async def noted(storage: dict[str, Any], *levels: float) -> None:
    """Wait until this is written down, which happens behind everything else."""
    async with asyncio.timeout(5):
        while [each["level"] for each in notes(storage).values()] != [*levels]:
            await asyncio.sleep(0.01)


async def set_level(hass: HomeAssistant, player: str, level: float) -> None:
    await call(hass, player, "volume_set", volume_level=level)


async def begin_long(
    hass: HomeAssistant, player: str, *, volume: float
) -> asyncio.Task[None]:
    """Announce the long file on a speaker at 30 %; return once it plays."""
    await set_level(hass, player, 0.3)
    watch = Watch(hass, player)
    asking = asyncio.create_task(announce(hass, player, LONG, announce_volume=volume))
    await begun(watch)
    return asking


async def set_maximum(hass: HomeAssistant, percent: int) -> None:
    await hass.services.async_call(
        "number", "set_value", {"entity_id": MAXIMUM, "value": percent}, blocking=True
    )


@pytest.mark.parametrize("is_playing", [False, True])
async def test_volume_is_raised_and_restored(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    media: Path,
    storage: dict[str, Any],
    *,
    is_playing: bool,
) -> None:
    music(media / "song.wav", 4)
    await set_level(hass, player, 0.3)
    if is_playing:
        await play(hass, player, f"{FOLDER}/song.wav")
    watch = Watch(hass, player)

    asking = asyncio.create_task(announce(hass, player, SAID, announce_volume=0.6))
    await begun(watch)
    assert [*notes(storage).values()] == [{"level": 0.3, "is_muted": False}]
    await asking
    await noted(storage)

    assert percents(kitchen) == [30, 60, 30]
    assert {each.attributes["volume_level"] for each in watch.states} == {0.3}
    await call(hass, player, "media_stop")


async def test_volume_set_at_the_receiver_is_restored(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    kitchen.volume_db = -18

    await announce(hass, player, SAID, announce_volume=0.9)

    assert level_of(hass, player) == 0.4
    assert percents(kitchen) == [90, 40]


async def test_volume_that_is_set_meanwhile_stays(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    storage: dict[str, Any],
) -> None:
    asking = await begin_long(hass, player, volume=0.6)

    await set_level(hass, player, 0.4)
    await noted(storage, 0.4)
    await asking

    assert percents(kitchen) == [30, 60, 40]
    assert level_of(hass, player) == 0.4


async def test_announcement_is_never_louder_than_the_maximum(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    await set_level(hass, player, 0.3)
    await set_maximum(hass, 50)

    await announce(hass, player, SAID, announce_volume=0.9)

    assert percents(kitchen) == [30, 50, 30]


async def test_maximum_lowered_meanwhile_applies_immediately(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    asking = await begin_long(hass, player, volume=0.9)

    await set_maximum(hass, 40)
    await kitchen.wait_until(lambda: percents(kitchen) == [30, 90, 30])
    assert not asking.done()
    await asking


async def test_muted_speaker_stays_muted(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str
) -> None:
    await set_level(hass, player, 0.3)
    await call(hass, player, "volume_mute", is_volume_muted=True)

    await announce(hass, player, SAID, announce_volume=0.9)

    assert {each.volume_db for each in kitchen.volumes} == {-144}


async def test_volume_is_restored_after_the_sender_was_killed(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    storage: dict[str, Any],
) -> None:
    asking = await begin_long(hass, player, volume=0.6)

    os.kill(sender_pids()[0], signal.SIGKILL)

    with pytest.raises(HomeAssistantError, match="process stopped"):
        await asking
    await kitchen.wait_until(lambda: percents(kitchen) == [30, 60, 30])
    await kitchen.wait_idle(10)
    await noted(storage)
    assert level_of(hass, player) == 0.3


async def test_next_announcement_restores_the_volume_too(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    storage: dict[str, Any],
) -> None:
    asking = await begin_long(hass, player, volume=0.6)
    waiting = asyncio.create_task(announce(hass, player, SAID, announce_volume=0.5))

    os.kill(sender_pids()[0], signal.SIGKILL)

    with pytest.raises(HomeAssistantError):
        await asking
    await waiting
    await noted(storage)
    assert percents(kitchen) == [30, 60, 30, 50, 30]


async def test_volume_is_restored_after_home_assistant_was_killed(
    hass: HomeAssistant, kitchen: VirtualReceiver, storage: dict[str, Any]
) -> None:
    entry = entry_for(kitchen)
    write_down(storage, entry, 0.25)
    kitchen.volume_db = -6
    # The volume stored last is older than the journal.
    mock_restore_cache_with_extra_data(
        hass,
        [(State("media_player.kitchen", "idle"), {"volume": 0.7, "is_muted": False})],
    )

    player = await set_up(hass, entry)

    await kitchen.wait_until(lambda: percents(kitchen) == [25])
    await kitchen.wait_idle(10)
    await noted(storage)
    assert level_of(hass, player) == 0.25


@pytest.mark.parametrize(
    "kept",
    [
        ["no", "notes"],
        {"an entry": "no note"},
        {"an entry": {"level": "loud", "is_muted": False}},
        {"an entry": {"level": 7, "is_muted": False}},
        {"an entry": {"level": 0.5}},
    ],
)
async def test_invalid_journal_entries_keep_no_speaker_from_playing(
    hass: HomeAssistant, kitchen: VirtualReceiver, storage: dict[str, Any], kept: Any
) -> None:
    storage[JOURNAL] = {
        "version": 1,
        "minor_version": 1,
        "key": JOURNAL,
        "data": kept,
    }

    player = await set_up(hass, entry_for(kitchen))

    assert state_of(hass, player).state == "idle"


async def test_volume_that_cannot_be_set_is_tried_again(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    network: Network,
    storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(volume_recovery, "RETRY_S", (0, 0.01))
    monkeypatch.setattr(browser, "GRACE_S", 0.01)
    network.announce(raop_info(kitchen))
    player = await set_up(hass, entry_for(kitchen))
    await set_level(hass, player, 0.3)
    with hold_announcements() as held:
        held.restoring = ReceiverUnreachableError("away")
        asking = asyncio.create_task(announce(hass, player, LONG, announce_volume=0.6))
        await held.nth(1)
        held.die()
        with pytest.raises(HomeAssistantError):
            await asking
        await held.until(lambda: len(held.restored) == 2)
        await noted(storage, 0.3)

        held.restoring = None
        # In between a user has chosen another volume.
        await set_level(hass, player, 0.2)
        await noted(storage, 0.2)
        network.goodbye(raop_info(kitchen))
        await Watch(hass, player).until_is("unavailable")
        network.announce(raop_info(kitchen))

        await held.until(lambda: len(held.restored) == 3)
        await noted(storage)
    assert [each.member.volume for each in held.restored] == [30, 30, 20]


async def test_volume_is_not_set_while_another_sender_plays(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    network: Network,
    storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(volume_recovery, "RETRY_S", (0, *[0.01] * 500))
    network.announce(raop_info(kitchen, txt={"sf": "0x20004"}))
    entry = entry_for(kitchen)
    write_down(storage, entry, 0.25)
    with hold_announcements() as held:
        await set_up(hass, entry)
        assert not held.restored

        network.announce(raop_info(kitchen, txt={"sf": "0x4"}))

        await held.until(lambda: len(held.restored) == 1)
        await noted(storage)
