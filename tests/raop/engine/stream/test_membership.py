"""One stream on several receivers: who begins, joins and leaves, and when."""

import asyncio
from pathlib import Path
import time

import pytest

from custom_components.airplay.raop.messages import (
    MemberChanged,
    MemberState,
    Pause,
    Resume,
    SetVolume,
    VolumeFound,
)
from tests.raop.engine.group import (
    are_alike,
    changes,
    is_tail,
    join,
    leave,
    speaker,
    speakers,
    start,
    states,
    told,
)
from tests.raop.engine.stage import (
    STREAM,
    EngineHarness,
    member,
    play,
    unix,
    until,
    wav,
)
from tests.virtual_receiver import Quirks

SONG_S = 4.0


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    """Return a file that is long enough to join and leave."""
    wav(tmp_path / "tune.wav", SONG_S)
    return tmp_path / "tune.wav"


def sound_of(song: Path) -> bytes:
    return song.read_bytes()[44:]


async def test_three_begin_together_and_each_hears_every_frame(
    desk: EngineHarness, song: Path, pcm: bytes
) -> None:
    group = await speakers(desk, 3)

    await start(desk, song, *group)
    assert (await desk.ended()).reason == "finished"

    assert all(each.heard(pcm).is_complete for each in group)
    assert are_alike(group)
    for each in group:
        assert states(desk, each) == ["connected", "started", "playing"]


async def test_a_member_is_told_to_play_when_it_is_heard(
    desk: EngineHarness, song: Path
) -> None:
    (alone,) = await speakers(desk, 1)
    begun = time.time()

    await start(desk, song, alone)

    assert time.time() >= (await desk.started()).at > begun
    found = desk.events.index(desk.told(VolumeFound)[0])
    started = desk.events.index(changes(desk, alone)[1])
    assert changes(desk, alone)[1].state == "started"
    assert found < started


async def test_who_joins_hears_the_running_music_in_time_and_the_others_lose_nothing(
    desk: EngineHarness, tune: Path
) -> None:
    pcm = sound_of(tune)
    first, second = await speakers(desk, 2)
    await start(desk, tune, first)

    assert await desk.run(join(second)) is None

    assert second.first_frame_ns is not None
    assert states(desk, second) == ["connected", "started", "playing"]
    assert (await desk.ended()).reason == "finished"
    assert first.heard(pcm).is_complete
    assert is_tail(second, pcm)
    assert len(second.played) == 1
    assert are_alike([first, second])
    assert second.violations == []
    assert second.stats.missing == 0


async def test_record_names_the_first_packet_that_is_sent(
    desk: EngineHarness, tune: Path
) -> None:
    first, second = await speakers(desk, 2)
    await start(desk, tune, first)

    assert await desk.run(join(second)) is None
    await second.wait_frames(1)

    told_by_record = second.asked("RECORD")[0].headers["rtp-info"]
    played_first = second.recording.packets[0].rtptime
    assert told_by_record.endswith(f"rtptime={played_first}")


async def test_a_slow_record_has_a_later_packet_sent_first(
    desk: EngineHarness, tune: Path
) -> None:
    pcm = sound_of(tune)
    (first,) = await speakers(desk, 1)
    slow = await speaker(desk, 2, quirks=Quirks(reply_delay_s={"RECORD": 0.7}))
    await start(desk, tune, first)

    assert await desk.run(join(slow)) is None
    await desk.ended()

    assert first.heard(pcm).is_complete
    assert is_tail(slow, pcm)
    assert slow.stats.missing == 0
    assert are_alike([first, slow])


async def test_who_cannot_join_is_told_and_nothing_else_happens(
    desk: EngineHarness, tune: Path
) -> None:
    pcm = sound_of(tune)
    (first,) = await speakers(desk, 1)
    busy = await speaker(desk, 2, quirks=Quirks(refuse={"ANNOUNCE": 453}))
    silent = await speaker(desk, 3, quirks=Quirks(unanswered=frozenset({"OPTIONS"})))
    await start(desk, tune, first)

    joining = desk.submit(join(silent))
    assert await desk.run(join(busy)) == "busy"
    assert (await desk.reply(joining)).code in ("unreachable", "stopped")

    assert (await desk.ended()).reason == "finished"
    assert first.heard(pcm).is_complete
    assert changes(desk, busy)[-1].state == "left"
    assert len(busy.asked("ANNOUNCE")) == 1


async def test_who_is_there_already_takes_over_what_is_new(
    desk: EngineHarness, tune: Path
) -> None:
    group = await speakers(desk, 2)
    await start(desk, tune, *group)

    assert await desk.run(join(group[1], volume=30.0)) is None

    await group[1].wait_until(lambda: bool(group[1].volumes))
    assert group[1].volumes[-1].volume_db == pytest.approx(-21)
    assert len(group[1].asked("ANNOUNCE")) == 1


