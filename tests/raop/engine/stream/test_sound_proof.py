"""What follows if a receiver does not show that it plays, while others do or do not.

The receivers accept `/auth-setup` and are silent then, so that their second way plays.
"""

from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest

from custom_components.airplay.raop.engine.lanes.choice import LaneChoice
from custom_components.airplay.raop.engine.lanes.lane import Lane
from custom_components.airplay.raop.engine.stream.output import GroupOutput
from custom_components.airplay.raop.engine.stream.sound_proof import SoundProof
from custom_components.airplay.raop.errors import RaopError, ReceiverUnreachableError
from custom_components.airplay.raop.messages import (
    Announce,
    AnnouncementFailed,
    Join,
    Member,
    MemberChanged,
    Pause,
    Play,
)
from tests.raop.engine.announcing import announce, target
from tests.raop.engine.group_playback import speaker, wait_for_state
from tests.raop.engine.harness import STREAM, EngineHarness, member, play, until, wav
from tests.virtual_receiver import Quirks, VirtualReceiver

LICENSED = {"et": "0,4"}
PLAIN = "raop ntp none"
# First sound, or a diagnosis, for the worst receiver.
BOUND_S = 12.0


async def silent(
    harness: EngineHarness, number: int = 1, **quirks: object
) -> VirtualReceiver:
    """Add a receiver whose first way is silent."""
    known = Quirks(**{"auth_setup_silences": True, **quirks})  # type: ignore[arg-type]
    return await speaker(harness, number, txt=LICENSED, quirks=known)


def way(harness: EngineHarness, of: VirtualReceiver) -> str | None:
    """Return the way by which a receiver was reported to play last."""
    name = of.receiver_id.lower()
    ways = [
        each.way
        for each in harness.events_of(MemberChanged)
        if each.receiver == name and each.state == "playing"
    ]
    return ways[-1] if ways else None


async def run(harness: EngineHarness, command: Play) -> str | None:
    """Play, and return the error's code within the bound."""
    return (await harness.reply(harness.submit(command), BOUND_S)).code


async def test_a_group_climbs_although_no_member_plays_yet(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 6)
    den, hall = await silent(harness, 1), await silent(harness, 2)

    assert (
        await run(harness, play(tmp_path / "song.wav", member(den), member(hall)))
        is None
    )
    for each in (den, hall):
        await wait_for_state(harness, each, "playing")
        assert way(harness, each) == PLAIN
    ended = await harness.ended()

    assert ended.reason == "finished"
    assert harness.states().count("ended") == 1


async def test_a_group_in_which_nobody_ever_plays_is_named_silent(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 30)
    quirks = Quirks(asks_time=False)
    den = await speaker(harness, 1, txt=LICENSED, quirks=quirks)
    hall = await speaker(harness, 2, txt=LICENSED, quirks=quirks)

    command = play(tmp_path / "song.wav", member(den), member(hall))
    assert await run(harness, command) == "silent"

    assert harness.states().count("ended") == 1


