"""Each member's own delay and channel, and the measurements of its link."""

from itertools import pairwise
from pathlib import Path
import re

import numpy as np
import pytest

from custom_components.airplay.raop.engine.net.port_pool import limit_udp_ports
from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from custom_components.airplay.raop.messages import (
    Addressee,
    Channel,
    Measure,
    MemberProgress,
    Pause,
    Progress,
    Resume,
    Target,
    Tune,
)
from custom_components.airplay.raop.session.link_quality import LinkQuality
from custom_components.airplay.raop.udp_ports import LimitUdpPorts
from tests.free_ports import port_range
from tests.raop.engine.announcing import announce, playing, target, voice_began_ns
from tests.raop.engine.harness import (
    STREAM,
    EngineHarness,
    heard_at,
    member,
    play,
    receiver,
    wav,
)
from tests.raop.engine.stereo_marks import is_said_whole, music, noise, voice
from tests.virtual_receiver import Quirks, VirtualReceiver

MS = 1_000_000
NEAR_S = 0.002
NEAR_NS = 2 * MS


def tune(of: VirtualReceiver, **details: object) -> Tune:
    return Tune(receiver=of.receiver_id.lower(), **details)  # type: ignore[arg-type]


async def play_new_song(
    harness: EngineHarness, folder: Path, seconds: float, *on: VirtualReceiver
) -> bytes:
    """Play a new song on receivers and return its sound."""
    pcm = wav(folder / "song.wav", seconds)
    command = play(folder / "song.wav", *map(member, on))
    assert await harness.run(command) is None
    return pcm


def behind_ns(one: VirtualReceiver, other: VirtualReceiver) -> list[int]:
    """Return how much later the other played each packet that both have played."""
    first, second = one.play_times(), other.play_times()
    return [second[each] - first[each] for each in first if each in second]


@pytest.mark.parametrize("delay_ms", [100, -100, -1200])
async def test_a_delay_moves_one_receiver_only(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    tmp_path: Path,
    delay_ms: int,
) -> None:
    pcm = await play_new_song(harness, tmp_path, 4, kitchen, hall)
    await hall.wait_frames(44_100)

    assert await harness.run(tune(hall, delay_ms=delay_ms)) is None
    await harness.ended()

    heard = kitchen.heard(pcm)
    assert heard.is_complete
    assert heard.worst_step_ns < NEAR_NS
    behind = behind_ns(kitchen, hall)
    assert abs(behind[0]) < NEAR_NS
    assert abs(behind[-1] - delay_ms * MS) < NEAR_NS
    steps = [later - earlier for earlier, later in pairwise(behind)]
    assert sum(abs(step) > 25 * MS for step in steps) == 1
    # A step back in time leaves out as much as it is long, and no more.
    left_out = 44_100 * max(0, -delay_ms) // 1000
    assert hall.heard(pcm).missing <= left_out + 20 * 352
    # The last receiver plays the last frame too.
    assert hall.heard(pcm[-4410 * 4 :]).is_complete


