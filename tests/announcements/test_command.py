"""The command of an announcement to the sender, and the result for its caller."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.airplay.raop.errors import (
    MediaNotFoundError,
    ReceiverBusyError,
    ReceiverUnreachableError,
)
from custom_components.airplay.raop.messages import MediaKind
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from tests.ha.players import call, entry_for, player_of, set_up, state_of
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, raop_info
from tests.virtual_receiver import VirtualReceiver

from .held_sender import BELL, DINNER, HeldSender, airplay_announce, announce


def stream_of(hass: HomeAssistant, name: str) -> str:
    """Return the sender's name for a speaker."""
    entries = hass.config_entries.async_entries("airplay")
    return next(entry.entry_id for entry in entries if entry.title == name)


async def test_announcement_ends_when_all_frames_have_played(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = asyncio.create_task(announce(hass, player, BELL))
    sounding = await held.nth(1)
    watch = Watch(hass, player)
    assert "announcing" not in state_of(hass, player).attributes

    held.start(sounding)
    await watch.until(lambda state: state.attributes.get("announcing") is True)
    assert state_of(hass, player).state == "idle"
    assert not asking.done()
    sounding.end()

    await asking
    assert "announcing" not in state_of(hass, player).attributes
    command = sounding.command
    assert [Path(clip.url).name for clip in command.clips] == ["chime.wav", "bell.mp3"]
    assert (command.duck_db, command.ramp_ms, command.lead_in_ms) == (-18, 200, 500)
    assert not command.pauses_music
    assert sounding.volumes == [None]
    assert command.targets[0].depth_ms == 1000


async def test_player_supports_announcements(hass: HomeAssistant, player: str) -> None:
    assert state_of(hass, player).attributes["supported_features"] & (1 << 20)


async def test_chime(hass: HomeAssistant, held: HeldSender, player: str) -> None:
    dinner = {"preannounce_media_id": DINNER}
    wanted: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["chime.wav", "bell.mp3"]),
        ({"preannounce": True}, ["chime.wav", "bell.mp3"]),
        ({"preannounce": False}, ["bell.mp3"]),
        (dinner, ["dinner.mp3", "bell.mp3"]),
        (
            {"preannounce_media_id": {"media_content_id": DINNER}},
            ["dinner.mp3", "bell.mp3"],
        ),
        ({"preannounce": False, **dinner}, ["bell.mp3"]),
    ]
    for number, (extra, clips) in enumerate(wanted, 1):
        asking = asyncio.create_task(announce(hass, player, BELL, **extra))
        sounding = await held.nth(number)
        sounding.end()
        await asking

        names = [Path(clip.url).name for clip in sounding.command.clips]
        assert names == clips, extra
        kinds = {
            clip.kind for clip in sounding.command.clips if clip.name != "the chime"
        }
        assert kinds == {MediaKind.SPEECH}


async def test_options_apply_to_settings_that_a_call_omits(
    hass: HomeAssistant, held: HeldSender, kitchen: VirtualReceiver
) -> None:
    entry = entry_for(kitchen)
    entry.add_to_hass(hass)
    chosen = {
        "volume": 45,
        "music": "pause",
        "duck_db": 25,
        "ramp_ms": 400,
        "lead_in_ms": 1200,
        "chime": "none",
        "taken": "refuse",
    }
    hass.config_entries.async_update_entry(entry, options={"announcements": chosen})
    await hass.config_entries.async_setup(entry.entry_id)
    player = player_of(hass, entry)

    asking = asyncio.create_task(announce(hass, player, BELL))
    sounding = await held.nth(1)
    sounding.end()
    await asking

    command = sounding.command
    assert len(command.clips) == 1
    assert (command.duck_db, command.ramp_ms, command.lead_in_ms) == (-25, 400, 1200)
    assert command.pauses_music
    assert sounding.volumes == [45]


