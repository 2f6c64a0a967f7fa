"""Pause, seek and skip, through actions and states, with the real sender."""

import asyncio
import os
import signal

from homeassistant.core import HomeAssistant
from tests.ha.players import call, play, state_of
from tests.ha.processes import sender_pids
from tests.ha.songs import Songs, enqueue, is_item
from tests.ha.sound import RATE
from tests.ha.watch import Watch
from tests.virtual_receiver import Quirks, VirtualReceiver

FRAME_BYTES = 4


async def test_lost_receiver_continues_at_the_position(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 4))
    await call(hass, player, "media_seek", seek_position=2)
    watch = Watch(hass, player)
    kitchen.disconnect()
    await watch.until_is("idle")

    await call(hass, player, "media_play")

    assert is_item("a")(state_of(hass, player))
    assert state_of(hass, player).attributes["media_position"] >= 2
    await call(hass, player, "media_stop")


async def test_previous_goes_back_early_and_restarts_later(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 8))
    await enqueue(hass, player, songs.make("b", 8), "add")
    await call(hass, player, "media_next_track")
    await call(hass, player, "media_previous_track")
    assert is_item("a")(state_of(hass, player))

    await call(hass, player, "media_next_track")
    await call(hass, player, "media_seek", seek_position=5)
    await call(hass, player, "media_previous_track")

    assert is_item("b")(state_of(hass, player))
    assert state_of(hass, player).attributes["media_position"] == 0
    await call(hass, player, "media_stop")


async def test_seek_is_complete_to_the_frame(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    media = songs.make("a", 4)
    await play(hass, player, media)
    watch = Watch(hass, player)

    await call(hass, player, "media_seek", seek_position=2.5)

    assert state_of(hass, player).attributes["media_position"] in (2, 3)
    assert "idle" not in watch.names
    await watch.until_is("idle")
    rest = songs.pcm("a", 4)[round(2.5 * RATE) * FRAME_BYTES :]
    assert kitchen.heard(rest).is_complete
    assert len(kitchen.asked("ANNOUNCE")) == 1


async def test_pause_and_resume_lose_nothing(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 4))
    await kitchen.wait_playing()
    watch = Watch(hass, player)

    await call(hass, player, "media_pause")
    await call(hass, player, "media_pause")
    state = state_of(hass, player)
    assert state.state == "paused"
    assert state.attributes["media_content_id"]
    await call(hass, player, "media_play")

    assert state_of(hass, player).state == "playing"
    await watch.until_is("idle")
    assert "idle" not in watch.names[:-1]
    assert len(kitchen.asked("ANNOUNCE")) == 1
    assert kitchen.heard(songs.pcm("a", 4)[2 * RATE * FRAME_BYTES :]).is_complete


async def test_one_button_pauses_and_resumes(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    button = "media_play_pause"
    await enqueue(hass, player, songs.make("a", 8), "add")
    await call(hass, player, button)
    assert is_item("a")(state_of(hass, player))

    await call(hass, player, button)
    assert state_of(hass, player).state == "paused"
    await call(hass, player, button)
    assert state_of(hass, player).state == "playing"
    # All at once; the last one of an odd number decides.
    await asyncio.gather(*(call(hass, player, button) for _ in range(3)))

    assert state_of(hass, player).state == "paused"
    assert len(kitchen.asked("ANNOUNCE")) == 1
    await call(hass, player, "media_stop")


async def test_one_button_pauses_during_connecting(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    kitchen.quirks = Quirks(setup_delay_s=1)
    asking = hass.async_create_task(play(hass, player, songs.make("a", 4)))
    await kitchen.wait_for("ANNOUNCE")

    await call(hass, player, "media_play_pause")
    await asking

    assert state_of(hass, player).state == "paused"
    await kitchen.wait_idle()
    await call(hass, player, "media_stop")


async def test_play_during_a_stop_starts_again(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    kitchen.quirks = Quirks(reply_delay_s={"TEARDOWN": 0.5})
    await play(hass, player, songs.make("a", 4))
    await call(hass, player, "media_seek", seek_position=2)
    stopping = hass.async_create_task(call(hass, player, "media_stop"))
    await kitchen.wait_for("TEARDOWN")

    await call(hass, player, "media_play")
    await stopping

    assert is_item("a")(state_of(hass, player))
    assert state_of(hass, player).attributes["media_position"] == 0
    await call(hass, player, "media_stop")


async def test_seek_while_paused_stays_paused(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 4))
    await call(hass, player, "media_pause")

    await call(hass, player, "media_seek", seek_position=3)
    assert state_of(hass, player).state == "paused"
    assert state_of(hass, player).attributes["media_position"] == 3
    watch = Watch(hass, player)
    await call(hass, player, "media_play")
    await watch.until_is("idle")

    assert kitchen.heard(songs.pcm("a", 4)[3 * RATE * FRAME_BYTES :]).is_complete


async def test_next_five_times_plays_the_last_one(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 4))
    for name in "bcdef":
        await enqueue(hass, player, songs.make(name), "add")
    watch = Watch(hass, player)

    await asyncio.gather(
        *(call(hass, player, "media_next_track") for _ in range(5)),
    )

    assert is_item("f")(state_of(hass, player))
    await watch.until_is("idle")
    assert kitchen.heard(songs.pcm("f")).is_complete
    assert len(kitchen.asked("ANNOUNCE")) == 1


async def test_pause_while_connecting_is_a_pause(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    kitchen.quirks = Quirks(setup_delay_s=1)
    watch = Watch(hass, player)
    asking = hass.async_create_task(play(hass, player, songs.make("a")))
    await kitchen.wait_for("ANNOUNCE")

    await call(hass, player, "media_pause")
    await asking
    assert state_of(hass, player).state == "paused"
    await kitchen.wait_idle()
    await call(hass, player, "media_play")

    await watch.until_is("playing")
    await watch.until_is("idle")
    assert kitchen.heard(songs.pcm("a")).is_complete


async def test_stop_while_paused_frees_the_receiver(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 4))
    await call(hass, player, "media_pause")
    assert kitchen.has_session

    await call(hass, player, "media_stop")

    assert state_of(hass, player).state == "idle"
    assert not kitchen.has_session


async def test_resume_after_the_sender_died_continues_at_the_position(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 4))
    await call(hass, player, "media_seek", seek_position=2)
    await call(hass, player, "media_pause")
    paused = state_of(hass, player)
    (pid,) = sender_pids()
    os.kill(pid, signal.SIGKILL)
    await kitchen.wait_idle()
    assert state_of(hass, player).state == "paused"
    kitchen.clear()

    watch = Watch(hass, player)
    await call(hass, player, "media_play")
    assert is_item("a")(state_of(hass, player))
    assert (
        abs(
            state_of(hass, player).attributes["media_position"]
            - paused.attributes["media_position"]
        )
        <= 1
    )
    await watch.until_is("idle")

    assert kitchen.heard(songs.pcm("a", 4)[3 * RATE * FRAME_BYTES :]).is_complete
    assert not kitchen.heard(songs.pcm("a", 4)).is_complete
