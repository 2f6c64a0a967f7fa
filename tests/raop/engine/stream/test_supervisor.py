"""Members that drop out of a group: retried, reconnected in time, or abandoned."""

import asyncio
from functools import partial
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
from tests.raop.engine.group_playback import (
    are_alike,
    changes,
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
    until,
)
from tests.virtual_receiver import VirtualReceiver

# Long enough to drop out and come back.
SONG_S = 7.0


@pytest.fixture
async def group(harness: EngineHarness, tune: Path) -> list[VirtualReceiver]:
    """Return two receivers that play the tune together."""
    group = await speakers(harness, 2)
    await start(harness, tune, *group)
    return group


def ends_well(of: VirtualReceiver, song: Path, seconds: float = 1.0) -> bool:
    """Return whether every frame of the end of a song was played."""
    return of.heard(read_wav(song)[-round(seconds * 44_100) * 4 :]).is_complete


async def dropped_out(harness: EngineHarness, of: VirtualReceiver) -> int:
    """Return how many dropouts of a receiver were reported."""

    def ours(event: Progress) -> list[MemberProgress]:
        name = of.receiver_id.lower()
        return [each for each in event.members if each.receiver == name]

    before = len(harness.events_of(Progress))
    new = await harness.until(
        Progress,
        lambda event: (
            event in harness.events_of(Progress)[before:] and bool(ours(event))
        ),
    )
    return ours(new)[0].drop_outs


async def test_a_lost_connection_is_restored_in_sync_and_the_others_lose_nothing(
    harness: EngineHarness, tune: Path
) -> None:
    group = await speakers(harness, 3)
    await start(harness, tune, *group)

    group[1].disconnect()
    lost = await wait_for_state(harness, group[1], "lost")
    begun = time.monotonic()
    await wait_for_state(harness, group[1], "playing", count=2)

    assert lost.code == "unreachable"
    assert time.monotonic() - begun < 5
    assert await dropped_out(harness, group[1]) == 1
    assert await dropped_out(harness, group[0]) == 0
    assert (await harness.ended()).reason == "finished"
    assert group[0].heard(read_wav(tune)).is_complete
    assert group[2].heard(read_wav(tune)).is_complete
    assert ends_well(group[1], tune)
    assert are_alike(group)


async def test_a_member_seen_at_another_port_is_tried_there_at_once(
    harness: EngineHarness,
    tune: Path,
    group: list[VirtualReceiver],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retry_policy, "BACK_OFF_S", (60.0,))
    await group[1].stop()
    await wait_for_state(harness, group[1], "lost")
    moved = await speaker(harness, 2)

    assert await harness.run(Seen(member=member(moved))) is None

    await moved.wait_for("RECORD")
    await wait_for_state(harness, moved, "playing", count=2)
    await harness.ended()
    assert ends_well(moved, tune)
    assert are_alike([group[0], moved])


