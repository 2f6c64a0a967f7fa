"""Networks with short packets, losses, and blackouts, in a namespace of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from custom_components.airplay.raop.messages import (
    Measure,
    MemberProgress,
    Play,
    Progress,
)
from tests.network_namespace import (
    filter_packets,
    network_of_its_own,
    set_mtu,
    set_route_mtu,
)
from tests.raop.engine.harness import (
    STREAM,
    EngineHarness,
    member,
    play,
    receiver,
    running_harness,
    wav,
)
from tests.raop.engine.lanes.test_airplay2 import BUFFERED, LANES, REALTIME, by, speaker
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver
from tests.virtual_receiver.network.relay import Relay

# Tailscale, WireGuard, overlay networks, and the least that IPv4 receivers accept.
MTUS = [1450, 1420, 1280, 576]
HOSTS = ["127.0.0.1", "::1"]
LEAST_IPV6_MTU = 1280
BLACKOUT_S = 2.0
# TCP sends again after pauses that double.
TCP_WAITS_S = {REALTIME: 0.0, BUFFERED: 2.0}


@dataclass
class House:
    """An engine in a network of its own, and a receiver of each kind."""

    harness: EngineHarness
    kitchen: VirtualReceiver
    den: AirPlay2Receiver
    lane: str

    def play(self, song: Path, **details: int | None) -> Play:
        """Return a command for both receivers."""
        members = (member(self.kitchen), by(self.den, self.lane))
        known: dict[str, object] = {"lead_ms": None}
        return play(song, *members, stream=STREAM, **known | details)

    async def begin(self, song: Path, **details: int | None) -> None:
        """Play on both receivers."""
        assert await self.harness.run(self.play(song, **details)) is None

    async def measure(self) -> dict[str, MemberProgress]:
        """Return what is reported of each receiver now."""
        assert await self.harness.run(Measure(stream=STREAM)) is None
        last = self.harness.events_of(Progress)[-1]
        names = {of.receiver_id.lower(): of.name for of in (self.kitchen, self.den)}
        return {names[each.receiver]: each for each in last.members}

    def check(self, pcm: bytes) -> None:
        """Check that both have played every frame of a song, without a gap."""
        for each in (self.kitchen, self.den):
            assert each.heard(pcm).is_complete, each.name


@asynccontextmanager
async def house(
    lane: str,
    host: str = "127.0.0.1",
    *,
    mtu_bytes: int = 1500,
    relays: tuple[Relay, Relay] | None = None,
) -> AsyncIterator[House]:
    """Run an engine in a network of its own, the receivers perhaps behind relays."""
    classic, den = relays or (None, None)
    with network_of_its_own(mtu_bytes):
        async with running_harness() as harness:
            kitchen = await harness.add(
                receiver(
                    "Kitchen",
                    host=host,
                    quirks=Quirks(rewrite=classic.rewrite if classic else None),
                )
            )
            other = await speaker(
                harness,
                host=host,
                receiver_id="0A0B0C0D0E02",
                rewrite=den.rewrite if den else None,
            )
            try:
                yield House(harness, kitchen, other, lane)
            finally:
                for each in relays or ():
                    each.close()


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("mtu_bytes", MTUS)
async def test_every_packet_passes_an_interface_for_short_ones(
    song: Path, pcm: bytes, mtu_bytes: int, host: str, lane: str
) -> None:
    if host == "::1" and mtu_bytes < LEAST_IPV6_MTU:
        pytest.skip("there is no IPv6 below 1280 bytes")
    async with house(lane, host, mtu_bytes=mtu_bytes) as home:
        await home.begin(song)
        await home.harness.ended()

        home.check(pcm)


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("host", HOSTS)
async def test_every_packet_passes_a_path_that_becomes_shorter_in_mid_song(
    tmp_path: Path, host: str, lane: str
) -> None:
    pcm = wav(tmp_path / "song.wav", 2.0)
    async with house(lane, host) as home:
        await home.begin(tmp_path / "song.wav")
        await home.kitchen.wait_frames(10_000)
        set_mtu(LEAST_IPV6_MTU)
        await home.harness.ended()

        home.check(pcm)


@pytest.mark.parametrize("lane", LANES)
async def test_every_packet_passes_a_route_for_short_ones(
    song: Path, pcm: bytes, lane: str
) -> None:
    async with house(lane) as home:
        set_route_mtu(LEAST_IPV6_MTU)
        await home.begin(song)
        await home.harness.ended()

        home.check(pcm)


@pytest.mark.parametrize("lane", LANES)
async def test_loss_disorder_and_duplicates_are_repaired_and_reported(
    tmp_path: Path, lane: str
) -> None:
    pcm = wav(tmp_path / "song.wav", 4.0)
    poor = [
        Relay(loss=0.2, disorder_s=0.03, duplicates=0.2, seed=seed) for seed in (1, 2)
    ]
    async with house(lane, relays=(poor[0], poor[1])) as home:
        await home.begin(tmp_path / "song.wav", depth_ms=1800)
        await home.kitchen.wait_frames(3 * 44_100)
        reports = await home.measure()
        await home.harness.ended()

        home.check(pcm)
        assert poor[0].lost > 50
        assert home.kitchen.stats.duplicates > 50
        assert reports["Kitchen"].resend_percent > 10
        # TCP repairs what it loses itself.
        is_repaired = reports["Den"].resend_percent > 10
        assert is_repaired == (lane == REALTIME)


@pytest.mark.parametrize("lane", LANES)
async def test_a_blackout_costs_only_itself_and_is_reported(
    tmp_path: Path, lane: str
) -> None:
    pcm = wav(tmp_path / "song.wav", 9.0)
    async with house(lane) as home:
        await home.begin(tmp_path / "song.wav")
        await home.kitchen.wait_frames(2 * 44_100)
        await home.measure()
        filter_packets("drop")
        await asyncio.sleep(BLACKOUT_S)
        filter_packets("accept")
        await home.kitchen.wait_frames(6 * 44_100)
        reports = await home.measure()
        await home.harness.ended()

        for of, most_s in ((home.kitchen, 0.0), (home.den, TCP_WAITS_S[lane])):
            heard = of.heard(pcm)
            assert heard.wrong == 0, of.name
            assert heard.worst_step_ns < 1_000_000, of.name
            assert 0 < heard.missing < (BLACKOUT_S + most_s) * 44_100, of.name
        assert reports["Kitchen"].resend_percent > 0
        if lane == REALTIME:
            assert reports["Den"].resend_percent > 0
        else:
            assert reports["Den"].lead_ms < 0
        assert home.harness.states()[-1] == "ended"


@pytest.mark.parametrize("lane", ["raop", REALTIME])
async def test_audio_that_cannot_be_sent_counts_as_silence(
    song: Path, lane: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(lane) as home:
        # As a firewall on this machine does it; all else goes through.
        filter_packets("meta l4proto udp udp length > 700 drop", hook="output")
        who = member(home.kitchen) if lane == "raop" else by(home.den, lane)

        code = await home.harness.run(play(song, who, lead_ms=None))

        assert code == "silent"
        assert "finished" not in home.harness.states()
        of = home.kitchen if lane == "raop" else home.den
        assert of.stats.packets == 0
        assert of.stats.sync_packets > 0