async def test_who_joins_while_a_play_begins_is_part_of_it(
    desk: EngineHarness, song: Path, pcm: bytes
) -> None:
    slow = await speaker(desk, 1, quirks=Quirks(setup_delay_s=0.3))
    late = await speaker(desk, 2)
    playing = desk.submit(play(song, member(slow)))
    joining = desk.submit(join(late))

    assert (await desk.reply(playing)).code is None
    assert (await desk.reply(joining)).code is None
    await desk.ended()

    assert slow.heard(pcm).is_complete
    assert late.heard(pcm).is_complete
    assert are_alike([slow, late])


async def test_who_joins_while_receivers_are_connected_joins_right_after(
    desk: EngineHarness, tune: Path
) -> None:
    slow = await speaker(desk, 1, quirks=Quirks(setup_delay_s=0.3))
    late = await speaker(desk, 2)
    playing = desk.submit(play(tune, member(slow)))
    await slow.wait_for("SETUP")

    assert await desk.run(join(late)) is None

    assert (await desk.reply(playing)).code is None
    await desk.ended()
    assert slow.heard(sound_of(tune)).is_complete
    assert is_tail(late, sound_of(tune))


async def test_who_joins_what_is_paused_plays_when_it_goes_on(
    desk: EngineHarness, tune: Path
) -> None:
    group = await speakers(desk, 2)
    await start(desk, tune, group[0])
    assert await desk.run(Pause(stream=STREAM)) is None

    assert await desk.run(join(group[1])) is None
    assert not group[1].connections
    assert await desk.run(Resume(stream=STREAM)) is None
    await desk.ended()

    assert is_tail(group[1], sound_of(tune))
    assert are_alike(group)


async def test_who_joins_where_nothing_plays_is_done_at_once(
    desk: EngineHarness, song: Path
) -> None:
    (one,) = await speakers(desk, 1)

    assert await desk.run(join(one)) is None

    assert not one.connections


async def test_stop_ends_a_join(desk: EngineHarness, tune: Path) -> None:
    (first,) = await speakers(desk, 1)
    slow = await speaker(desk, 2, quirks=Quirks(reply_delay_s={"SETUP": 0.5}))
    await start(desk, tune, first)
    joining = desk.submit(join(slow))
    await slow.wait_for("SETUP")

    assert await desk.stop() is None

    assert (await desk.reply(joining)).code == "stopped"
    await slow.wait_idle(10)


async def test_who_leaves_is_free_and_the_others_lose_nothing(
    desk: EngineHarness, tune: Path
) -> None:
    pcm = sound_of(tune)
    group = await speakers(desk, 3)
    await start(desk, tune, *group)

    assert await desk.run(leave(group[0])) is None

    assert not group[0].has_session
    assert states(desk, group[0])[-1] == "left"
    assert (await desk.ended()).reason == "finished"
    assert all(each.heard(pcm).is_complete for each in group[1:])
    assert are_alike(group[1:])


async def test_the_last_one_that_leaves_ends_the_stream(
    desk: EngineHarness, tune: Path
) -> None:
    group = await speakers(desk, 2)
    await start(desk, tune, *group)

    assert await desk.run(leave(group[0])) is None
    assert await desk.run(leave(group[1])) is None

    assert (await desk.ended()).reason == "stopped"
    assert not any(each.has_session for each in group)


async def test_who_leaves_while_it_is_on_its_way_does_not_come(
    desk: EngineHarness, tune: Path
) -> None:
    (first,) = await speakers(desk, 1)
    slow = await speaker(desk, 2, quirks=Quirks(reply_delay_s={"SETUP": 1.0}))
    playing = desk.submit(play(tune, member(first), member(slow)))
    await slow.wait_for("SETUP")

    assert await desk.run(leave(slow)) is None

    assert (await desk.reply(playing)).code is None
    await slow.wait_idle(10)
    await desk.ended()
    assert first.heard(sound_of(tune)).is_complete
    assert "playing" not in states(desk, slow)


async def test_who_is_not_ready_holds_the_others_for_three_seconds_at_most(
    desk: EngineHarness, tune: Path
) -> None:
    group = await speakers(desk, 2)
    stuck = await speaker(desk, 3, quirks=Quirks(unanswered=frozenset({"OPTIONS"})))
    begun = time.time()

    members = [member(each) for each in (*group, stuck)]
    assert await desk.run(play(tune, *members)) is None

    assert (await desk.started()).at - begun > 3.0
    assert "lost" not in states(desk, stuck)
    assert (await desk.ended()).reason == "finished"
    assert all(each.heard(sound_of(tune)).is_complete for each in group)


