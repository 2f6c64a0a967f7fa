"""Playing to a receiver that keeps its own clock, as a HomePod with software 27."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
import plistlib
import socket

import pytest

from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers
from custom_components.airplay.raop.engine.ptp.service import PtpService
from custom_components.airplay.raop.messages import Member
from tests.raop.engine.harness import EAGER, EngineHarness, heard_at, play, unix, wav
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts, txt
from tests.virtual_receiver.airplay2.homepod import homepod
from tests.virtual_receiver.airplay2.own_clock import OwnClock

MS = 1_000_000
REALTIME, BUFFERED = "airplay2-realtime", "airplay2-buffered"
MODEL = "AudioAccessory5,1"
ALONE = {"osvers": "27.0", "igl": "1"}
HOMEPOD_27 = Quirks(
    keeps_own_clock=True,
    probes_while_leading=True,
    late_syncs=True,
    delay_req_needs_profile=True,
)
GROUPED_27 = Quirks(announces_until_ours=True, sends_delay_req=True)


def free_ports() -> PtpPortNumbers:
    """Return two UDP ports that are free on this machine."""
    pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for sock in pair:
        sock.bind(("127.0.0.1", 0))
    event, general = (sock.getsockname()[1] for sock in pair)
    for sock in pair:
        sock.close()
    return PtpPortNumbers(event, general)


async def add_pod(harness: EngineHarness, quirks: Quirks) -> AirPlay2Receiver:
    """Add a receiver to whose clock the engine listens on ports of its own."""
    return await listen_to(
        harness,
        lambda ports: AirPlay2Receiver("Pod", ptp=ports, cadence=EAGER, quirks=quirks),
    )


async def listen_to(
    harness: EngineHarness, make: Callable[[PtpPorts], AirPlay2Receiver]
) -> AirPlay2Receiver:
    """Add a receiver, and listen to its clock on ports of the engine's own."""
    ours = free_ports()
    pod = make(PtpPorts(0, 0, ours.event, ours.general))
    await harness.add(pod)
    engine = harness.engine
    engine._ptp = PtpService(
        engine._pacer,
        engine.ptp.clock_id,
        ports=ours,
        receivers=PtpPortNumbers(*pod.ptp_ports),
        local=["127.0.0.1"],
    )
    return pod


def member_of(
    pod: AirPlay2Receiver, record: dict[str, str], lane: str = REALTIME
) -> Member:
    """Return a member of a stream, with more in its record."""
    return Member(
        receiver=pod.receiver_id.lower(),
        name=pod.name,
        host=pod.host,
        port=pod.port,
        txt=pod.txt,
        airplay_port=pod.port,
        airplay_txt=pod.airplay_txt({}) | record,
        lane=lane,
    )


@pytest.fixture
def homepod_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the virtual receivers have a HomePod's model."""
    monkeypatch.setattr(txt, "MODEL", MODEL)


@pytest.mark.parametrize("has_records", [True, False])
async def test_its_clock_is_followed_and_named(
    harness: EngineHarness, song: Path, pcm: bytes, has_records: bool
) -> None:
    """Also if only its address is known, as its answer to /info has its records."""
    pod = await listen_to(harness, lambda ports: homepod(ptp=ports, cadence=EAGER))
    known = member_of(pod, {})
    if not has_records:
        known = replace(known, txt={}, airplay_txt={})

    assert await harness.run(play(song, known, lead_ms=None)) is None
    await harness.ended()

    assert pod.heard(pcm).is_complete
    assert pod.violations == []


