"""The queue and its transport, through actions and states, with the real sender."""

import asyncio
import logging
import os
from pathlib import Path
import signal
from typing import Any

import numpy as np
import pytest

from homeassistant.components.media_player import MediaPlayerEntityFeature
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from tests.ha_common import (
    RATE,
    Watch,
    call,
    logged,
    play,
    sender_pids,
    state_of,
    write_wav,
)
from tests.virtual_receiver import Quirks, VirtualReceiver

FOLDER = "media-source://media_source/local"
FRAME_BYTES = 4


class Songs:
    """Songs in Home Assistant's media, unlike each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, name: str, seconds: float = 1.5) -> str:
        """Write a song and return its media id."""
        write_wav(self.folder / f"{name}.wav", self.pcm(name, seconds))
        return f"{FOLDER}/{name}.wav"

    @staticmethod
    def pcm(name: str, seconds: float = 1.5) -> bytes:
        """Return what is heard of a song."""
        noise = np.random.default_rng([*name.encode()])
        return noise.integers(1, 9000, 2 * round(seconds * RATE), "<i2").tobytes()


@pytest.fixture
def songs(hass: HomeAssistant, tmp_path: Path) -> Songs:
    """Return a folder of songs."""
    hass.config.media_dirs["local"] = str(tmp_path / "media")
    return Songs(tmp_path / "media")


def is_item(name: str) -> Any:
    """Return a predicate: a song plays."""
    return lambda state: (
        state.state == "playing"
        and state.attributes.get("media_content_id") == f"{FOLDER}/{name}.wav"
    )


def can(state: State, feature: MediaPlayerEntityFeature) -> bool:
    return bool(state.attributes["supported_features"] & feature)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and "custom_components.airplay" in record.name
    ]


async def enqueue(hass: HomeAssistant, player: str, media: str, how: str) -> None:
    await play(hass, player, media, enqueue=how)


async def test_items_follow_without_a_gap_and_without_a_lie(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    names = ["a", "b", "c"]
    media = [songs.make(name) for name in names]
    watch = Watch(hass, player)

    await play(hass, player, media[0])
    for each in media[1:]:
        await enqueue(hass, player, each, "add")
    await watch.until(is_item("b"))
    state = await watch.until(
        lambda now: is_item("b")(now) and now.attributes["media_position"] == 0
    )
    assert state.attributes["queue_position"] == 2
    await watch.until(is_item("c"))
    await watch.until_is("idle")

    assert watch.names == ["idle", "buffering", "playing", "idle"]
    assert kitchen.heard(b"".join(map(songs.pcm, names))).is_complete
    assert len(kitchen.asked("ANNOUNCE")) == 1
    assert not kitchen.violations


async def test_ten_pieces_are_heard_as_one(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    whole = songs.pcm("whole", 5)
    size = len(whole) // 10
    for at in range(10):
        piece = whole[at * size : (at + 1) * size]
        write_wav(songs.folder / "pieces" / f"{at}.wav", piece)
    watch = Watch(hass, player)

    await play(hass, player, f"{FOLDER}/pieces")
    await watch.until_is("playing")
    await watch.until_is("idle")

    assert watch.names == ["idle", "buffering", "playing", "idle"]
    assert kitchen.heard(whole).is_complete
    places = [each.attributes.get("queue_position") for each in watch.states]
    assert set(range(1, 11)) <= {place for place in places if place}


async def test_item_that_was_ready_is_not_heard_after_another_order(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 4))
    await enqueue(hass, player, songs.make("b"), "add")

    await play(hass, player, songs.make("c"))
    watch = Watch(hass, player)
    await watch.until_is("idle")

    assert kitchen.heard(songs.pcm("c")).is_complete
    assert kitchen.heard(songs.pcm("b")).frames == 0


async def test_receiver_that_was_lost_goes_on_at_the_position(
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


async def test_next_is_offered_only_while_there_is_one(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    feature = MediaPlayerEntityFeature
    assert not can(state_of(hass, player), feature.PLAY)
    await play(hass, player, songs.make("a", 4))
    assert not can(state_of(hass, player), feature.NEXT_TRACK)
    assert can(state_of(hass, player), feature.SEEK)
    assert can(state_of(hass, player), feature.PAUSE)

    await enqueue(hass, player, songs.make("b", 4), "add")
    assert can(state_of(hass, player), feature.NEXT_TRACK)
    await call(hass, player, "media_next_track")
    assert is_item("b")(state_of(hass, player))
    assert not can(state_of(hass, player), feature.NEXT_TRACK)
    await call(hass, player, "repeat_set", repeat="all")
    assert can(state_of(hass, player), feature.NEXT_TRACK)

    await call(hass, player, "media_stop")
    assert not can(state_of(hass, player), feature.SEEK)
    assert can(state_of(hass, player), feature.PLAY)


async def test_enqueue_has_home_assistants_meanings(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    media = {name: songs.make(name, 4) for name in "abcde"}

    def order() -> tuple[int, int]:
        now = state_of(hass, player).attributes
        return now["queue_position"], now["queue_size"]

    await play(hass, player, media["a"])
    await enqueue(hass, player, media["b"], "add")
    await enqueue(hass, player, media["c"], "next")
    assert order() == (1, 3)
    await call(hass, player, "media_next_track")
    assert is_item("c")(state_of(hass, player))
    await enqueue(hass, player, media["d"], "play")
    assert is_item("d")(state_of(hass, player))
    assert order() == (3, 4)
    await call(hass, player, "media_next_track")
    assert is_item("b")(state_of(hass, player))
    await enqueue(hass, player, media["e"], "replace")
    assert is_item("e")(state_of(hass, player))
    assert order() == (1, 1)
    await call(hass, player, "media_stop")


async def test_add_while_idle_waits_for_play(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    await enqueue(hass, player, songs.make("a", 4), "add")
    assert state_of(hass, player).state == "idle"

    await call(hass, player, "media_play")

    assert is_item("a")(state_of(hass, player))
    await call(hass, player, "media_stop")
    await call(hass, player, "media_play")
    assert is_item("a")(state_of(hass, player))
    await call(hass, player, "clear_playlist")
    assert state_of(hass, player).state == "idle"
    assert "queue_size" not in state_of(hass, player).attributes


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


async def test_shuffle_and_repeat_are_shown_and_done(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a"))
    await enqueue(hass, player, songs.make("b", 4), "add")
    await call(hass, player, "shuffle_set", shuffle=True)
    await call(hass, player, "repeat_set", repeat="one")
    assert state_of(hass, player).attributes["shuffle"] is True
    assert state_of(hass, player).attributes["repeat"] == "one"
    first = state_of(hass, player).attributes["media_position_updated_at"]
    watch = Watch(hass, player)

    await watch.until(
        lambda now: (
            is_item("a")(now)
            and (now.attributes["media_position_updated_at"] - first).total_seconds()
            > 1
        )
    )
    await call(hass, player, "repeat_set", repeat="off")
    await watch.until(is_item("b"))

    assert watch.names == ["playing"]
    await call(hass, player, "media_stop")


async def test_bad_item_is_skipped_and_named(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    songs: Songs,
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = Watch(hass, player)
    await play(hass, player, songs.make("a"))
    await play(
        hass, player, f"{FOLDER}/gone.wav", enqueue="add", extra={"title": "Gone Song"}
    )
    await enqueue(hass, player, songs.make("b"), "add")

    await watch.until(is_item("b"))
    await watch.until_is("idle")

    assert any("Kitchen skips Gone Song" in text for text in warnings(caplog))
    assert watch.names == ["idle", "buffering", "playing", "idle"]
    assert kitchen.heard(songs.pcm("a") + songs.pcm("b")).is_complete


async def test_three_bad_items_in_a_row_end_it(
    hass: HomeAssistant,
    player: str,
    songs: Songs,
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = Watch(hass, player)
    await play(hass, player, songs.make("a", 3))
    for at in range(4):
        await enqueue(hass, player, f"{FOLDER}/gone{at}.wav", "add")
    await enqueue(hass, player, songs.make("b"), "add")

    await watch.until_is("playing")
    await logged(caplog, "Kitchen stops playing its queue")
    await watch.until_is("idle")
    (notice,) = ir.async_get(hass).issues.values()
    assert notice.translation_key == "queue_given_up"
    assert "gone2.wav" in (notice.translation_placeholders or {})["reason"]

    await play(hass, player, songs.make("c"))
    assert not ir.async_get(hass).issues


async def test_order_of_bad_items_only_tells_the_user(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    for at in range(4):
        await enqueue(hass, player, f"{FOLDER}/gone{at}.wav", "add")

    with pytest.raises(HomeAssistantError, match="Three items"):
        await call(hass, player, "media_play")

    assert state_of(hass, player).state == "idle"


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


async def test_one_button_pauses_and_goes_on(
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
    # All at once, the last one of an odd number says what is.
    await asyncio.gather(*(call(hass, player, button) for _ in range(3)))

    assert state_of(hass, player).state == "paused"
    assert len(kitchen.asked("ANNOUNCE")) == 1
    await call(hass, player, "media_stop")


async def test_one_button_pauses_what_is_still_being_connected(
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


async def test_play_while_it_is_being_stopped_begins_anew(
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


async def test_resume_after_the_sender_died_goes_on_at_the_position(
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


async def test_full_queue_takes_no_more(
    hass: HomeAssistant, player: str, songs: Songs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.airplay.play_queue.MAX_ITEMS", 1)
    await enqueue(hass, player, songs.make("a"), "add")

    with pytest.raises(ServiceValidationError, match="takes 0 more"):
        await enqueue(hass, player, songs.make("b"), "add")