async def test_all_receivers_play_the_beginning_despite_delays(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    tmp_path: Path,
) -> None:
    pcm = wav(tmp_path / "song.wav", 3)
    study = await harness.add(receiver("Study", receiver_id="0A0B0C0D0E03"))
    delays = {kitchen: -900, hall: 0, study: 300}
    members = [member(each, delay_ms=delay) for each, delay in delays.items()]

    assert await harness.run(play(tmp_path / "song.wav", *members)) is None

    first_at = (await harness.started()).at
    for each, delay_ms in delays.items():
        await each.wait_frames(44_100)
        begun = pcm[: 8820 * 4]
        assert each.heard(begun).is_complete
        assert heard_at(each, begun) == pytest.approx(
            first_at + delay_ms / 1000, abs=NEAR_S
        )

    assert await harness.run(Pause(stream=STREAM)) is None
    paused_ms = (await harness.state("paused")).position_ms
    harness.events.clear()
    assert await harness.run(Resume(stream=STREAM)) is None
    resumed_at = (await harness.started()).at
    await harness.ended()

    rest = pcm[(paused_ms + 1) * 441 // 10 * 4 :]
    for each, delay_ms in delays.items():
        assert each.heard(rest).is_complete
        assert heard_at(each, rest) == pytest.approx(
            resumed_at + delay_ms / 1000, abs=NEAR_S
        )


@pytest.mark.parametrize("delay_ms", [-900, 900])
async def test_an_announcement_on_an_idle_speaker_plays_whole(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path, delay_ms: int
) -> None:
    said = voice(tmp_path / "bell.wav", 0.5)
    to = Addressee(member=member(kitchen, delay_ms=delay_ms))
    target = Target(stream=STREAM, addressees=(to,))

    assert await harness.run(announce(tmp_path / "bell.wav", target)) is None
    await kitchen.wait_idle(10)

    assert is_said_whole(kitchen, said)


async def test_each_speakers_volume_changes_right_before_it_announces(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    tmp_path: Path,
) -> None:
    music(tmp_path / "song.wav", 8)
    voice(tmp_path / "bell.wav", 0.5)
    await playing(harness, tmp_path / "song.wav", kitchen, hall)
    assert await harness.run(tune(hall, delay_ms=-900)) is None
    await hall.wait_frames(2 * 44_100)

    to = target(kitchen, hall, volume=60)
    assert await harness.run(announce(tmp_path / "bell.wav", to)) is None
    await harness.stop()

    for each in (kitchen, hall):
        spoke_ns = voice_began_ns(each)
        (raised,) = [change for change in each.volumes if change.volume_db > -15]
        # Quiet for 350 ms before, and for as long behind.
        assert spoke_ns - 400 * MS < raised.at_ns < spoke_ns
        back = each.volumes[each.volumes.index(raised) + 1]
        assert spoke_ns + 500 * MS < back.at_ns < spoke_ns + 1000 * MS
    apart = voice_began_ns(kitchen) - voice_began_ns(hall)
    assert apart == pytest.approx(900 * MS, abs=NEAR_NS)


async def test_tuning_during_a_pause_applies_afterwards(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    tmp_path: Path,
) -> None:
    pcm = await play_new_song(harness, tmp_path, 2, kitchen, hall)
    assert await harness.run(Pause(stream=STREAM, keep_s=0)) is None
    await hall.wait_idle(10)

    assert await harness.run(tune(hall, delay_ms=-250, channel=Channel.LEFT)) is None
    assert await harness.run(Resume(stream=STREAM)) is None
    await harness.ended()

    assert behind_ns(kitchen, hall)[-1] == pytest.approx(-250 * MS, abs=NEAR_NS)
    end = pcm[-4410 * 4 :]
    assert kitchen.heard(end).is_complete
    assert hall.heard(as_heard(end, Channel.LEFT)).is_complete


def as_heard(pcm: bytes, channel: Channel) -> bytes:
    """Return the part of stereo sound that a speaker plays."""
    left, right = np.frombuffer(pcm, "<i2").reshape(-1, 2).astype(int).T
    one = {
        Channel.LEFT: left,
        Channel.RIGHT: right,
        Channel.MONO: np.floor_divide(left + right, 2),
    }.get(channel)
    if one is None:
        return pcm
    return np.stack([one, one], axis=1).astype("<i2").tobytes()


async def test_two_speakers_are_a_stereo_pair_and_a_third_plays_both_sides(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)
    channels = {channel: receiver(channel) for channel in Channel}
    for each in channels.values():
        await harness.add(each)
    members = [
        member(each, receiver=channel, channel=channel)
        for channel, each in channels.items()
    ]

    assert await harness.run(play(tmp_path / "song.wav", *members)) is None
    await harness.ended()

    for channel, each in channels.items():
        assert each.heard(as_heard(pcm, channel)).is_complete
        assert each.violations == []


async def test_a_channel_is_chosen_while_it_plays_and_no_frame_is_lost(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    tmp_path: Path,
) -> None:
    pcm = await play_new_song(harness, tmp_path, 2.5, kitchen, hall)
    await hall.wait_frames(22_050)

    assert await harness.run(tune(hall, channel=Channel.RIGHT)) is None
    await harness.ended()

    assert kitchen.heard(pcm).is_complete
    before = hall.heard(pcm)
    after = hall.heard(as_heard(pcm, Channel.RIGHT))
    assert before.frames > 22_050 - 24 * 352
    assert after.frames > 22_050
    assert before.frames + after.frames >= len(pcm) // 4
    assert hall.stats.missing == 0
    assert hall.heard(as_heard(pcm[-22_050 * 4 :], Channel.RIGHT)).is_complete


async def test_an_announcement_plays_on_the_channel_of_the_speaker(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    side = noise(22_050, 7)
    said = np.zeros((len(side), 2), "<i2")
    said[:, 0] = side
    wav_path = tmp_path / "bell.wav"
    wav(wav_path, 0.5)
    wav_path.write_bytes(wav_path.read_bytes()[:44] + said.tobytes())
    wav(tmp_path / "song.wav", 4)
    on = member(kitchen, channel=Channel.LEFT)
    assert await harness.run(play(tmp_path / "song.wav", on)) is None

    to = Addressee(member=on)
    target = Target(stream=STREAM, addressees=(to,), is_alone=True)
    assert await harness.run(announce(wav_path, target)) is None
    await harness.stop()

    played = np.frombuffer(kitchen.pcm, "<i2").reshape(-1, 2)
    assert (played[:, 0] == played[:, 1]).all()


async def measured(
    harness: EngineHarness, of: VirtualReceiver, seconds: int
) -> MemberProgress:
    """Return the measurements of a receiver's link after so many reports."""
    await harness.until(Progress, lambda _: len(harness.events_of(Progress)) > seconds)
    await harness.run(Measure(stream=STREAM))
    progress = harness.events_of(Progress)[-1]
    (found,) = progress.members
    assert found.receiver == of.receiver_id.lower()
    return found


async def test_a_good_link_is_reported_as_good(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    good = await harness.add(
        receiver("Good", quirks=Quirks(stamps_time=True), clock_drift_ppm=80)
    )
    assert await harness.run(play(tmp_path / "song.wav", member(good))) is None

    found = await measured(harness, good, 2)

    assert found.resend_percent == 0
    assert found.lead_ms == pytest.approx(400, abs=60)
    assert found.clock_spread_us is not None
    assert 0 <= found.clock_spread_us < 20_000


async def test_links_are_measured_only_when_that_is_asked_for(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = []
    real = UdpOutlet.link

    def link(outlet: UdpOutlet, now_ns: int) -> LinkQuality:
        looks.append(now_ns)
        return real(outlet, now_ns)

    monkeypatch.setattr(UdpOutlet, "link", link)
    wav(tmp_path / "song.wav", 5)
    assert await harness.run(Measure(stream=STREAM)) is None
    assert harness.events_of(Progress) == []
    assert await harness.run(play(tmp_path / "song.wav", member(kitchen))) is None
    await harness.until(Progress, lambda _: len(harness.events_of(Progress)) > 1)
    assert not looks
    assert not any(each.members[0].is_measured for each in harness.events_of(Progress))

    found = await measured(harness, kitchen, 1)

    assert len(looks) == 1
    assert found.is_measured
    assert found.lead_ms > 0


async def test_a_bad_link_is_reported_as_bad(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    poor = await harness.add(receiver("Poor", quirks=Quirks(loss=0.2)))
    command = play(tmp_path / "song.wav", member(poor, delay_ms=500))
    assert await harness.run(command) is None

    found = await measured(harness, poor, 2)

    assert 5 < found.resend_percent < 60
    assert found.clock_spread_us is None
    assert found.lead_ms == pytest.approx(900, abs=60)


async def test_a_range_of_ports_applies_to_the_next_session(
    harness: EngineHarness, kitchen: VirtualReceiver, song: Path, pcm: bytes
) -> None:
    ports = port_range(64)

    def is_within() -> bool:
        transport = kitchen.asked("SETUP")[-1].headers["transport"]
        used = {int(port) for port in re.findall(r"_port=(\d+)", transport)}
        return used <= set(range(ports.first, ports.last + 1))

    try:
        for limit in (
            LimitUdpPorts(first=ports.first, last=ports.last),
            LimitUdpPorts(),
        ):
            kitchen.clear()
            assert await harness.run(limit) is None
            assert await harness.run(play(song, member(kitchen))) is None
            assert is_within() == (limit.first > 0)
            await kitchen.wait_idle()
            assert kitchen.heard(pcm).is_complete
    finally:
        limit_udp_ports(None)