@pytest.mark.usefixtures("homepod_model")
async def test_behind_a_busy_wifi_it_is_heard_within_2_ms_of_the_line(
    harness: EngineHarness, tmp_path: Path
) -> None:
    seconds = 4.0
    pcm = wav(tmp_path / "song.wav", seconds)
    pod = await add_pod(harness, HOMEPOD_27)
    command = play(tmp_path / "song.wav", member_of(pod, ALONE), lead_ms=None)

    assert await harness.run(command) is None
    started = await harness.started()
    await harness.ended()

    heard = pod.heard(pcm)
    assert heard.is_complete
    assert pod.violations == []
    assert abs(heard_at(pod, pcm) - started.at) < 0.002
    assert abs(unix(heard.last_frame_ns) - started.at - seconds) < 0.002
    # The line of a stream that plays is moved by a millisecond per second at most.
    assert heard.worst_step_ns < 1_200_000
    assert pod.ptp.stats.delay_requests_heard > 100


@pytest.mark.usefixtures("homepod_model")
async def test_one_that_is_not_known_to_keep_its_clock_is_followed_soon(
    harness: EngineHarness, tmp_path: Path
) -> None:
    """Its record does not say it; it goes on announcing its own clock."""
    pcm = wav(tmp_path / "song.wav", 6.0)
    pod = await add_pod(harness, HOMEPOD_27)
    command = play(tmp_path / "song.wav", member_of(pod, {}), lead_ms=None)

    assert await harness.run(command) is None
    started = await harness.started()
    await harness.ended()

    assert heard_at(pod, pcm) == pytest.approx(started.at, abs=0.005)
    assert pod.heard(pcm).is_complete


@pytest.mark.usefixtures("homepod_model")
async def test_one_in_a_group_is_led(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    pod = await add_pod(harness, GROUPED_27)

    assert await harness.run(play(song, member_of(pod, {}), lead_ms=None)) is None
    await harness.ended()

    assert pod.heard(pcm).is_complete
    assert pod.ptp.stats.announces_sent >= 3
    assert pod.ptp.stats.delay_answers >= 3
    assert not pod.ptp.stats.delay_requests_heard


@pytest.mark.usefixtures("homepod_model")
@pytest.mark.parametrize("lane", [REALTIME, BUFFERED])
@pytest.mark.parametrize(
    ("clock_id", "by_ms"),
    [
        pytest.param(None, 300, id="a step"),
        pytest.param(0x0A0B0C0D0E0F1011, -40_000, id="another grandmaster"),
    ],
)
async def test_a_clock_that_changes_in_mid_song_leaves_it_on_the_line(
    harness: EngineHarness,
    tmp_path: Path,
    lane: str,
    clock_id: int | None,
    by_ms: int,
) -> None:
    seconds = 6.0
    pcm = wav(tmp_path / "song.wav", seconds)
    pod = await add_pod(harness, Quirks(keeps_own_clock=True))
    command = play(tmp_path / "song.wav", member_of(pod, ALONE, lane), lead_ms=None)
    assert await harness.run(command) is None
    started = await harness.started()
    await pod.wait_frames(44_100)
    before = len(pod.asked("SETRATEANCHORTIME"))

    own = pod.ptp
    assert isinstance(own, OwnClock)
    if clock_id is None:
        own.step(by_ms * MS)
    else:
        own.become(clock_id.to_bytes(8), by_ms * MS)
    await harness.ended()
    await pod.drain()

    assert abs(unix(pod.heard(pcm).last_frame_ns) - started.at - seconds) < 0.005
    anchors = [plistlib.loads(each.body) for each in pod.asked("SETRATEANCHORTIME")]
    stated = [each for each in anchors[before:] if "rtpTime" in each]
    assert len(stated) == (lane == BUFFERED)
    if stated:
        assert stated[0]["networkTimeTimelineID"] == own.master
    assert pod.violations == []


@pytest.mark.usefixtures("homepod_model")
async def test_a_clock_that_stays_is_anchored_once(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 3.0)
    pod = await add_pod(harness, HOMEPOD_27)
    member = member_of(pod, ALONE, BUFFERED)

    assert await harness.run(play(tmp_path / "song.wav", member, lead_ms=None)) is None
    await harness.ended()

    anchors = [plistlib.loads(each.body) for each in pod.asked("SETRATEANCHORTIME")]
    assert sum("rtpTime" in each for each in anchors) == 1
    assert pod.heard(pcm).is_complete