async def test_wrong_extra_is_refused_by_its_name(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    wrong: list[dict[str, Any]] = [
        {"announce_volume": 75},
        {"announce_volume": "loud"},
        {"preannounce": "maybe"},
        {"priority": "highest"},
        {"interrupt": "perhaps"},
        {"preannounce_media_id": {}},
    ]
    for extra in wrong:
        with pytest.raises(ServiceValidationError, match=next(iter(extra))):
            await announce(hass, player, BELL, **extra)

    assert not held.announced


async def test_extras_of_other_players_are_left_alone(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = asyncio.create_task(
        announce(hass, player, BELL, volume=70, metadata={}, title="Bell")
    )
    sounding = await held.nth(1)
    sounding.end()
    await asking

    assert sounding.command.clips[-1].name == "Bell"


async def test_call_to_several_players_is_one_announcement(
    hass: HomeAssistant, held: HeldSender, two_players: list[str]
) -> None:
    asking = asyncio.create_task(announce(hass, two_players, BELL, announce_volume=0.6))

    sounding = await held.nth(1)
    assert len(sounding.streams) == 2
    assert sounding.volumes == [60, 60]
    sounding.end()
    await asking
    assert len(held.announced) == 1


async def test_calls_with_one_context_are_one_announcement_and_others_are_not(
    hass: HomeAssistant, held: HeldSender, two_players: list[str]
) -> None:
    context = Context()
    asking = [
        asyncio.create_task(announce(hass, two_players[0], BELL, context)),
        asyncio.create_task(announce(hass, two_players[1], BELL, context)),
        # The same speaker again, as a member of two groups is.
        asyncio.create_task(announce(hass, two_players[1], BELL, context)),
        asyncio.create_task(announce(hass, two_players[1], BELL)),
    ]

    first = await held.nth(1)
    assert len(first.streams) == 2
    first.end()
    second = await held.nth(2)
    assert len(second.streams) == 1
    second.end()
    await asyncio.gather(*asking)
    assert len(held.announced) == 2


async def test_only_the_player_that_failed_reports_an_error(
    hass: HomeAssistant, held: HeldSender, two_players: list[str]
) -> None:
    context = Context()
    good, bad = (
        asyncio.create_task(announce(hass, each, BELL, context)) for each in two_players
    )
    sounding = await held.nth(1)

    held.fail(sounding, stream_of(hass, "Hall"), "unreachable")
    with pytest.raises(HomeAssistantError, match="Hall does not respond"):
        await bad
    assert not good.done()
    sounding.end()
    await good


async def test_error_for_all_is_reported_to_each(
    hass: HomeAssistant, held: HeldSender, two_players: list[str]
) -> None:
    context = Context()
    asking = [
        asyncio.create_task(announce(hass, each, BELL, context)) for each in two_players
    ]

    (await held.nth(1)).end(MediaNotFoundError("404"))

    for each in asking:
        with pytest.raises(HomeAssistantError, match=r"bell\.mp3 cannot be played"):
            await each


async def test_announce_action_fails_only_if_nothing_played(
    hass: HomeAssistant,
    held: HeldSender,
    two_players: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    media = {"media_content_id": BELL, "media_content_type": "audio/mpeg"}
    asking = asyncio.create_task(
        airplay_announce(hass, two_players, media=media, volume=0.3, chime=False)
    )
    sounding = await held.nth(1)
    assert sounding.volumes == [30, 30]
    assert len(sounding.command.clips) == 1
    held.fail(sounding, stream_of(hass, "Hall"), "unreachable")
    sounding.end()
    await asking
    assert "failed on some speakers: Hall does not respond" in caplog.text

    asking = asyncio.create_task(airplay_announce(hass, two_players, media=BELL))
    (await held.nth(2)).end(ReceiverBusyError("453"))
    with pytest.raises(HomeAssistantError, match="is in use by another sender"):
        await asking


@pytest.mark.parametrize("words", [{}, {"message": "Hello", "media": BELL}])
async def test_announce_action_requires_either_a_message_or_media(
    hass: HomeAssistant, held: HeldSender, player: str, words: dict[str, str]
) -> None:
    with pytest.raises(ServiceValidationError, match="either a message or media"):
        await airplay_announce(hass, player, **words)


async def test_invalid_media_is_reported(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    with pytest.raises(HomeAssistantError, match="it is not a web address"):
        await announce(hass, player, "ftp://media.example/bell.mp3")

    assert not held.announced


def in_use_entry(kitchen: VirtualReceiver, network: Network) -> MockConfigEntry:
    """Return the entry of a receiver whose record reports another sender."""
    network.announce(raop_info(kitchen, txt={"sf": "0x20004"}))
    return entry_for(kitchen)


async def test_speaker_that_plays_for_another_sender_is_left_alone(
    hass: HomeAssistant, held: HeldSender, kitchen: VirtualReceiver, network: Network
) -> None:
    player = await set_up(hass, in_use_entry(kitchen, network))
    with pytest.raises(HomeAssistantError, match='"Take over"'):
        await announce(hass, player, BELL)
    assert not held.announced

    network.announce(raop_info(kitchen, txt={"sf": "0x4"}))
    asking = asyncio.create_task(announce(hass, player, BELL))
    await held.nth(1)
    # The session is the announcement's own, also in a record that comes late.
    network.announce(raop_info(kitchen, txt={"sf": "0x20004"}))
    await held.finish(1)
    await asking
    again = asyncio.create_task(announce(hass, player, BELL))
    await held.finish(2)
    await again


async def test_option_allows_announcing_on_a_speaker_in_use(
    hass: HomeAssistant, held: HeldSender, kitchen: VirtualReceiver, network: Network
) -> None:
    entry = in_use_entry(kitchen, network)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, options={"announcements": {"taken": "take_over"}}
    )
    await hass.config_entries.async_setup(entry.entry_id)

    asking = asyncio.create_task(announce(hass, player_of(hass, entry), BELL))

    await held.finish(1)
    await asking


async def test_different_options_are_joined_for_one_sound(
    hass: HomeAssistant, held: HeldSender, two_players: list[str]
) -> None:
    hall = hass.config_entries.async_entries("airplay")[1]
    hass.config_entries.async_update_entry(
        hall,
        options={
            "announcements": {
                "duck_db": 10,
                "ramp_ms": 500,
                "lead_in_ms": 900,
                "chime": "none",
                "music": "pause",
                "volume": 70,
            }
        },
    )
    await hass.config_entries.async_reload(hall.entry_id)

    asking = asyncio.create_task(airplay_announce(hass, two_players, media=BELL))
    sounding = await held.nth(1)
    sounding.end()
    await asking

    command = sounding.command
    assert (command.duck_db, command.ramp_ms, command.lead_in_ms) == (-18, 500, 900)
    assert command.pauses_music
    assert len(command.clips) == 2
    assert dict(zip(sounding.streams, sounding.volumes, strict=True)) == {
        stream_of(hass, "Kitchen"): None,
        stream_of(hass, "Hall"): 70,
    }


async def test_internal_error_does_not_count_as_played(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = asyncio.create_task(airplay_announce(hass, player, media=BELL))
    sounding = await held.nth(1)

    sounding.end(ValueError("a fault"))

    with pytest.raises(HomeAssistantError, match="check the log"):
        await asking
    again = asyncio.create_task(airplay_announce(hass, player, media=BELL))
    (await held.nth(2)).end()
    await again


async def test_volume_of_a_speaker_lost_meanwhile_is_restored(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    asking = asyncio.create_task(announce(hass, player, BELL, announce_volume=0.6))
    sounding = await held.nth(1)
    await call(hass, player, "volume_set", volume_level=0.3)
    held.start(sounding)

    sounding.end(ReceiverUnreachableError("lost"))

    with pytest.raises(HomeAssistantError, match="does not respond"):
        await asking
    await held.until(lambda: len(held.restored) == 1)
    assert held.restored[0].member.volume == 30


async def test_speaker_that_was_never_reached_is_left_alone(
    hass: HomeAssistant, held: HeldSender, player: str
) -> None:
    await call(hass, player, "volume_set", volume_level=0.3)
    for number, error in enumerate(
        (ReceiverUnreachableError("away"), MediaNotFoundError("404")), 1
    ):
        asking = asyncio.create_task(announce(hass, player, BELL, announce_volume=0.6))
        (await held.nth(number)).end(error)
        with pytest.raises(HomeAssistantError):
            await asking

    await hass.async_block_till_done()
    assert not held.restored
