"""Members that drop out of a group: tried again, back in time, or given up."""

import asyncio
from pathlib import Path
import time

import pytest

from custom_components.airplay.raop.engine.net.reachability import is_reachable
from custom_components.airplay.raop.engine.stream import reconnect, supervisor
from custom_components.airplay.raop.messages import (
    Member,
    MemberProgress,
    Pause,
    Progress,
    Resume,
    Seen,
)
from custom_components.airplay.raop.session import liveness, retry_policy
from tests.raop.engine.group import (
    are_alike,
    changes,
    speaker,
    speakers,
    start,
    states,
    told,
)
from tests.raop.engine.stage import STREAM, EngineHarness, member, play, wav
from tests.virtual_receiver import VirtualReceiver

SONG_S = 7.0


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    """Return a file that is long enough to drop out and come back."""
    wav(tmp_path / "tune.wav", SONG_S)
    return tmp_path / "tune.wav"


@pytest.fixture
async def group(desk: EngineHarness, tune: Path) -> list[VirtualReceiver]:
    """Return two receivers that play the tune together."""
    group = await speakers(desk, 2)
    await start(desk, tune, *group)
    return group


def sound_of(song: Path) -> bytes:
    return song.read_bytes()[44:]


def ends_well(of: VirtualReceiver, song: Path, seconds: float = 1.0) -> bool:
    """Whether the end of a song was heard, every frame of it."""
    return of.heard(sound_of(song)[-round(seconds * 44_100) * 4 :]).is_complete


async def dropped_out(desk: EngineHarness, of: VirtualReceiver) -> int:
    """Return how often it was told that a receiver dropped out."""

    def ours(event: Progress) -> list[MemberProgress]:
        name = of.receiver_id.lower()
        return [each for each in event.members if each.receiver == name]

    before = len(desk.told(Progress))
    new = await desk.until(
        Progress,
        lambda event: event in desk.told(Progress)[before:] and bool(ours(event)),
    )
    return ours(new)[0].drop_outs


async def test_who_loses_its_connection_is_back_in_time_and_the_others_lose_nothing(
    desk: EngineHarness, tune: Path
) -> None:
    group = await speakers(desk, 3)
    await start(desk, tune, *group)

    group[1].disconnect()
    lost = await told(desk, group[1], "lost")
    begun = time.monotonic()
    await told(desk, group[1], "playing", count=2)

    assert lost.code == "unreachable"
    assert time.monotonic() - begun < 5
    assert await dropped_out(desk, group[1]) == 1
    assert await dropped_out(desk, group[0]) == 0
    assert (await desk.ended()).reason == "finished"
    assert group[0].heard(sound_of(tune)).is_complete
    assert group[2].heard(sound_of(tune)).is_complete
    assert ends_well(group[1], tune)
    assert are_alike(group)


async def test_who_is_seen_at_another_port_is_tried_there_at_once(
    desk: EngineHarness,
    tune: Path,
    group: list[VirtualReceiver],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retry_policy, "BACK_OFF_S", (60.0,))
    await group[1].stop()
    await told(desk, group[1], "lost")
    moved = await speaker(desk, 2)

    assert await desk.run(Seen(member=member(moved))) is None

    await moved.wait_for("RECORD")
    await told(desk, moved, "playing", count=2)
    await desk.ended()
    assert ends_well(moved, tune)
    assert are_alike([group[0], moved])


