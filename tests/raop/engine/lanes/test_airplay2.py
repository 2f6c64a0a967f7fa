"""Playing by AirPlay 2, on a receiver that follows our clock."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
import plistlib
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from custom_components.airplay.raop.auth.packet_seal import PacketSeal
from custom_components.airplay.raop.buttons import Button
from custom_components.airplay.raop.engine.lanes import airplay2, buffered
from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers
from custom_components.airplay.raop.engine.ptp.service import PtpService
from custom_components.airplay.raop.messages import (
    Addressee,
    Announce,
    Media,
    Member,
    MemberChanged,
    Pause,
    RemoteCommand,
    Resume,
    SetVolume,
    StreamChanged,
    Target,
)
from custom_components.airplay.raop.session.climbing.extras import Extra
from custom_components.airplay.raop.wire.handshake import Handshake
from tests.raop.engine.harness import (
    EAGER,
    STREAM,
    EngineHarness,
    member as classic,
    play,
    receiver,
    wav,
)
from tests.virtual_receiver import Quirks, monotonic_ns
from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts
from tests.virtual_receiver.pairing import Gate

REALTIME, BUFFERED = "airplay2-realtime", "airplay2-buffered"
LANES = [REALTIME, BUFFERED]
FREE = PtpPorts(0, 0, None, None)
SETTLE_S = 0.05
PAUSE_HEARD_NS = 300_000_000
SEEK_HEARD_NS = 600_000_000


async def speaker(
    harness: EngineHarness,
    name: str = "Den",
    *,
    ports: PtpPorts = FREE,
    **details: object,
) -> AirPlay2Receiver:
    """Add a receiver that follows the clock of the harness's engine."""
    quirks = {"ptp_settle_s": SETTLE_S} | {
        key: details.pop(key) for key in tuple(details) if hasattr(Quirks, key)
    }
    known = {"cadence": EAGER, "quirks": Quirks(**quirks)} | details  # type: ignore[arg-type]
    added = AirPlay2Receiver(name, ptp=ports, **known)  # type: ignore[arg-type]
    await harness.add(added)
    engine = harness.engine
    engine._ptp = PtpService(
        engine._pacer,
        engine.ptp.clock_id,
        ports=PtpPortNumbers(0, 0),
        receivers=PtpPortNumbers(*added.ptp_ports),
        local=["::1" if ":" in added.host else "127.0.0.1"],
    )
    return added


def by(of: AirPlay2Receiver, lane: str | None = None, **details: object) -> Member:
    """Return a receiver as a member that is played to on a lane."""
    known = {
        "receiver": of.receiver_id.lower(),
        "name": of.name,
        "host": of.host,
        "port": of.port,
        "txt": of.txt,
        "airplay_port": of.port,
        "airplay_txt": of.airplay_txt({}),
        "lane": lane,
    }
    return Member(**{**known, **details})  # type: ignore[arg-type]


async def finished(harness: EngineHarness) -> None:
    """Wait until everything was played, after all failures before."""
    await harness.until(StreamChanged, lambda each: each.reason == "finished")


def methods(of: AirPlay2Receiver, names: Iterable[str]) -> list[str]:
    """Return which of some requests came, in order."""
    return [each.method for each in of.requests if each.method in names]


@pytest.mark.parametrize("lane", LANES)
async def test_music_is_whole(
    harness: EngineHarness, song: Path, pcm: bytes, lane: str
) -> None:
    den = await speaker(harness)

    assert await harness.run(play(song, by(den, lane), lead_ms=None)) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert den.violations == []
    assert not den.has_session


@pytest.mark.parametrize("lane", LANES)
async def test_all_receivers_accept_the_order_of_the_requests(
    harness: EngineHarness, song: Path, pcm: bytes, lane: str
) -> None:
    den = await speaker(
        harness,
        needs_record_first=True,
        needs_events_first=True,
        needs_metadata=lane == REALTIME,
        forgets_early_volume=True,
        anchor_needs_clock=True,
    )

    command = play(song, by(den, lane, volume=40), lead_ms=None)
    assert await harness.run(command) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert den.volumes[-1].volume_db == pytest.approx(-18)
    steps = methods(den, ("SETUP", "RECORD", "SETPEERS", "TEARDOWN"))
    assert steps == ["SETUP", "RECORD", "SETPEERS", "SETUP", "TEARDOWN"]