async def test_a_song_that_is_over_before_its_group_climbs_is_repeated(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    den, hall = await silent(harness, 1), await silent(harness, 2)

    assert await run(harness, play(song, member(den), member(hall))) is None
    await harness.ended()

    assert den.heard(pcm).is_complete
    assert hall.heard(pcm).is_complete
    assert harness.states().count("ended") == 1


async def test_a_receiver_that_shows_itself_after_a_short_song_has_played_it(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    late = Quirks(asks_time_after_s=2.5)
    den = await speaker(harness, 1, txt=LICENSED, quirks=late)

    assert await run(harness, play(song, member(den))) is None
    await harness.ended()

    assert len(den.asked("ANNOUNCE")) == 1


async def test_a_silent_member_may_join_a_stream_that_climbs(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 9)
    den, hall = await silent(harness, 1), await silent(harness, 2)
    playing = harness.submit(play(tmp_path / "song.wav", member(den)))
    await harness.state("buffering")

    joining = harness.submit(Join(stream=STREAM, member=member(hall)))

    assert (await harness.reply(playing, BOUND_S)).code is None
    assert (await harness.reply(joining, BOUND_S)).code is None
    assert way(harness, den) == way(harness, hall) == PLAIN
    assert (await harness.ended()).reason == "finished"


@pytest.mark.parametrize("is_first", [False, True])
async def test_music_climbs_under_an_announcement(
    harness: EngineHarness, tmp_path: Path, *, is_first: bool
) -> None:
    wav(tmp_path / "song.wav", 5)
    pcm = wav(tmp_path / "bell.wav", 1, seed=2)
    den = await silent(harness)
    song = play(tmp_path / "song.wav", member(den))
    bell = announce(tmp_path / "bell.wav", target(den), pauses_music=True)
    commands: list[Announce | Play] = [bell, song] if is_first else [song, bell]

    first = harness.submit(commands[0])
    await den.wait_for("RECORD")
    second = harness.submit(commands[1])

    assert (await harness.reply(first, BOUND_S)).code is None
    assert (await harness.reply(second, BOUND_S)).code is None
    ended = await harness.ended()
    assert ended.reason == "finished"
    assert den.heard(pcm).is_complete
    assert harness.states().count("ended") == 1
    assert harness.states()[-2] == "playing"


@pytest.mark.parametrize("after", ["RECORD", "second ANNOUNCE"])
async def test_an_announcement_to_a_group_is_heard_where_the_music_climbs(
    harness: EngineHarness, tmp_path: Path, after: str
) -> None:
    wav(tmp_path / "song.wav", 12)
    pcm = wav(tmp_path / "bell.wav", 1, seed=2)
    hall, den = await speaker(harness, 1), await silent(harness, 2, setup_delay_s=0.5)
    song = play(tmp_path / "song.wav", member(hall), member(den))
    assert await run(harness, song) is None
    if after == "RECORD":
        await den.wait_for("RECORD")
    else:
        await den.wait_for("ANNOUNCE", count=2)

    bell = announce(tmp_path / "bell.wav", target(hall, den), pauses_music=True)
    assert (await harness.reply(harness.submit(bell), 15)).code is None

    assert not harness.events_of(AnnouncementFailed)
    assert hall.heard(pcm).is_complete
    assert den.heard(pcm).is_complete
    await harness.stop()


async def test_an_announcement_says_where_no_way_of_the_music_plays(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 25)
    pcm = wav(tmp_path / "bell.wav", 1, seed=2)
    hall = await speaker(harness, 1)
    den = await speaker(harness, 2, txt=LICENSED, quirks=Quirks(asks_time=False))
    song = play(tmp_path / "song.wav", member(hall), member(den))
    assert await run(harness, song) is None
    await den.wait_for("RECORD")

    bell = announce(tmp_path / "bell.wav", target(hall, den), pauses_music=True)
    assert (await harness.reply(harness.submit(bell), 20)).code is None

    [failed] = harness.events_of(AnnouncementFailed)
    assert (failed.receiver, failed.code) == (den.receiver_id.lower(), "silent")
    assert hall.heard(pcm).is_complete
    await harness.stop()


async def test_music_plays_in_the_session_of_an_announcement_that_was_first(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 2)
    wav(tmp_path / "bell.wav", 1, seed=2)
    den = await speaker(harness, 1, quirks=Quirks(setup_delay_s=0.3))

    bell = harness.submit(announce(tmp_path / "bell.wav", target(den)))
    await den.wait_for("SETUP")
    song = harness.submit(play(tmp_path / "song.wav", member(den)))

    assert (await harness.reply(song)).code is None
    assert (await harness.reply(bell)).code is None
    assert (await harness.ended()).reason == "finished"
    assert den.pcm.strip(b"\0").endswith(pcm[-4000:])


async def test_a_receiver_that_was_lost_in_silence_is_no_matter_of_others(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 2)
    den = await silent(harness)
    hall = await speaker(harness, 2, quirks=Quirks(asks_time_after_s=1.0))
    harness.submit(play(tmp_path / "song.wav", member(den)))
    await harness.started()
    assert await harness.run(Pause(stream=STREAM, keep_s=60)) is None
    den.hang_up()
    await harness.until(MemberChanged, lambda each: each.state == "lost")

    assert await run(harness, play(tmp_path / "song.wav", member(hall))) is None
    await harness.ended()

    assert len(hall.asked("ANNOUNCE")) == 1


class Choice:
    """The ways of receivers: those that failed, were heard, and have another."""

    def __init__(self, *, has_another: bool) -> None:
        self.has_another = has_another
        self.failed: list[object] = []
        self.heard: list[object] = []

    def mark_failed(self, lane: object, _: RaopError) -> bool:
        self.failed.append(lane)
        return self.has_another

    def learn(self, _lane: object, _: RaopError) -> bool:
        return False

    def mark_heard(self, lane: object) -> None:
        self.heard.append(lane)

    def has_beside(self, _: object) -> bool:
        return self.has_another


def proof_of(choice: Choice, *lanes: Lane) -> SoundProof:
    """Return the proof of a stream with some lanes."""
    return SoundProof(cast("LaneChoice", choice), Mock(), lambda: lanes)


def lane_of(receiver: str) -> Lane:
    """Return a lane of a receiver."""
    lane = Mock(spec=Lane)
    lane.member = Member(receiver=receiver, name="Den", host="127.0.0.1", port=7000)
    return cast("Lane", lane)


@pytest.mark.parametrize("has_another", [True, False])
def test_a_lost_receiver_climbs_once_if_it_has_another_way(has_another: bool) -> None:
    choice, lane = Choice(has_another=has_another), lane_of("a")
    proof = proof_of(choice, lane)
    members = [lane.member]
    before = proof.is_climbing(members)

    proof.lost(lane, ReceiverUnreachableError())
    after = proof.is_climbing(members)
    tries = [proof.tries_again("b"), proof.tries_again("a"), proof.tries_again("a")]

    assert choice.failed == [lane]
    assert (before, after) == (False, has_another)
    assert tries == [False, has_another, False]
    assert not proof.is_climbing(members)


def test_only_a_lane_that_was_heard_is_proven() -> None:
    choice, lane, other = Choice(has_another=True), lane_of("a"), lane_of("b")
    proof = proof_of(choice, lane, other)
    before = proof.has(lane)
    proof.adopt(lane)

    assert (before, proof.has(lane), proof.has(other)) == (False, True, False)
    assert choice.heard == [lane]


@pytest.mark.parametrize(("has_another", "patience_s"), [(True, 2.5), (False, 4.0)])
def test_a_receiver_with_another_way_gets_less_time(
    has_another: bool, patience_s: float
) -> None:
    proof = proof_of(Choice(has_another=has_another), lane_of("a"))

    assert proof.patience_s == patience_s
    assert proof_of(Choice(has_another=has_another)).patience_s == 0.0


@pytest.mark.parametrize("has_other_way", [True, False])
async def test_an_announcement_outlives_a_loss_right_after_its_session_was_opened(
    harness: EngineHarness,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    has_other_way: bool,
) -> None:
    pcm = wav(tmp_path / "bell.wav", 1)
    den = await (silent(harness) if has_other_way else speaker(harness, 1))
    prepare, losses = GroupOutput.prepare, iter([True])

    async def prepare_and_lose(output: GroupOutput, *args: Any) -> None:
        await prepare(output, *args)
        if next(losses, False):
            den.hang_up()
            # Either the stream ends, or its receiver has another way.
            await until(lambda: not (output.lanes and output.transmitter), "end", str)
            await until(lambda: not output.are_ending, "end", str)

    monkeypatch.setattr(GroupOutput, "prepare", prepare_and_lose)
    bell = harness.submit(announce(tmp_path / "bell.wav", target(den)))

    code = (await harness.reply(bell, BOUND_S)).code
    assert code == (None if has_other_way else "unreachable")
    assert den.heard(pcm).is_complete is has_other_way