async def test_who_comes_back_to_its_address_is_noticed_by_itself(
    desk: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_missed = asyncio.Event()

    async def notice(whom: Member) -> bool:
        is_there = await is_reachable(whom)
        if not is_there:
            is_missed.set()
        return is_there

    monkeypatch.setattr(reconnect, "is_reachable", notice)
    monkeypatch.setattr(retry_policy, "BACK_OFF_S", (30.0,))
    monkeypatch.setattr(reconnect, "_KNOCK_S", 0.2)
    group = await speakers(desk, 2)
    await start(desk, tune, *group)
    await group[1].stop()
    await is_missed.wait()

    await group[1].start()
    begun = time.monotonic()
    await told(desk, group[1], "playing", count=2)

    assert time.monotonic() - begun < 10
    await desk.ended()
    assert ends_well(group[1], tune)
    assert group[0].heard(sound_of(tune)).is_complete


async def test_who_is_silent_is_fed_on_and_plays_again_when_its_network_is_back(
    desk: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "SILENT_S", 0.6)
    monkeypatch.setattr(liveness, "STEADY_S", 0.5)
    group = await speakers(desk, 2)
    await start(desk, tune, *group)
    # It has asked for the time all the while.
    await group[1].wait_frames(44_100)

    group[1].unplug()
    lost = await told(desk, group[1], "lost")
    group[1].plug_in()
    await told(desk, group[1], "playing", count=2)

    assert lost.code == "silent"
    assert (await desk.ended()).reason == "finished"
    assert group[0].heard(sound_of(tune)).is_complete
    assert ends_well(group[1], tune)
    assert are_alike(group)
    assert len(group[1].asked("ANNOUNCE")) == 1


async def test_who_stays_silent_although_it_is_there_is_given_a_new_session(
    desk: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "SILENT_S", 0.6)
    monkeypatch.setattr(liveness, "STEADY_S", 0.5)
    monkeypatch.setattr(reconnect, "_MUTE_S", 0.5)
    monkeypatch.setattr(reconnect, "_KNOCK_S", 0.2)
    group = await speakers(desk, 2)
    await start(desk, tune, *group)
    # It has asked for the time all the while.
    await group[1].wait_frames(44_100)

    group[1].unplug()
    await told(desk, group[1], "lost")
    await desk.until(Progress, lambda event: len(event.members) == 1)
    group[1].plug_in()
    await told(desk, group[1], "playing", count=2)

    assert len(group[1].asked("ANNOUNCE")) == 2
    await desk.ended()
    assert ends_well(group[1], tune)


async def test_who_ends_the_session_itself_is_left_to_whom_it_plays_for(
    desk: EngineHarness, tune: Path, group: list[VirtualReceiver]
) -> None:
    group[1].hang_up()
    left = await told(desk, group[1], "left")

    assert left.code == "taken"
    assert (await desk.ended()).reason == "finished"
    assert len(group[1].asked("ANNOUNCE")) == 1
    assert group[0].heard(sound_of(tune)).is_complete


async def test_a_link_that_drops_out_too_often_is_given_up(
    desk: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "_DROP_OUTS", 2)
    group = await speakers(desk, 2)
    await start(desk, tune, *group)

    group[1].disconnect()
    await told(desk, group[1], "playing", count=2)
    group[1].disconnect()
    left = await told(desk, group[1], "left")

    assert left.code == "link_hopeless"
    assert (await desk.ended()).reason == "finished"
    assert group[0].heard(sound_of(tune)).is_complete
    assert states(desk, group[1])[-2:] == ["lost", "left"]


async def test_who_wants_a_password_when_it_comes_back_is_not_asked_again(
    desk: EngineHarness, group: list[VirtualReceiver]
) -> None:
    group[1].password = "sesame"
    group[1].disconnect()
    left = await told(desk, group[1], "left")

    assert left.code == "password_required"
    assert (await desk.ended()).reason == "finished"


async def test_a_group_that_is_lost_at_once_is_heard_again_where_the_music_is_by_then(
    desk: EngineHarness, tune: Path, group: list[VirtualReceiver]
) -> None:
    await asyncio.gather(*(each.stop() for each in group))
    for each in group:
        await told(desk, each, "lost")
    await asyncio.sleep(0.5)  # which a restart takes at least
    await asyncio.gather(*(each.start() for each in group))
    for each in group:
        await told(desk, each, "playing", count=2)

    assert (await desk.ended()).reason == "finished"
    assert all(ends_well(each, tune) for each in group)
    assert are_alike(group)


async def test_a_group_of_which_nobody_comes_back_ends(
    desk: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_HOPE_S", 0.5)
    group = await speakers(desk, 2)
    await start(desk, tune, *group)

    await asyncio.gather(*(each.stop() for each in group))

    end = await desk.ended(timeout_s=3)
    assert (end.reason, end.code) == ("failed", "unreachable")


async def test_who_comes_back_is_no_louder_than_it_was(
    desk: EngineHarness, group: list[VirtualReceiver]
) -> None:
    before = group[1].volume_db

    group[1].disconnect()
    await told(desk, group[1], "lost")
    group[1].volume_db = before + 20
    await told(desk, group[1], "playing", count=2)

    assert group[1].volume_db == pytest.approx(before)
    assert group[1].volumes[0].volume_db == pytest.approx(before)


async def test_nobody_is_tried_while_the_music_is_paused_and_all_are_when_it_goes_on(
    desk: EngineHarness, tune: Path, group: list[VirtualReceiver]
) -> None:
    group[1].disconnect()
    await told(desk, group[1], "lost")

    assert await desk.run(Pause(stream=STREAM)) is None
    await asyncio.sleep(1.5)
    assert len(group[1].asked("ANNOUNCE")) == 1
    assert await desk.run(Resume(stream=STREAM)) is None

    await told(desk, group[1], "playing", count=2)
    await desk.ended()
    assert ends_well(group[1], tune)


async def test_a_stream_that_is_stopped_tries_nobody_any_more(
    desk: EngineHarness, group: list[VirtualReceiver]
) -> None:
    group[1].disconnect()
    await told(desk, group[1], "lost")

    assert await desk.stop() is None
    await asyncio.sleep(1.5)

    assert len(group[1].asked("ANNOUNCE")) == 1


async def test_who_is_seen_and_missed_by_nobody_is_left_alone(
    desk: EngineHarness, tune: Path
) -> None:
    first, other = await speakers(desk, 2)
    await start(desk, tune, first)

    assert await desk.run(Seen(member=member(other))) is None
    assert await desk.run(Seen(member=member(first))) is None

    assert not other.connections
    assert first.connections == 1
    assert [each.state for each in changes(desk, first)][-1] == "playing"


async def test_a_receiver_that_plays_alone_is_not_tried_again(
    desk: EngineHarness, tune: Path
) -> None:
    (alone,) = await speakers(desk, 1)
    await start(desk, tune, alone)

    alone.disconnect()

    assert (await desk.ended(timeout_s=2)).reason == "failed"
    assert await desk.run(play(tune, member(alone))) is None
    assert len(alone.asked("ANNOUNCE")) == 2
