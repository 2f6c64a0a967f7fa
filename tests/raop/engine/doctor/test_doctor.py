"""What the doctor says about receivers that work, that play, and that are needed."""

import asyncio
from pathlib import Path
import plistlib

import pytest

from custom_components.airplay.raop.diagnosis import Diagnosed, DiagnosisProgress
from custom_components.airplay.raop.messages import Diagnose, StreamChanged
from tests.raop.engine.harness import EngineHarness, member, play, receiver, wav
from tests.raop.engine.lanes.test_airplay2 import BUFFERED, REALTIME, by, speaker
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.network.habits import of_list

from .diagnosing import diagnosed


async def test_a_healthy_receiver_gets_figures_and_plays_nothing(
    harness: EngineHarness, kitchen: VirtualReceiver
) -> None:
    found = await diagnosed(harness, member(kitchen))

    assert found.code == "ok"
    [way] = found.findings.ways
    assert way.failure is None
    link = way.link
    assert link is not None
    assert link.is_proven
    assert link.seconds_s >= 4
    assert link.packets > 400
    assert (link.gaps, link.gaps_noticed, link.lost) == (4, 4, 0)
    assert link.timing_requests > 10
    assert link.round_trip_ms is not None
    assert link.answer_ms is not None
    assert 500 < link.margin_ms <= 1100
    assert link.udp_from == ("127.0.0.1",)
    assert not link.strangers
    [door] = found.findings.doors
    assert (door.address, door.port, door.state) == ("127.0.0.1", kitchen.port, "open")
    assert found.findings.versions.keys() == {"python", "kernel"}
    assert not any(any(each.sound or b"") for each in kitchen.recording.packets)
    assert not kitchen.volumes
    assert not kitchen.has_session


async def test_each_step_is_reported_before_it_begins(
    harness: EngineHarness, kitchen: VirtualReceiver
) -> None:
    await diagnosed(harness, member(kitchen))

    steps = [each.step for each in harness.events_of(DiagnosisProgress)]
    assert steps == ["resolve", "connect", "session", "session"]
    assert harness.events_of(DiagnosisProgress)[-1].way == "raop ntp none"


@pytest.mark.parametrize("lane", [REALTIME, BUFFERED])
async def test_a_receiver_of_airplay_2_is_diagnosed_by_its_clock(
    harness: EngineHarness, lane: str
) -> None:
    den = await speaker(harness)

    found = await diagnosed(harness, by(den, lane))

    assert found.code == "ok"
    assert found.findings.is_informed
    [way] = found.findings.ways
    assert way.way.startswith(lane)
    assert way.link is not None
    assert way.link.ptp_messages


async def test_each_way_is_tried_if_asked(harness: EngineHarness) -> None:
    den = await speaker(harness)

    found = await diagnosed(harness, by(den), tries_each=True)

    assert found.code == "ok"
    lanes = [" ".join(each.way.split()[:2]) for each in found.findings.ways]
    assert lanes == [
        "raop ntp",
        f"{REALTIME} ptp-lead",
        f"{BUFFERED} ptp-lead",
        f"{REALTIME} ntp",
    ]
    assert not [each.failure for each in found.findings.ways if each.failure]


async def test_music_is_measured_and_not_disturbed(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 7)
    known = member(kitchen)
    assert await harness.run(play(tmp_path / "song.wav", known)) is None
    connections, requests = kitchen.connections, len(kitchen.requests)

    found = await diagnosed(harness, known)

    assert found.code == "ok"
    assert found.findings.is_running
    [way] = found.findings.ways
    assert way.link is not None
    assert way.link.packets > 400
    assert way.link.gaps == 0
    assert kitchen.connections == connections
    assert len(kitchen.requests) == requests
    await harness.ended()
    assert kitchen.heard(pcm).is_complete


async def test_a_play_command_ends_the_check_and_plays_at_once(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    quirks = Quirks(takes_over=False)
    den = await harness.add(receiver("Den", quirks=quirks))
    number = harness.submit(Diagnose(diagnosis="d", member=member(den)))
    await den.wait_until(lambda: den.asked("RECORD") != [], 5)

    assert await harness.run(play(song, member(den))) is None

    assert (await harness.reply(number)).code == "stopped"
    assert not harness.events_of(Diagnosed)
    await harness.until(StreamChanged, lambda each: each.reason == "finished")
    assert den.heard(pcm).is_complete


async def test_two_checks_of_one_receiver_follow_each_other(
    harness: EngineHarness,
) -> None:
    den = await harness.add(receiver("Den", quirks=Quirks(takes_over=False)))

    found = await asyncio.gather(
        *(
            harness.reply(
                harness.submit(Diagnose(diagnosis=each, member=member(den))), 40
            )
            for each in ("first", "second")
        )
    )

    assert [each.code for each in found] == [None, None]
    assert [each.code for each in harness.events_of(Diagnosed)] == ["ok", "ok"]


async def test_the_engine_can_be_closed_during_a_check(
    harness: EngineHarness, kitchen: VirtualReceiver
) -> None:
    harness.submit(Diagnose(diagnosis="d", member=member(kitchen)))
    await kitchen.wait_until(lambda: kitchen.asked("RECORD") != [], 5)
    # The harness checks that nothing is left behind.


def with_session(answer: dict[str, object]) -> bytes:
    """Return an answer to `/info` that reports a session."""
    return plistlib.dumps({**answer, "statusFlags": 0x20004}, fmt=plistlib.FMT_BINARY)


async def test_music_of_another_sender_is_not_disturbed(
    harness: EngineHarness,
) -> None:
    hall = await harness.add(receiver("Hall", txt={"sf": "0x20000"}))
    den = await speaker(harness, rewrite=of_list(with_session))

    found = [await diagnosed(harness, each) for each in (member(hall), by(den))]

    assert [each.code for each in found] == ["in_use", "in_use"]
    assert not hall.requests
    assert {each.method for each in den.requests} == {"GET"}


async def test_a_record_that_is_outdated_does_not_count(harness: EngineHarness) -> None:
    den = await speaker(harness)
    outdated = den.airplay_txt({"flags": "0x20004"})

    found = await diagnosed(harness, by(den, REALTIME, airplay_txt=outdated))

    assert found.code == "ok"


async def test_music_that_stops_while_it_is_measured_is_named(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 8)
    known = member(kitchen)
    assert await harness.run(play(tmp_path / "song.wav", known)) is None
    number = harness.submit(Diagnose(diagnosis="d", member=known))
    await harness.until(DiagnosisProgress)

    await kitchen.stop()

    assert (await harness.reply(number)).code is None
    found = await harness.until(Diagnosed)
    assert (found.code, found.detail) == ("hangs_up", "RTP")
    assert found.took_s < 4
