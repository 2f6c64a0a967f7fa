"""Media to sound: what receivers on real sockets play, and when."""

import asyncio
from pathlib import Path
import time
from typing import Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa as rsa_keys
import numpy as np
import pytest

from custom_components.airplay.raop.auth import rsa
from custom_components.airplay.raop.messages import Progress, StreamChanged
from tests.raop.engine.harness import (
    PRECISE_S,
    EngineHarness,
    heard_at,
    member,
    outcome,
    outcomes,
    play,
    receiver,
    unix,
    wav,
)
from tests.virtual_receiver import Quirks, VirtualReceiver

MS = 1_000_000


async def test_a_file_plays_bit_exact_from_the_announced_instant_to_the_end(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)

    assert await harness.run(play(tmp_path / "song.wav", member(kitchen))) is None
    end = await harness.ended()

    heard = kitchen.heard(pcm)
    assert heard.is_complete
    assert heard.frames == 44_100
    started = await harness.started()
    assert abs(heard_at(kitchen, pcm) - started.at) < PRECISE_S
    assert abs(unix(kitchen.stats.first_packet_ns) - started.first_packet_at) < 0.1
    assert harness.states() == ["connecting", "buffering", "playing", "ended"]
    assert (end.reason, end.code) == ("finished", None)
    assert kitchen.violations == []
    assert kitchen.stats.missing == 0


async def test_play_is_answered_when_playback_starts(
    harness: EngineHarness, kitchen: VirtualReceiver, song: Path
) -> None:
    assert await harness.run(play(song, member(kitchen))) is None

    assert time.time() >= (await harness.started()).at
    assert harness.states()[-1] == "playing"
    position = (await harness.state("playing")).position_ms
    assert position < 600


async def test_the_first_frame_plays_at_the_requested_instant(
    harness: EngineHarness, kitchen: VirtualReceiver, song: Path, pcm: bytes
) -> None:
    at = time.time() + 0.8

    assert await harness.run(play(song, member(kitchen), start_at=at)) is None
    await harness.ended()

    assert abs((await harness.started()).at - at) < 0.0001
    assert abs(heard_at(kitchen, pcm) - at) < PRECISE_S
    assert kitchen.heard(pcm).is_complete


async def test_an_instant_that_is_past_means_as_soon_as_possible(
    harness: EngineHarness, kitchen: VirtualReceiver, song: Path, pcm: bytes
) -> None:
    begun = time.time()

    command = play(song, member(kitchen), start_at=begun - 60, depth_ms=300)
    assert await harness.run(command) is None
    await harness.ended()

    assert begun + 0.3 < (await harness.started()).at < begun + 1.5
    assert kitchen.heard(pcm).is_complete


