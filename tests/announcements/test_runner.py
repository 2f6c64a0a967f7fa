"""Announcements that wait for others, interrupt them or are canceled."""

import asyncio

import pytest

from custom_components.airplay.announcements import runner
from custom_components.airplay.announcements.command import async_make_clips
from custom_components.airplay.announcements.job import Clips
from custom_components.airplay.announcements.request import AnnouncedMedia
from custom_components.airplay.raop.errors import ReceiverUnreachableError
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.players import entry_for, set_up
from tests.virtual_receiver import VirtualReceiver

from .held_sender import ALARM, BELL, DINNER, HeldSender, airplay_announce, announce


async def test_announcements_follow_each_other_by_priority(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = []
    for name, priority in (
        ("now", "low"),
        ("low", "low"),
        ("one", "normal"),
        ("two", "normal"),
        ("bell", "doorbell"),
    ):
        asking.append(
            asyncio.create_task(
                airplay_announce(
                    hass,
                    player,
                    media=f"https://media.example/{name}.mp3",
                    priority=priority,
                )
            )
        )
        await held.nth(1)

    assert await held.finish(5) == ["now", "bell", "one", "two", "low"]
    await asyncio.gather(*asking)


async def test_at_most_twenty_announcements_wait(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = [asyncio.create_task(announce(hass, player, BELL)) for _ in range(21)]
    await held.nth(1)

    with pytest.raises(
        HomeAssistantError, match="20 announcements are already waiting"
    ):
        await announce(hass, player, BELL)

    await held.finish(21)
    await asyncio.gather(*asking)


async def test_announcement_waits_until_all_its_speakers_are_free(
    hass: HomeAssistant, held: HeldSender, two_players: list[str]
) -> None:
    first = asyncio.create_task(airplay_announce(hass, two_players[0], media=BELL))
    sounding = await held.nth(1)
    both = asyncio.create_task(airplay_announce(hass, two_players, media=DINNER))
    last = asyncio.create_task(airplay_announce(hass, two_players[1], media=ALARM))

    sounding.end()
    assert await held.finish(3) == ["bell", "dinner", "alarm"]
    await asyncio.gather(first, both, last)


async def test_interrupt_ends_running_and_waiting_announcements(
    hass: HomeAssistant, held: HeldSender, two_players: list[str]
) -> None:
    sounds = asyncio.create_task(airplay_announce(hass, two_players[0], media=BELL))
    sounding = await held.nth(1)
    held.start(sounding)
    waits = asyncio.create_task(airplay_announce(hass, two_players, media=DINNER))
    await hass.async_block_till_done()

    alarm = asyncio.create_task(
        airplay_announce(hass, two_players[0], media=ALARM, interrupt=True)
    )

    # The other speaker still plays the announcement for both.
    await held.nth(3)
    assert held.cancelled == [sounding.command.announcement]
    await sounds
    assert {tuple(each.streams) for each in held.announced[1:]} == {
        (held.announced[0].streams[0],),
        tuple(
            set(held.announced[1].streams + held.announced[2].streams)
            - set(held.announced[0].streams)
        ),
    }
    for each in held.announced:
        each.end()
    await asyncio.gather(alarm, waits)


async def test_sender_that_does_not_end_an_announcement_blocks_no_speaker(
    hass: HomeAssistant, held: HeldSender, player: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.airplay.announcements.runner._END_S", 0.05)
    held.is_deaf = True
    stuck = asyncio.create_task(airplay_announce(hass, player, media=BELL))
    await held.nth(1)

    alarm = asyncio.create_task(
        airplay_announce(hass, player, media=ALARM, interrupt=True)
    )

    (await held.nth(2)).end()
    await asyncio.gather(stuck, alarm)


async def test_cancelled_call_ends_its_running_announcement(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = asyncio.create_task(announce(hass, player, BELL))
    sounding = await held.nth(1)
    held.start(sounding)

    asking.cancel()

    await held.until(lambda: held.cancelled == [sounding.command.announcement])
    again = asyncio.create_task(announce(hass, player, BELL))
    (await held.nth(2)).end()
    await again


async def test_cancelled_call_leaves_the_queue(
    hass: HomeAssistant, held: HeldSender, two_players: list[str]
) -> None:
    first = asyncio.create_task(airplay_announce(hass, two_players[0], media=BELL))
    await held.nth(1)
    gone = asyncio.create_task(airplay_announce(hass, two_players[0], media=DINNER))
    last = asyncio.create_task(airplay_announce(hass, two_players[0], media=ALARM))
    await hass.async_block_till_done()

    gone.cancel()

    assert await held.finish(2) == ["bell", "alarm"]
    await asyncio.gather(first, last)
    assert not held.cancelled


async def test_cancellation_by_one_of_two_callers_ends_nothing_for_the_other(
    hass: HomeAssistant, held: HeldSender, two_players: list[str]
) -> None:
    context = Context()
    gone, stays = (
        asyncio.create_task(announce(hass, each, BELL, context)) for each in two_players
    )
    sounding = await held.nth(1)

    gone.cancel()
    held.start(sounding)
    sounding.end()

    await stays
    assert not held.cancelled


async def test_call_that_does_not_wait_returns_when_playback_starts(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = asyncio.create_task(airplay_announce(hass, player, media=BELL, wait=False))
    sounding = await held.nth(1)
    assert not asking.done()

    held.start(sounding)
    await asking

    assert not held.cancelled
    sounding.end()


async def test_call_that_does_not_wait_still_reports_a_failure(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = asyncio.create_task(announce(hass, player, BELL, wait=False))

    (await held.nth(1)).end(ReceiverUnreachableError("away"))

    with pytest.raises(HomeAssistantError, match="Kitchen does not respond"):
        await asking


async def test_speaker_that_is_unloaded_ends_its_announcements(
    hass: HomeAssistant, held: HeldSender, kitchen: VirtualReceiver
) -> None:
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)
    asking = [asyncio.create_task(announce(hass, player, BELL)) for _ in range(2)]
    sounding = await held.nth(1)

    await hass.config_entries.async_unload(entry.entry_id)

    await asyncio.gather(*asking)
    assert held.cancelled == [sounding.command.announcement]
    assert len(held.announced) == 1


async def test_interrupt_plays_although_twenty_wait(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = [
        asyncio.create_task(airplay_announce(hass, player, media=BELL))
        for _ in range(21)
    ]
    await held.nth(1)

    alarm = asyncio.create_task(
        airplay_announce(hass, player, media=ALARM, interrupt=True)
    )

    assert await held.finish(2) == ["bell", "alarm"]
    await asyncio.gather(alarm, *asking)


async def test_interrupt_ends_an_announcement_that_is_still_being_resolved(
    hass: HomeAssistant,
    held: HeldSender,
    player: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looking, make = asyncio.Event(), async_make_clips

    async def look(
        hass: HomeAssistant, entity_id: str, wanted: AnnouncedMedia
    ) -> Clips:
        if wanted.content_id == BELL:
            looking.set()
            await asyncio.Event().wait()
        return await make(hass, entity_id, wanted)

    monkeypatch.setattr(runner, "async_make_clips", look)
    bell = asyncio.create_task(airplay_announce(hass, player, media=BELL))
    await looking.wait()

    alarm = asyncio.create_task(
        airplay_announce(hass, player, media=ALARM, interrupt=True)
    )

    await bell
    assert await held.finish(1) == ["alarm"]
    await alarm


async def test_media_of_a_long_waiting_announcement_is_resolved_again(
    hass: HomeAssistant,
    held: HeldSender,
    player: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "_STALE_S", -1)

    asking = asyncio.create_task(airplay_announce(hass, player, media=BELL))

    assert await held.finish(1) == ["bell"]
    await asking