@pytest.mark.parametrize("lane", LANES)
async def test_pause_is_immediate_and_resume_continues_at_the_position(
    harness: EngineHarness, tmp_path: Path, lane: str
) -> None:
    source = np.frombuffer(wav(tmp_path / "song.wav", 2.0), "<u4")
    den = await speaker(harness, loses_on_pause_s=0.85)
    started = play(tmp_path / "song.wav", by(den, lane), lead_ms=None)
    assert await harness.run(started) is None
    await den.wait_frames(10_000)

    asked_ns = monotonic_ns()
    assert await harness.run(Pause(stream=STREAM)) is None
    await den.drain()
    last_ns = max(
        each.local_ns + each.frames * 1_000_000_000 // 44_100 for each in den.played
    )
    before = np.count_nonzero(np.frombuffer(bytes(den.pcm), "<u4"))
    assert await harness.run(Resume(stream=STREAM)) is None
    await finished(harness)
    await den.drain()

    assert last_ns - asked_ns < PAUSE_HEARD_NS
    heard = np.frombuffer(bytes(den.pcm), "<u4")
    heard = heard[heard != 0]
    again = len(heard) - len(source)
    assert 0 <= again < 44_100 * 0.1
    assert np.array_equal(heard[:before], source[:before])
    assert np.array_equal(heard[before:], source[before - again :])
    assert len(den.asked("SETUP")) == 2
    flushes = methods(den, ("FLUSH", "FLUSHBUFFERED"))
    assert flushes == ["FLUSH" if lane == REALTIME else "FLUSHBUFFERED"]
    assert den.violations == []