async def test_who_is_slow_joins_late_by_the_attempt_that_was_under_way(
    desk: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "custom_components.airplay.raop.engine.stream.connecting._PATIENCE_S", 0.3
    )
    (first,) = await speakers(desk, 1)
    slow = await speaker(desk, 2, quirks=Quirks(reply_delay_s={"SETUP": 1.5}))

    await start(desk, tune, first, slow)
    await desk.ended()

    assert first.heard(sound_of(tune)).is_complete
    assert is_tail(slow, sound_of(tune))
    assert len(slow.asked("ANNOUNCE")) == 1
    assert are_alike([first, slow])


async def test_a_group_waits_for_the_clock_of_a_slow_member(
    desk: EngineHarness, song: Path, pcm: bytes
) -> None:
    (first,) = await speakers(desk, 1)
    slow = await speaker(desk, 2, quirks=Quirks(setup_delay_s=0.8))

    await start(desk, song, first, slow)
    await desk.ended()

    assert first.heard(pcm).is_complete
    assert slow.heard(pcm).is_complete


async def test_a_busy_member_joins_when_it_is_free(
    desk: EngineHarness, tune: Path
) -> None:
    (first,) = await speakers(desk, 1)
    busy = await speaker(desk, 2, quirks=Quirks(refuse={"ANNOUNCE": 453}))
    members = (member(first), member(busy))
    assert await desk.run(play(tune, *members)) is None
    lost = await told(desk, busy, "lost")
    assert lost.code == "busy"

    busy.quirks = Quirks()
    await told(desk, busy, "playing")
    await desk.ended()

    assert first.heard(sound_of(tune)).is_complete
    assert is_tail(busy, sound_of(tune))


async def test_other_media_for_other_members_keeps_the_sessions_that_stand(
    desk: EngineHarness, tune: Path, song: Path, pcm: bytes
) -> None:
    first, second, third = await speakers(desk, 3)
    await start(desk, tune, first, second)

    assert await desk.run(play(song, member(second), member(third))) is None
    await told(desk, third, "playing")
    await until(lambda: desk.states()[-1] == "ended", "states", desk.states)

    assert not first.has_session
    assert states(desk, first)[-1] == "left"
    assert len(second.asked("ANNOUNCE")) == 1
    assert second.heard(pcm).is_complete
    assert is_tail(third, pcm) or third.heard(pcm).is_complete
    assert are_alike([second, third])


async def test_other_media_does_not_wait_for_who_is_lost(
    desk: EngineHarness, tune: Path, song: Path, pcm: bytes
) -> None:
    group = await speakers(desk, 2)
    await start(desk, tune, *group)
    await group[1].stop()
    await told(desk, group[1], "lost")
    begun = time.monotonic()

    assert await desk.run(play(song, *map(member, group))) is None

    assert time.monotonic() - begun < 2
    assert len(group[0].asked("ANNOUNCE")) == 1
    await until(lambda: desk.states()[-1] == "ended", "states", desk.states)
    assert group[0].heard(pcm).is_complete


async def test_who_fails_at_resume_does_not_keep_the_others_silent(
    desk: EngineHarness, tune: Path
) -> None:
    group = await speakers(desk, 2)
    await start(desk, tune, *group)
    assert await desk.run(Pause(stream=STREAM)) is None
    await group[1].stop()

    assert await desk.run(Resume(stream=STREAM)) is None

    await told(desk, group[1], "lost")
    await group[1].start()
    await told(desk, group[1], "playing", count=2)
    assert (await desk.ended()).reason == "finished"
    assert group[0].heard(sound_of(tune)[-44_100:]).is_complete
    assert group[1].heard(sound_of(tune)[-44_100:]).is_complete


async def test_levels_hold_for_each_member_alone(
    desk: EngineHarness, tune: Path
) -> None:
    first, second = await speakers(desk, 2)
    members = member(first, volume=50.0), member(second, volume=20.0)
    assert await desk.run(play(tune, *members)) is None

    name = second.receiver_id.lower()
    assert await desk.run(SetVolume(receiver=name, volume=10.0)) is None
    await second.wait_until(lambda: second.volume_db == pytest.approx(-27))

    assert first.volume_db == pytest.approx(-15)


async def test_a_command_is_answered_although_many_come_and_go(
    desk: EngineHarness, tune: Path
) -> None:
    stays, *others = await speakers(desk, 4)
    await start(desk, tune, stays)

    numbers = [desk.submit(join(each)) for each in others]
    await others[0].wait_for("RECORD")
    numbers += [desk.submit(leave(each)) for each in others]

    codes = [(await desk.reply(number)).code for number in numbers]
    assert codes == [None] * 6
    await asyncio.gather(*(each.wait_idle(10) for each in others))
    assert (await desk.ended()).reason == "finished"
    assert stays.heard(sound_of(tune)).is_complete
    assert unix(stays.first_frame_ns) > 0
    assert [each.state for each in desk.told(MemberChanged)].count(
        MemberState.LOST
    ) == 0
