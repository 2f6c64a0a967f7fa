"""Announcements on a group: to one of its receivers, to some of them, and to all."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from custom_components.airplay.raop.messages import (
    AnnouncementFailed,
    AnnouncementStarted,
    Join,
    Leave,
    Pause,
    Resume,
    StreamChanged,
)
from tests.raop.engine.announcing import (
    Scene,
    announce,
    target,
    voice_began_ns,
    volumes,
)
from tests.raop.engine.harness import STREAM, EngineHarness, member, receiver
from tests.raop.engine.stereo_marks import (
    gains,
    gains_in_parts,
    heard_sides,
    is_said_whole,
    voice,
)
from tests.virtual_receiver import VirtualReceiver


def says_nothing(of: VirtualReceiver) -> bool:
    return not heard_sides(of.recording.packets)[1].any()


def in_step(one: VirtualReceiver, other: VirtualReceiver) -> bool:
    here, there = one.play_times(), other.play_times()
    both = here.keys() & there.keys()
    assert len(both) > 44_100 / 352
    return max(abs(here[each] - there[each]) for each in both) < 1_000_000


async def test_one_of_a_group_announces_and_the_music_of_the_other_is_bit_exact(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(3.5)
    said = scene.bell(0.5)

    await scene.play(kitchen, hall)
    assert await scene.say(target(hall, volume=60)) is None
    await scene.end(kitchen, hall)

    assert is_said_whole(hall, said)
    assert says_nothing(kitchen)
    assert (gains(kitchen, song) == 1).all()
    assert len(gains(kitchen, song)) == len(gains(hall, song)) == len(song)
    assert [volumes(each) for each in (kitchen, hall)] == [[30], [30, 60, 30]]
    told = scene.harness.events_of(AnnouncementStarted)
    assert [each.receiver for each in told] == [member(hall).receiver]
    assert in_step(kitchen, hall)
    assert not kitchen.violations + hall.violations


async def test_music_of_an_announcing_member_does_not_pause_while_others_play(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(3.0)
    said = scene.bell(0.5)

    await scene.play(kitchen, hall)
    assert await scene.say(target(hall), pauses_music=True) is None
    await scene.end(kitchen, hall)

    assert is_said_whole(hall, said)
    assert (gains(kitchen, song) == 1).all()
    assert len(gains(hall, song)) == len(song)


async def test_whole_group_announces_at_the_same_instant_each_at_its_own_volume(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(4.0)
    said = scene.bell(0.5)

    await scene.play(kitchen, hall)
    loud, quiet = target(kitchen, volume=60), target(hall, volume=40)
    both = target(kitchen, hall)
    both = type(both)(
        stream=STREAM, addressees=(*loud.addressees, *quiet.addressees), depth_ms=400
    )
    assert await scene.say(both) is None
    await scene.end(kitchen, hall)

    assert abs(voice_began_ns(kitchen) - voice_began_ns(hall)) < 1_000_000
    for each, level in ((kitchen, 60), (hall, 40)):
        assert is_said_whole(each, said)
        assert len(gains(each, song)) == len(song)
        assert volumes(each) == [30, level, 30]
    told = {each.receiver for each in scene.harness.events_of(AnnouncementStarted)}
    assert told == {member(each).receiver for each in (kitchen, hall)}


async def test_music_of_a_whole_group_can_pause(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(2.0)
    said = scene.bell(0.5)

    await scene.play(kitchen, hall)
    both = target(kitchen, hall)
    assert await scene.say(both, pauses_music=True) is None
    await scene.harness.ended()

    for each in (kitchen, hall):
        await each.drain()
        assert is_said_whole(each, said)
        assert len(gains_in_parts(each, song)) == 2


async def test_two_of_three_announce_together_at_any_volumes(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    study = await scene.harness.add(receiver("Study", receiver_id="0A0B0C0D0E03"))
    song = scene.song(4.0)
    said = scene.bell(0.5)

    await scene.play(kitchen, hall, study)
    loud, usual = target(kitchen, volume=60), target(hall)
    some = type(loud)(
        stream=STREAM, addressees=(*loud.addressees, *usual.addressees), depth_ms=400
    )
    assert await scene.say(some) is None
    await scene.harness.ended()
    for each in (kitchen, hall, study):
        await each.drain()

    assert is_said_whole(kitchen, said)
    assert is_said_whole(hall, said)
    assert abs(voice_began_ns(kitchen) - voice_began_ns(hall)) < 1_000_000
    # The music at an unchanged volume never falls silent.
    assert (gains(hall, song) > 0.1).all()
    assert (gains(study, song) == 1).all()
    assert [volumes(each) for each in (kitchen, hall)] == [[30, 60, 30], [30]]


async def test_speakers_of_two_streams_announce_together_at_any_volumes(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    scene.song(4.0)
    said = scene.bell(0.5)

    await scene.play(kitchen)
    await scene.play(hall, stream="hall")
    assert (
        await scene.say(target(kitchen, volume=60), target(hall, stream="hall")) is None
    )
    await scene.harness.stop("hall")
    await scene.end(kitchen)

    assert is_said_whole(kitchen, said)
    assert is_said_whole(hall, said)
    assert abs(voice_began_ns(kitchen) - voice_began_ns(hall)) < 1_000_000


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole group", "two of three"])
async def test_one_that_is_lost_under_the_voice_fails_alone(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    scene: Scene,
    is_whole: bool,
) -> None:
    study = await harness.add(receiver("Study", receiver_id="0A0B0C0D0E03"))
    song = scene.song(4.0)
    said = scene.bell(1.0)
    group = [kitchen, hall] if is_whole else [kitchen, hall, study]

    await scene.play(*group)
    number = await scene.begin(target(kitchen, hall, volume=60))
    await hall.stop()
    failed = await harness.until(AnnouncementFailed)
    assert (await harness.reply(number)).code is None
    await scene.end(kitchen)

    assert (failed.stream, failed.receiver) == (STREAM, member(hall).receiver)
    assert failed.code == "unreachable"
    assert len(harness.events_of(AnnouncementFailed)) == 1
    assert is_said_whole(kitchen, said)
    assert len(gains(kitchen, song)) == len(song)
    assert volumes(kitchen) == [30, 60, 30]


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole group", "one of it"])
async def test_member_that_joins_under_a_voice_for_all_plays_the_rest(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    scene: Scene,
    is_whole: bool,
) -> None:
    song = scene.song(6.0)
    said = scene.bell(3.0)

    await scene.play(kitchen)
    number = await scene.begin(target(kitchen, is_alone=not is_whole))
    join = Join(stream=STREAM, member=member(hall, volume=30))
    assert await harness.run(join) is None
    assert (await harness.reply(number)).code is None
    await scene.end(kitchen, hall)

    assert is_said_whole(kitchen, said)
    assert len(gains(kitchen, song)) == len(song)
    right = heard_sides(hall.recording.packets)[1]
    rest = right[np.flatnonzero(right)]
    if is_whole:
        assert len(said) > len(rest) > 22_050
        assert (rest == said[-len(rest) :]).all()
    else:
        assert len(rest) == 0
    assert in_step(kitchen, hall)


async def test_one_of_a_paused_group_announces_and_the_music_stays_paused(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    song = scene.song(2.0)
    said = scene.bell(0.4)

    await scene.play(kitchen, hall)
    await scene.harness.run(Pause(stream=STREAM))
    assert await scene.say(target(hall)) is None
    assert scene.harness.states()[-1] == "paused"
    await scene.harness.run(Resume(stream=STREAM))
    await scene.end(kitchen, hall)

    assert is_said_whole(hall, said)
    assert says_nothing(kitchen)
    for each in (kitchen, hall):
        assert all((part == 1).all() for part in gains_in_parts(each, song))


async def test_only_announcing_members_of_a_disconnected_group_are_woken(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    scene.song(2.0)
    said = scene.bell(0.4)

    await scene.play(kitchen, hall)
    await scene.harness.run(Pause(stream=STREAM, keep_s=0))
    await kitchen.wait_idle(10)
    await hall.wait_idle(10)
    assert await scene.say(target(hall)) is None
    assert (kitchen.connections, hall.connections) == (1, 2)
    assert scene.harness.states()[-1] == "paused"
    await scene.harness.run(Resume(stream=STREAM))
    await scene.harness.ended()

    assert is_said_whole(hall, said)
    assert says_nothing(kitchen)


async def test_idle_group_connects_only_announcing_members(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    study = await scene.harness.add(receiver("Study", receiver_id="0A0B0C0D0E03"))
    said = scene.bell(0.4)

    some = target(kitchen, hall, is_alone=True)
    assert await scene.say(some) is None

    assert is_said_whole(kitchen, said)
    assert is_said_whole(hall, said)
    assert abs(voice_began_ns(kitchen) - voice_began_ns(hall)) < 1_000_000
    assert study.connections == 0
    assert scene.harness.events_of(StreamChanged) == []


@pytest.mark.parametrize("is_playing", [True, False], ids=["playing", "idle"])
async def test_two_of_a_group_play_different_announcements_at_the_same_time(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    tmp_path: Path,
    scene: Scene,
    is_playing: bool,
) -> None:
    scene.song(4.0)
    one = voice(tmp_path / "one.wav", 1.5, seed=5)
    two = voice(tmp_path / "two.wav", 1.0, seed=6)

    if is_playing:
        await scene.play(kitchen, hall)
    first = harness.submit(
        announce(
            tmp_path / "one.wav", target(kitchen, is_alone=True), announcement="one"
        )
    )
    await harness.until(AnnouncementStarted)
    second = announce(
        tmp_path / "two.wav",
        target(hall, is_alone=True, volume=50),
        announcement="two",
    )
    began = harness.submit(second)
    await harness.until(AnnouncementStarted, lambda each: each.announcement == "two")
    assert harness.events_of(AnnouncementFailed) == []
    for number in (first, began):
        assert (await harness.reply(number)).code is None
    if is_playing:
        await harness.ended()

    assert is_said_whole(kitchen, one)
    assert is_said_whole(hall, two)
    assert voice_began_ns(hall) - voice_began_ns(kitchen) < 1_500_000_000
    assert volumes(hall)[-1] == 30


async def test_voice_for_all_waits_for_a_voice_of_one(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    tmp_path: Path,
    scene: Scene,
) -> None:
    song = scene.song(6.0)
    one = voice(tmp_path / "one.wav", 0.5, seed=5)
    two = voice(tmp_path / "two.wav", 0.5, seed=6)

    await scene.play(kitchen, hall)
    alone = announce(tmp_path / "one.wav", target(hall), announcement="one")
    first = harness.submit(alone)
    await harness.until(AnnouncementStarted)
    later = [
        announce(tmp_path / "two.wav", target(kitchen, hall), announcement="two"),
        announce(tmp_path / "one.wav", target(kitchen), announcement="three"),
    ]
    replies = await asyncio.gather(*(harness.run(each) for each in later))
    assert (await harness.reply(first)).code is None
    await scene.end(kitchen, hall)

    assert replies == [None] * 2
    heard = [heard_sides(each.recording.packets)[1] for each in (kitchen, hall)]
    assert (heard[1][heard[1] != 0] == np.concatenate([one, two])).all()
    either = (np.concatenate([two, one]), np.concatenate([one, two]))
    assert any((heard[0][heard[0] != 0] == each).all() for each in either)
    assert len(gains(kitchen, song)) == len(gains(hall, song)) == len(song)


async def test_an_unreachable_member_does_not_delay_its_group(
    harness: EngineHarness, kitchen: VirtualReceiver, scene: Scene
) -> None:
    said = scene.bell(0.4)
    gone = receiver("Gone", receiver_id="0A0B0C0D0E02")
    async with gone:
        both = target(kitchen, gone, volume=60)

    assert await scene.say(both) is None

    failed = harness.events_of(AnnouncementFailed)
    assert [each.receiver for each in failed] == [both.addressees[1].member.receiver]
    assert is_said_whole(kitchen, said)
    assert volumes(kitchen) == [30, 60, 30]


async def test_member_that_left_the_music_does_not_count_as_reached(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    scene.song(3.0)
    scene.bell(0.4)

    await scene.play(kitchen, hall)
    leave = Leave(stream=STREAM, receiver=member(hall).receiver)
    assert await scene.harness.run(leave) is None
    command = scene.order(target(hall))

    assert await scene.harness.run(command) == "taken"
    assert says_nothing(kitchen)
    await scene.harness.stop()


async def test_one_that_leaves_under_the_voice_is_stopped_alone(
    kitchen: VirtualReceiver, hall: VirtualReceiver, scene: Scene
) -> None:
    scene.song(4.0)
    said = scene.bell(1.0)

    await scene.play(kitchen, hall)
    number = await scene.begin(target(kitchen, hall, volume=60))
    await scene.harness.run(Leave(stream=STREAM, receiver=member(hall).receiver))
    failed = await scene.harness.until(AnnouncementFailed)
    assert (await scene.harness.reply(number)).code is None
    await scene.harness.stop()

    assert (failed.receiver, failed.code) == (member(hall).receiver, "stopped")
    assert is_said_whole(kitchen, said)
    assert [volumes(each) for each in (kitchen, hall)] == [[30, 60, 30]] * 2


async def test_reply_reports_why_no_member_of_a_group_is_reachable(
    scene: Scene,
) -> None:
    scene.bell(0.4)
    one = receiver("One", receiver_id="0A0B0C0D0E02")
    two = receiver("Two", receiver_id="0A0B0C0D0E03")
    async with one, two:
        both = target(one, two)

    assert await scene.say(both) == "unreachable"