async def test_a_member_that_answers_at_its_address_again_is_noticed(
    harness: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
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
    group = await speakers(harness, 2)
    await start(harness, tune, *group)
    await group[1].stop()
    await is_missed.wait()

    await group[1].start()
    begun = time.monotonic()
    await wait_for_state(harness, group[1], "playing", count=2)

    assert time.monotonic() - begun < 10
    await harness.ended()
    assert ends_well(group[1], tune)
    assert group[0].heard(read_wav(tune)).is_complete


async def test_a_silent_member_keeps_its_stream_and_plays_again_with_its_network(
    harness: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "SILENT_S", 0.6)
    monkeypatch.setattr(liveness, "STEADY_S", 0.5)
    group = await speakers(harness, 2)
    await start(harness, tune, *group)
    # It has requested the time all the while.
    await group[1].wait_frames(44_100)

    group[1].unplug()
    lost = await wait_for_state(harness, group[1], "lost")
    group[1].plug_in()
    await wait_for_state(harness, group[1], "playing", count=2)

    assert lost.code == "silent"
    assert (await harness.ended()).reason == "finished"
    assert group[0].heard(read_wav(tune)).is_complete
    assert ends_well(group[1], tune)
    assert are_alike(group)
    assert len(group[1].asked("ANNOUNCE")) == 1


async def test_a_silent_member_that_is_reachable_gets_a_new_session(
    harness: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "SILENT_S", 0.6)
    monkeypatch.setattr(liveness, "STEADY_S", 0.5)
    monkeypatch.setattr(reconnect, "_MUTE_S", 0.5)
    monkeypatch.setattr(reconnect, "_KNOCK_S", 0.2)
    steady: set[liveness.Liveness] = set()
    real = liveness.Liveness.asked

    def asked(it: liveness.Liveness, at_s: float) -> None:
        real(it, at_s)
        if it._is_steady:
            steady.add(it)

    monkeypatch.setattr(liveness.Liveness, "asked", asked)
    group = await speakers(harness, 2)
    await start(harness, tune, *group)
    # Both have requested the time all the while.
    await until(lambda: len(steady) >= 2, "steady", lambda: steady)

    group[1].unplug()
    await wait_for_state(harness, group[1], "lost")
    await harness.until(Progress, lambda event: len(event.members) == 1)
    group[1].plug_in()
    sessions = partial(group[1].asked, "ANNOUNCE")
    await until(lambda: len(sessions()) == 2, "a new session", sessions)

    await harness.ended()
    assert ends_well(group[1], tune)
    assert len(sessions()) == 2


async def test_a_member_that_ends_the_session_is_left_to_the_other_sender(
    harness: EngineHarness, tune: Path, group: list[VirtualReceiver]
) -> None:
    group[1].hang_up()
    left = await wait_for_state(harness, group[1], "left")

    assert left.code == "taken"
    assert (await harness.ended()).reason == "finished"
    assert len(group[1].asked("ANNOUNCE")) == 1
    assert group[0].heard(read_wav(tune)).is_complete


async def test_a_member_with_too_many_dropouts_is_given_up(
    harness: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "_DROP_OUTS", 2)
    group = await speakers(harness, 2)
    await start(harness, tune, *group)

    group[1].disconnect()
    await wait_for_state(harness, group[1], "playing", count=2)
    group[1].disconnect()
    left = await wait_for_state(harness, group[1], "left")

    assert left.code == "link_hopeless"
    assert (await harness.ended()).reason == "finished"
    assert group[0].heard(read_wav(tune)).is_complete
    assert states(harness, group[1])[-2:] == ["lost", "left"]


async def test_a_member_that_requires_a_password_on_return_is_not_retried(
    harness: EngineHarness, group: list[VirtualReceiver]
) -> None:
    group[1].password = "sesame"
    group[1].disconnect()
    left = await wait_for_state(harness, group[1], "left")

    assert left.code == "password_required"
    assert (await harness.ended()).reason == "finished"


async def test_a_group_that_is_lost_at_once_rejoins_at_the_current_position(
    harness: EngineHarness, tune: Path, group: list[VirtualReceiver]
) -> None:
    await asyncio.gather(*(each.stop() for each in group))
    for each in group:
        await wait_for_state(harness, each, "lost")
    await asyncio.sleep(0.5)  # the least time that a restart needs
    await asyncio.gather(*(each.start() for each in group))
    for each in group:
        await wait_for_state(harness, each, "playing", count=2)

    assert (await harness.ended()).reason == "finished"
    assert all(ends_well(each, tune) for each in group)
    assert are_alike(group)


async def test_a_group_ends_if_no_member_returns(
    harness: EngineHarness, tune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_HOPE_S", 0.5)
    group = await speakers(harness, 2)
    await start(harness, tune, *group)

    await asyncio.gather(*(each.stop() for each in group))

    end = await harness.ended()
    assert (end.reason, end.code) == ("failed", "unreachable")


async def test_a_member_that_returns_is_no_louder_than_before(
    harness: EngineHarness, group: list[VirtualReceiver]
) -> None:
    before = group[1].volume_db

    group[1].disconnect()
    await wait_for_state(harness, group[1], "lost")
    group[1].volume_db = before + 20
    await wait_for_state(harness, group[1], "playing", count=2)

    assert group[1].volume_db == pytest.approx(before)
    assert group[1].volumes[0].volume_db == pytest.approx(before)


async def test_no_member_reconnects_during_a_pause_and_all_do_at_resume(
    harness: EngineHarness, tune: Path, group: list[VirtualReceiver]
) -> None:
    group[1].disconnect()
    await wait_for_state(harness, group[1], "lost")

    assert await harness.run(Pause(stream=STREAM)) is None
    await asyncio.sleep(1.5)
    assert len(group[1].asked("ANNOUNCE")) == 1
    assert await harness.run(Resume(stream=STREAM)) is None

    await wait_for_state(harness, group[1], "playing", count=2)
    await harness.ended()
    assert ends_well(group[1], tune)


async def test_a_stopped_stream_makes_no_further_attempts(
    harness: EngineHarness, group: list[VirtualReceiver]
) -> None:
    group[1].disconnect()
    await wait_for_state(harness, group[1], "lost")

    assert await harness.stop() is None
    await asyncio.sleep(1.5)

    assert len(group[1].asked("ANNOUNCE")) == 1


async def test_a_seen_receiver_that_is_not_missing_is_left_alone(
    harness: EngineHarness, tune: Path
) -> None:
    first, other = await speakers(harness, 2)
    await start(harness, tune, first)

    assert await harness.run(Seen(member=member(other))) is None
    assert await harness.run(Seen(member=member(first))) is None

    assert not other.connections
    assert first.connections == 1
    assert [each.state for each in changes(harness, first)][-1] == "playing"


async def test_a_receiver_that_plays_alone_is_not_tried_again(
    harness: EngineHarness, tune: Path
) -> None:
    (alone,) = await speakers(harness, 1)
    await start(harness, tune, alone)

    alone.disconnect()

    assert (await harness.ended()).reason == "failed"
    assert await harness.run(play(tune, member(alone))) is None
    assert len(alone.asked("ANNOUNCE")) == 2
