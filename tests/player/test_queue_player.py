"""The queue, through actions and states, with the real sender."""

import logging

import pytest

from homeassistant.components.media_player import MediaPlayerEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from tests.ha.players import call, play, state_of
from tests.ha.songs import Songs, can, enqueue, is_item
from tests.ha.sound import FOLDER, write_wav
from tests.ha.watch import Watch, logged
from tests.virtual_receiver import VirtualReceiver


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and "custom_components.airplay" in record.name
    ]


async def test_items_follow_without_a_gap_and_without_a_false_state(
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


async def test_ten_pieces_play_as_one(
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


async def test_prepared_item_does_not_play_after_a_newer_command(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 4))
    await enqueue(hass, player, songs.make("b"), "add")

    await play(hass, player, songs.make("c"))
    watch = Watch(hass, player)
    await watch.until_is("idle")

    assert kitchen.heard(songs.pcm("c")).is_complete
    assert kitchen.heard(songs.pcm("b")).frames == 0


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
    await logged(caplog, "Kitchen stopped playing its queue")
    await watch.until_is("idle")
    (notice,) = ir.async_get(hass).issues.values()
    assert notice.translation_key == "queue_given_up"
    assert "gone2.wav" in (notice.translation_placeholders or {})["reason"]

    await play(hass, player, songs.make("c"))
    assert not ir.async_get(hass).issues


async def test_play_media_with_bad_items_only_raises(
    hass: HomeAssistant, player: str, songs: Songs
) -> None:
    for at in range(4):
        await enqueue(hass, player, f"{FOLDER}/gone{at}.wav", "add")

    with pytest.raises(HomeAssistantError, match="three items"):
        await call(hass, player, "media_play")

    assert state_of(hass, player).state == "idle"


async def test_full_queue_accepts_no_more_items(
    hass: HomeAssistant, player: str, songs: Songs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.airplay.media.play_queue.MAX_ITEMS", 1)
    await enqueue(hass, player, songs.make("a"), "add")

    with pytest.raises(ServiceValidationError, match="room for 0 more"):
        await enqueue(hass, player, songs.make("b"), "add")