async def test_two_receivers_play_the_same_frame_at_the_same_time(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)
    ahead = receiver("Ahead", clock_offset_ns=7_000 * MS, clock_drift_ppm=30)
    behind = receiver("Behind", receiver_id="0A0B0C0D0E02", clock_offset_ns=-9)
    members = [member(await harness.add(each)) for each in (ahead, behind)]

    assert await harness.run(play(tmp_path / "song.wav", *members)) is None
    await harness.ended()

    one, other = ahead.play_times(), behind.play_times()
    first, second = ahead.heard(pcm), behind.heard(pcm)
    assert first.is_complete
    assert second.is_complete
    # Of the silence in front one may have missed a packet.
    common = one.keys() & other.keys()
    assert len(common) * 352 > len(pcm) // 4
    apart = [abs(one[rtptime] - other[rtptime]) for rtptime in common]
    assert sorted(apart)[len(apart) // 2] < 50_000


async def test_a_group_of_unlike_receivers_plays_the_same(
    harness: EngineHarness, song: Path, pcm: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = rsa_keys.generate_private_key(65537, 2048)
    monkeypatch.setattr(rsa, "_public_key", private.public_key)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    group = [
        receiver("Plain"),
        receiver("Sealed", open_key=lambda key: private.decrypt(key, oaep)),
        receiver("Also sealed", open_key=lambda key: private.decrypt(key, oaep)),
        receiver("L16", txt={"cn": "0"}),
        receiver("IPv6", host="::1"),
        receiver("Locked", password="sesame"),
        receiver("Picky", quirks=Quirks(uppercase_digest=True), password="sesame"),
    ]
    for number, each in enumerate(group):
        each.receiver_id = f"0A0B0C0D0E{number:02}"
    members = [
        member(await harness.add(each), password=each.password) for each in group
    ]

    assert await harness.run(play(song, *members)) is None
    await harness.ended()

    for each in group:
        assert each.heard(pcm).is_complete, each.name
        assert each.violations == [], each.name
    announced = {each.name: each.asked("ANNOUNCE")[-1].body for each in group}
    assert {name for name, body in announced.items() if b"rsaaeskey" in body} == {
        "Sealed",
        "Also sealed",
    }
    assert b"L16/44100/2" in announced["L16"]
    assert b"IN IP6 ::1" in announced["IPv6"]


async def test_lost_packets_are_sent_again_until_no_frame_is_missing(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 2)
    lossy = [
        receiver(
            f"{loss}",
            receiver_id=f"0A0B0C0D0E{loss:02}",
            quirks=Quirks(loss=loss / 100, seed=3),
        )
        for loss in (1, 5)
    ]
    members = [member(await harness.add(each)) for each in lossy]

    command = play(tmp_path / "song.wav", *members, depth_ms=1500, lead_ms=1500)
    assert await harness.run(command) is None
    await harness.ended()

    for each in lossy:
        assert each.stats.lost_by_quirk > 0
        assert each.heard(pcm).is_complete
        assert each.stats.resent >= each.stats.lost_by_quirk / 2


async def test_receivers_that_request_every_packet_again_disturb_no_others(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    quirks = {
        "Burst": Quirks(ask_burst=1000),
        "Often": Quirks(ask_received_every=2),
        "Never sent": Quirks(ask_never_sent=True),
        "Many times": Quirks(timing_copies=50),
    }
    noisy = [
        await harness.add(receiver(name, quirks=each)) for name, each in quirks.items()
    ]
    for number, each in enumerate(noisy):
        each.receiver_id = f"0A0B0C0D0E{number:02}"

    members = [member(each) for each in noisy]
    assert await harness.run(play(song, *members)) is None
    await harness.ended()

    assert {each.name: each.heard(pcm).is_complete for each in noisy} == dict.fromkeys(
        quirks, True
    )


async def test_odd_receivers_are_played_to_all_the_same(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    quirks = {
        "byte by byte": Quirks(byte_by_byte=True),
        "wrong CSeq": Quirks(wrong_cseq=True),
        "no timing port": Quirks(zero_timing_port=True),
        "no OPTIONS": Quirks(refuse={"OPTIONS": 404}),
        "no SET_PARAMETER": Quirks(refuse={"SET_PARAMETER": 501}),
        "no GET_PARAMETER": Quirks(refuse={"GET_PARAMETER": 501}),
        "no TEARDOWN": Quirks(refuse={"TEARDOWN": 500}),
        "mute at first": Quirks(mutes_first_packets=9),
        "forgets before sync": Quirks(drops_audio_before_sync=True),
        "auth-setup wanted": Quirks(requires_auth_setup=True),
        "slow": Quirks(setup_delay_s=0.2),
        "jitter": Quirks(jitter_s=0.02),
    }

    codes = await outcomes(harness, song, quirks, volume=50)

    assert codes == dict.fromkeys(quirks)
    for each in harness.receivers:
        assert each.heard(pcm).is_complete, each.name
        assert each.violations == [], each.name


async def test_auth_setup_follows_the_record_and_is_omitted_if_harmful(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    wanted = {"et": "0,4"}
    needs_it = receiver("Needs", txt=wanted, quirks=Quirks(requires_auth_setup=True))
    hates_it = receiver("Hates", txt=wanted, quirks=Quirks(drop_at="POST"))
    fails_it = receiver("Fails", txt=wanted, quirks=Quirks(auth_setup_status=500))
    for each in (needs_it, hates_it, fails_it):
        await harness.add(each)

    codes = await asyncio.gather(
        *(outcome(harness, each, song) for each in (needs_it, hates_it, fails_it))
    )

    assert codes == [None, None, None]
    assert all(each.heard(pcm).is_complete for each in (needs_it, hates_it, fails_it))
    methods = [request.method for request in needs_it.requests[:3]]
    assert methods == ["OPTIONS", "POST", "ANNOUNCE"]
    assert (hates_it.connections, len(hates_it.asked("POST"))) == (2, 1)


class Server:
    """Serves a file over HTTP, and stops in the middle until a test releases it."""

    def __init__(self, body: bytes, pause_at: int) -> None:
        self._body = body
        self._pause_at = pause_at
        self.go_on = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n" % len(self._body)
            )
            writer.write(self._body[: self._pause_at])
            await writer.drain()
            await self.go_on.wait()
            writer.write(self._body[self._pause_at :])
            await writer.drain()
        except ConnectionError, asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


async def test_a_source_that_pauses_is_padded_with_silence_and_continues(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 2.5)
    body = (tmp_path / "song.wav").read_bytes()
    async with Server(body, pause_at=44 + 44_100 * 4 * 5 // 4) as server:
        url = f"http://127.0.0.1:{server.port}/song.wav"
        playing = harness.submit(play(url, member(kitchen)))
        await harness.state("playing")
        await harness.until(
            StreamChanged, lambda _: harness.states()[-2:] == ["playing", "buffering"]
        )
        assert (await harness.reply(playing)).code is None
        await harness.until(Progress, lambda each: each.silence_ms > 0)
        server.go_on.set()
        await harness.ended()

    heard = np.frombuffer(kitchen.pcm, np.uint32)
    assert heard[heard > 0].tobytes() == pcm
    assert harness.states()[-2:] == ["playing", "ended"]
    assert len(kitchen.played) == 1
