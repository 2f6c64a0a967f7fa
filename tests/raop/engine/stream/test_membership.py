"""One stream on several receivers: which begin, join and leave, and when."""

import asyncio
from pathlib import Path
import time

import pytest

from custom_components.airplay.raop.engine.stream import connecting
from custom_components.airplay.raop.messages import (
    Join,
    MemberChanged,
    MemberState,
    Pause,
    Resume,
    SetVolume,
    Stop,
    VolumeFound,
)
from tests.raop.engine.group_playback import (
    are_alike,
    changes,
    is_tail,
    join,
    leave,
    speaker,
    speakers,
    start,
    states,
    wait_for_state,
)
from tests.raop.engine.harness import (
    STREAM,
    EngineHarness,
    member,
    play,
    read_wav,
    unix,
    until,
)
from tests.virtual_receiver import Quirks

# Long enough to join and leave.
SONG_S = 4.0


async def test_three_begin_together_and_each_plays_every_frame(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    group = await speakers(harness, 3)

    await start(harness, song, *group)
    assert (await harness.ended()).reason == "finished"

    assert all(each.heard(pcm).is_complete for each in group)
    assert are_alike(group)
    for each in group:
        assert states(harness, each) == ["connected", "started", "playing"]


async def test_a_member_is_reported_playing_when_its_sound_starts(
    harness: EngineHarness, song: Path
) -> None:
    (alone,) = await speakers(harness, 1)
    begun = time.time()

    await start(harness, song, alone)

    assert time.time() >= (await harness.started()).at > begun
    found = harness.events.index(harness.events_of(VolumeFound)[0])
    started = harness.events.index(changes(harness, alone)[1])
    assert changes(harness, alone)[1].state == "started"
    assert found < started


async def test_a_new_member_plays_in_sync_and_the_others_lose_nothing(
    harness: EngineHarness, tune: Path
) -> None:
    pcm = read_wav(tune)
    first, second = await speakers(harness, 2)
    await start(harness, tune, first)

    assert await harness.run(join(second)) is None

    assert second.first_frame_ns is not None
    assert states(harness, second) == ["connected", "started", "playing"]
    assert (await harness.ended()).reason == "finished"
    assert first.heard(pcm).is_complete
    assert is_tail(second, pcm)
    assert len(second.played) == 1
    assert are_alike([first, second])
    assert second.violations == []
    assert second.stats.missing == 0


async def test_record_names_the_first_packet_that_is_sent(
    harness: EngineHarness, tune: Path
) -> None:
    first, second = await speakers(harness, 2)
    await start(harness, tune, first)

    assert await harness.run(join(second)) is None
    await second.wait_frames(1)

    told_by_record = second.asked("RECORD")[0].headers["rtp-info"]
    played_first = second.recording.packets[0].rtptime
    assert told_by_record.endswith(f"rtptime={played_first}")


async def test_a_slow_record_has_a_later_packet_sent_first(
    harness: EngineHarness, tune: Path
) -> None:
    pcm = read_wav(tune)
    (first,) = await speakers(harness, 1)
    slow = await speaker(harness, 2, quirks=Quirks(reply_delay_s={"RECORD": 0.7}))
    await start(harness, tune, first)

    assert await harness.run(join(slow)) is None
    await harness.ended()

    assert first.heard(pcm).is_complete
    assert is_tail(slow, pcm)
    assert slow.stats.missing == 0
    assert are_alike([first, slow])


async def test_a_failed_join_is_reported_and_changes_nothing_else(
    harness: EngineHarness, tune: Path
) -> None:
    pcm = read_wav(tune)
    (first,) = await speakers(harness, 1)
    busy = await speaker(harness, 2, quirks=Quirks(refuse={"ANNOUNCE": 453}))
    silent = await speaker(harness, 3, quirks=Quirks(unanswered=frozenset({"OPTIONS"})))
    await start(harness, tune, first)

    joining = harness.submit(join(silent))
    assert await harness.run(join(busy)) == "busy"
    assert (await harness.reply(joining)).code in ("unreachable", "stopped")

    assert (await harness.ended()).reason == "finished"
    assert first.heard(pcm).is_complete
    assert changes(harness, busy)[-1].state == "left"
    assert len(busy.asked("ANNOUNCE")) == 1


async def test_a_present_member_adopts_new_settings(
    harness: EngineHarness, tune: Path
) -> None:
    group = await speakers(harness, 2)
    await start(harness, tune, *group)

    assert await harness.run(join(group[1], volume=30.0)) is None

    await group[1].wait_until(lambda: bool(group[1].volumes))
    assert group[1].volumes[-1].volume_db == pytest.approx(-21)
    assert len(group[1].asked("ANNOUNCE")) == 1


async def test_a_join_during_the_start_of_a_play_is_part_of_it(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    slow = await speaker(harness, 1, quirks=Quirks(setup_delay_s=0.3))
    late = await speaker(harness, 2)
    playing = harness.submit(play(song, member(slow)))
    joining = harness.submit(join(late))

    assert (await harness.reply(playing)).code is None
    assert (await harness.reply(joining)).code is None
    await harness.ended()

    assert slow.heard(pcm).is_complete
    assert late.heard(pcm).is_complete
    assert are_alike([slow, late])


async def test_a_join_while_receivers_connect_follows_right_after(
    harness: EngineHarness, tune: Path
) -> None:
    slow = await speaker(harness, 1, quirks=Quirks(setup_delay_s=0.3))
    late = await speaker(harness, 2)
    playing = harness.submit(play(tune, member(slow)))
    await slow.wait_for("SETUP")

    assert await harness.run(join(late)) is None

    assert (await harness.reply(playing)).code is None
    await harness.ended()
    assert slow.heard(read_wav(tune)).is_complete
    assert is_tail(late, read_wav(tune))


async def test_a_member_that_joins_a_paused_stream_plays_at_resume(
    harness: EngineHarness, tune: Path
) -> None:
    group = await speakers(harness, 2)
    await start(harness, tune, group[0])
    assert await harness.run(Pause(stream=STREAM)) is None

    assert await harness.run(join(group[1])) is None
    assert not group[1].connections
    assert await harness.run(Resume(stream=STREAM)) is None
    await harness.ended()

    assert is_tail(group[1], read_wav(tune))
    assert are_alike(group)


async def test_a_join_to_an_idle_stream_is_done_at_once(
    harness: EngineHarness, song: Path
) -> None:
    (one,) = await speakers(harness, 1)

    assert await harness.run(join(one)) is None

    assert not one.connections


async def test_stop_ends_a_join(harness: EngineHarness, tune: Path) -> None:
    (first,) = await speakers(harness, 1)
    slow = await speaker(harness, 2, quirks=Quirks(reply_delay_s={"SETUP": 0.5}))
    await start(harness, tune, first)
    joining = harness.submit(join(slow))
    await slow.wait_for("SETUP")

    assert await harness.stop() is None

    assert (await harness.reply(joining)).code == "stopped"
    await slow.wait_idle(10)


async def test_a_resume_that_supersedes_a_start_leaves_nothing_to_join(
    harness: EngineHarness, tune: Path
) -> None:
    slow = Quirks(reply_delay_s={"ANNOUNCE": 0.5})
    den = await speaker(harness, 1, quirks=slow)
    hall = await speaker(harness, 2)
    playing = harness.submit(play(tune, member(den)))
    await den.wait_for("ANNOUNCE")

    assert await harness.run(Resume(stream=STREAM)) == "no_stream"
    assert await harness.run(Join(stream=STREAM, member=member(hall))) is None

    assert (await harness.reply(playing)).code == "superseded"
    assert harness.states()[-1] == "ended"


async def test_a_join_while_a_stop_frees_the_receivers_is_answered(
    harness: EngineHarness, tune: Path
) -> None:
    slow = Quirks(reply_delay_s={"TEARDOWN": 0.5})
    den = await speaker(harness, 1, quirks=slow)
    hall = await speaker(harness, 2)
    await harness.run(play(tune, member(den)))
    stopping = harness.submit(Stop(stream=STREAM))
    await den.wait_for("TEARDOWN")

    assert await harness.run(Join(stream=STREAM, member=member(hall))) == "stopped"

    assert (await harness.reply(stopping)).code is None


async def test_a_member_that_leaves_is_free_and_the_others_lose_nothing(
    harness: EngineHarness, tune: Path
) -> None:
    pcm = read_wav(tune)
    group = await speakers(harness, 3)
    await start(harness, tune, *group)

    assert await harness.run(leave(group[0])) is None

    assert not group[0].has_session
    assert states(harness, group[0])[-1] == "left"
    assert (await harness.ended()).reason == "finished"
    assert all(each.heard(pcm).is_complete for each in group[1:])
    assert are_alike(group[1:])


async def test_the_last_one_that_leaves_ends_the_stream(
    harness: EngineHarness, tune: Path
) -> None:
    group = await speakers(harness, 2)
    await start(harness, tune, *group)

    assert await harness.run(leave(group[0])) is None
    assert await harness.run(leave(group[1])) is None

    assert (await harness.ended()).reason == "stopped"
    assert not any(each.has_session for each in group)


async def test_a_member_that_leaves_while_it_connects_does_not_join(
    harness: EngineHarness, tune: Path
) -> None:
    (first,) = await speakers(harness, 1)
    slow = await speaker(harness, 2, quirks=Quirks(reply_delay_s={"SETUP": 1.0}))
    playing = harness.submit(play(tune, member(first), member(slow)))
    await slow.wait_for("SETUP")

    assert await harness.run(leave(slow)) is None

    assert (await harness.reply(playing)).code is None
    await slow.wait_idle(10)
    await harness.ended()
    assert first.heard(read_wav(tune)).is_complete
    assert "playing" not in states(harness, slow)


async def test_a_member_that_is_not_ready_delays_the_others_by_three_seconds_at_most(
    harness: EngineHarness, tune: Path
) -> None:
    group = await speakers(harness, 2)
    slow = Quirks(reply_delay_s={"OPTIONS": 2.5, "ANNOUNCE": 2.5, "SETUP": 2.5})
    stuck = await speaker(harness, 3, quirks=slow)
    begun = time.time()

    members = [member(each) for each in (*group, stuck)]
    assert await harness.run(play(tune, *members)) is None

    assert (await harness.started()).at - begun > 3.0
    assert "lost" not in states(harness, stuck)
    assert (await harness.ended()).reason == "finished"
    assert all(each.heard(read_wav(tune)).is_complete for each in group)


async def test_a_slow_member_joins_late_by_the_attempt_in_progress(
    harness: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "custom_components.airplay.raop.engine.stream.connecting._PATIENCE_S", 0.3
    )
    (first,) = await speakers(harness, 1)
    slow = await speaker(harness, 2, quirks=Quirks(reply_delay_s={"SETUP": 1.5}))

    await start(harness, tune, first, slow)
    await harness.ended()

    assert first.heard(read_wav(tune)).is_complete
    assert is_tail(slow, read_wav(tune))
    assert len(slow.asked("ANNOUNCE")) == 1
    assert are_alike([first, slow])


async def test_a_group_waits_for_the_clock_of_a_slow_member(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    (first,) = await speakers(harness, 1)
    slow = await speaker(harness, 2, quirks=Quirks(setup_delay_s=0.8))

    await start(harness, song, first, slow)
    await harness.ended()

    assert first.heard(pcm).is_complete
    assert slow.heard(pcm).is_complete


async def test_a_busy_member_joins_when_it_is_free(
    harness: EngineHarness, tune: Path
) -> None:
    (first,) = await speakers(harness, 1)
    busy = await speaker(harness, 2, quirks=Quirks(refuse={"ANNOUNCE": 453}))
    members = (member(first), member(busy))
    assert await harness.run(play(tune, *members)) is None
    lost = await wait_for_state(harness, busy, "lost")
    assert lost.code == "busy"

    busy.quirks = Quirks()
    await wait_for_state(harness, busy, "playing")
    await harness.ended()

    assert first.heard(read_wav(tune)).is_complete
    assert is_tail(busy, read_wav(tune))


async def test_other_media_for_other_members_keeps_established_sessions(
    harness: EngineHarness, tune: Path, song: Path, pcm: bytes
) -> None:
    first, second, third = await speakers(harness, 3)
    await start(harness, tune, first, second)

    assert await harness.run(play(song, member(second), member(third))) is None
    await wait_for_state(harness, third, "playing")
    await until(lambda: harness.states()[-1] == "ended", "states", harness.states)

    assert not first.has_session
    assert states(harness, first)[-1] == "left"
    assert len(second.asked("ANNOUNCE")) == 1
    assert second.heard(pcm).is_complete
    assert is_tail(third, pcm) or third.heard(pcm).is_complete
    assert are_alike([second, third])


async def test_other_media_does_not_wait_for_a_lost_member(
    harness: EngineHarness,
    tune: Path,
    song: Path,
    pcm: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    group = await speakers(harness, 2)
    await start(harness, tune, *group)
    await group[1].stop()
    await wait_for_state(harness, group[1], "lost")
    monkeypatch.setattr(connecting, "_PATIENCE_S", 60)

    # For a fraction of the time allowed for a receiver that may still come.
    async with asyncio.timeout(8):
        assert await harness.run(play(song, *map(member, group))) is None

    assert len(group[0].asked("ANNOUNCE")) == 1
    await until(lambda: harness.states()[-1] == "ended", "states", harness.states)
    assert group[0].heard(pcm).is_complete


async def test_a_member_that_fails_at_resume_does_not_silence_the_others(
    harness: EngineHarness, tune: Path
) -> None:
    group = await speakers(harness, 2)
    await start(harness, tune, *group)
    assert await harness.run(Pause(stream=STREAM)) is None
    await group[1].stop()

    assert await harness.run(Resume(stream=STREAM)) is None

    await wait_for_state(harness, group[1], "lost")
    await group[1].start()
    await wait_for_state(harness, group[1], "playing", count=2)
    assert (await harness.ended()).reason == "finished"
    assert group[0].heard(read_wav(tune)[-44_100:]).is_complete
    assert group[1].heard(read_wav(tune)[-44_100:]).is_complete


async def test_volumes_apply_to_each_member_alone(
    harness: EngineHarness, tune: Path
) -> None:
    first, second = await speakers(harness, 2)
    members = member(first, volume=50.0), member(second, volume=20.0)
    assert await harness.run(play(tune, *members)) is None

    name = second.receiver_id.lower()
    assert await harness.run(SetVolume(receiver=name, volume=10.0)) is None
    await second.wait_until(lambda: second.volume_db == pytest.approx(-27))

    assert first.volume_db == pytest.approx(-15)


async def test_a_command_is_answered_although_many_come_and_go(
    harness: EngineHarness, tune: Path
) -> None:
    stays, *others = await speakers(harness, 4)
    await start(harness, tune, stays)

    numbers = [harness.submit(join(each)) for each in others]
    await others[0].wait_for("RECORD")
    numbers += [harness.submit(leave(each)) for each in others]

    codes = [(await harness.reply(number)).code for number in numbers]
    assert codes == [None] * 6
    await asyncio.gather(*(each.wait_idle(10) for each in others))
    assert (await harness.ended()).reason == "finished"
    assert stays.heard(read_wav(tune)).is_complete
    assert unix(stays.first_frame_ns) > 0
    assert [each.state for each in harness.events_of(MemberChanged)].count(
        MemberState.LOST
    ) == 0