async def test_a_pause_during_an_announced_line_wins(
    harness: EngineHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wav(tmp_path / "song.wav", 1.5)
    den = await speaker(harness)
    offer = buffered.BufferedLane._offer
    is_armed, paused = False, asyncio.Event()

    async def pausing[T](
        lane: buffered.BufferedLane, extra: Extra, steps: Handshake[T], *options: Any
    ) -> T | None:
        nonlocal is_armed
        answer = await offer(lane, extra, steps, *options)
        if is_armed and extra is Extra.RATE:
            is_armed = False
            assert await harness.run(Pause(stream=STREAM)) is None
            paused.set()
        return answer

    monkeypatch.setattr(buffered.BufferedLane, "_offer", pausing)
    started = play(tmp_path / "song.wav", by(den, BUFFERED), lead_ms=None)
    assert await harness.run(started) is None
    await den.wait_frames(10_000)
    assert await harness.run(Pause(stream=STREAM)) is None

    is_armed = True
    resumed = asyncio.create_task(harness.run(Resume(stream=STREAM)))
    await paused.wait()
    await resumed
    assert await harness.run(Resume(stream=STREAM)) is None
    await finished(harness)

    told = [plistlib.loads(each.body) for each in den.asked("SETRATEANCHORTIME")]
    steps = [(each["rate"], "rtpTime" in each) for each in told]
    run, anchor, halt = (1, False), (1, True), (0, False)
    assert steps == [run, anchor, halt, run, halt, run, anchor]
    assert den.violations == []


@pytest.mark.parametrize("lane", LANES)
async def test_new_media_plays_soon_within_the_session(
    harness: EngineHarness, tmp_path: Path, lane: str
) -> None:
    wav(tmp_path / "first.wav", 6)
    second = wav(tmp_path / "second.wav", 0.6, seed=2)
    den = await speaker(harness)
    member = by(den, lane)
    assert await harness.run(play(tmp_path / "first.wav", member, lead_ms=None)) is None
    await den.wait_frames(10_000)

    asked_ns = monotonic_ns()
    assert (
        await harness.run(play(tmp_path / "second.wav", member, lead_ms=None)) is None
    )
    await finished(harness)
    await den.drain()

    heard = den.heard(second)
    assert heard.is_complete
    assert heard.first_frame_ns is not None
    assert heard.first_frame_ns - asked_ns < SEEK_HEARD_NS
    assert len(den.asked("SETUP")) == 2
    assert den.violations == []


async def test_a_group_of_all_lanes_plays_in_sync(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    first = await speaker(harness)
    ports = PtpPorts(*first.ptp_ports, None, None)
    second = await speaker(
        harness, "Hall", ports=ports, host="127.0.0.2", receiver_id="0A0B0C0D0E02"
    )
    third = await harness.add(receiver("Kitchen", receiver_id="0A0B0C0D0E03"))

    members = (by(first, REALTIME), by(second, BUFFERED), classic(third))
    assert await harness.run(play(song, *members, lead_ms=2000)) is None
    await finished(harness)

    starts = []
    for each in (first, second, third):
        await each.drain()
        heard = each.heard(pcm)
        assert heard.is_complete, each.name
        assert heard.first_frame_ns is not None
        starts.append(heard.first_frame_ns)
    assert max(starts) - min(starts) < 1_000_000


@pytest.mark.parametrize("lane", LANES)
async def test_packets_are_never_sealed_twice_alike_if_one_member_announces(
    harness: EngineHarness, tmp_path: Path, lane: str
) -> None:
    first = await speaker(harness)
    ports = PtpPorts(*first.ptp_ports, None, None)
    second = await speaker(
        harness, "Hall", ports=ports, host="127.0.0.2", receiver_id="0A0B0C0D0E02"
    )
    nonces: list[bytes] = []
    seal = PacketSeal.__call__

    def note(self: PacketSeal, header: bytes, payload: bytes) -> bytes:
        packet = seal(self, header, payload)
        nonces.append(packet[-8:])
        return packet

    wav(tmp_path / "song.wav", 4)
    said = wav(tmp_path / "bell.wav", 0.4, seed=3)
    members = (by(first, lane), by(second, lane))
    with patch.object(PacketSeal, "__call__", note):
        started = play(tmp_path / "song.wav", *members, lead_ms=None)
        assert await harness.run(started) is None
        second_one = Addressee(member=members[1])
        alone = Target(stream=STREAM, addressees=(second_one,), is_alone=True)
        bell = Media(url=str(tmp_path / "bell.wav"), name="bell")
        command = Announce(announcement="bell", targets=(alone,), clips=(bell,))
        assert await harness.run(command) is None
        assert await harness.run(Pause(stream=STREAM)) is None
        assert await harness.run(Resume(stream=STREAM)) is None
        await finished(harness)

    assert len(nonces) == len(set(nonces)) > 4 * 44_100 // 352
    assert len(said) > 0
    assert first.violations == second.violations == []


@pytest.mark.parametrize(
    ("lane", "setup_wants_digest"),
    [*((lane, False) for lane in LANES), (REALTIME, True)],
)
async def test_a_password_is_proved_by_pairing_or_by_digest(
    harness: EngineHarness,
    song: Path,
    pcm: bytes,
    lane: str,
    *,
    setup_wants_digest: bool,
) -> None:
    # Only a HomePod asks for the digest at SETUP.
    den = await speaker(
        harness, password="secret", setup_wants_digest=setup_wants_digest
    )

    assert await harness.run(play(song, by(den, lane))) == "password_required"
    wrong = by(den, lane, password="guess")
    assert await harness.run(play(song, wrong)) == "auth_failed"
    right = by(den, lane, password="secret")
    assert await harness.run(play(song, right, lead_ms=None)) is None
    await finished(harness)

    assert den.heard(pcm).is_complete


async def test_a_pairing_that_is_kept_opens_the_session(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    gate = Gate("home_kit", "1234")
    den = await speaker(harness, gate=gate)
    known = by(den, REALTIME, credentials=gate.acquaint())

    assert await harness.run(play(song, by(den, REALTIME))) == "pairing_required"
    assert await harness.run(play(song, known, lead_ms=None)) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    gate.reset()
    assert await harness.run(play(song, known)) == "credentials_rejected"


async def test_buttons_within_the_session_are_reported(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    den = await speaker(harness)
    started = play(tmp_path / "song.wav", by(den, REALTIME), lead_ms=None)
    assert await harness.run(started) is None

    den.command("nitm")

    told = await harness.until(RemoteCommand)
    assert (told.command, told.stream) == (Button.NEXT, STREAM)
    assert told.receiver == den.receiver_id.lower()


async def test_a_session_that_a_receiver_ends_is_lost(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 8)
    den = await speaker(harness)
    started = play(tmp_path / "song.wav", by(den, BUFFERED), lead_ms=None)
    assert await harness.run(started) is None

    await den.stop()

    lost = await harness.until(MemberChanged, lambda each: each.state == "lost")
    assert lost.code == "unreachable"


async def test_a_receiver_that_answers_no_more_is_lost(
    harness: EngineHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airplay2, "_FEEDBACK_S", 0.1)
    monkeypatch.setattr(airplay2, "_FIRST_FEEDBACK_S", 0.1)
    wav(tmp_path / "song.wav", 8)
    den = await speaker(harness)
    started = play(tmp_path / "song.wav", by(den, REALTIME), lead_ms=None)
    assert await harness.run(started) is None

    den.unplug()

    lost = await harness.until(MemberChanged, lambda each: each.state == "lost")
    assert lost.code == "unreachable"
    den.plug_in()


async def test_media_that_fails_on_one_lane_plays_on_another(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    den = await speaker(harness, takes_buffered=False)
    # RAOP is refused, as on an Apple TV that was not paired with.
    refusing = replace(by(den), txt=by(den).txt | {"et": "3"})

    assert await harness.run(play(song, refusing, lead_ms=None)) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert den.asked("ANNOUNCE") == []


async def test_an_unknown_lane_is_an_error(harness: EngineHarness, song: Path) -> None:
    den = await speaker(harness)

    assert await harness.run(play(song, by(den, "telepathy"))) == "unsupported"


async def test_a_volume_is_set_within_the_session(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    den = await speaker(harness)
    started = play(tmp_path / "song.wav", by(den, REALTIME, volume=50), lead_ms=None)
    assert await harness.run(started) is None

    level = SetVolume(receiver=den.receiver_id.lower(), volume=20)
    assert await harness.run(level) is None
    await den.wait_until(lambda: round(den.volumes[-1].volume_db) == -24)
