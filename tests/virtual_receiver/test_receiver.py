"""The virtual receiver on real sockets, driven by a sender written by hand."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import json
from pathlib import Path
import secrets
import signal
import sys
import wave

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
import pytest
from pytest_socket import socket_allow_hosts
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from tests.virtual_receiver.network.mdns import RAOP
from tests.virtual_receiver.playback.audio_output import Speaker
from tests.virtual_receiver.reference.raop_playback import (
    FAST,
    LEAD_S,
    SOUND,
    TOLERANCE_NS,
    assert_on_time,
    reference_sender,
)
from tests.virtual_receiver.reference.raop_sender import (
    FRAMES,
    RaopReferenceSender,
    alac_frame,
    noise,
    now_ns,
)

from . import Advertisement, Quirks, VirtualReceiver


@pytest.fixture
async def kitchen() -> AsyncIterator[VirtualReceiver]:
    """Provide a receiver without quirks."""
    async with VirtualReceiver("Kitchen", cadence=FAST) as receiver:
        yield receiver


async def test_whole_session(kitchen: VirtualReceiver) -> None:
    async with reference_sender(kitchen) as sender:
        options = await sender.request("OPTIONS", "*")
        await sender.begin()
        await sender.parameter("text/parameters", b"volume: -15.000000\r\n")
        await sender.parameter("text/parameters", b"progress: 1/2/3\r\n")
        text = bytes.fromhex("6d6c69740000000c6d696e6d00000004536f6e67")
        await sender.parameter("application/x-dmap-tagged", text, sender.rtptime)
        await sender.parameter("image/jpeg", b"\xff\xd8" * 50_000, sender.rtptime)
        announced = sender.play(SOUND, LEAD_S)
        assert kitchen.is_playing
        await kitchen.wait_playing()
        await kitchen.drain()
        end = await sender.request("TEARDOWN")
        await kitchen.wait_idle()

    assert options.headers["Public"].startswith("ANNOUNCE")
    assert end.headers["Connection"] == "close"
    assert_on_time(kitchen, announced, SOUND)
    assert kitchen.pcm == SOUND
    assert [segment.frames for segment in kitchen.played] == [20 * FRAMES]
    assert kitchen.violations == []
    assert kitchen.volume_db == -15.0
    assert kitchen.volumes[0].is_recording
    assert kitchen.song.title == "Song"
    assert kitchen.song.progress == (1, 2, 3)
    assert len(kitchen.song.artwork) == 100_000
    assert [request.method for request in kitchen.requests][:4] == [
        "OPTIONS",
        "ANNOUNCE",
        "SETUP",
        "RECORD",
    ]
    assert (kitchen.stats.packets, kitchen.stats.missing) == (20, 0)
    assert kitchen.syncs[0].is_accepted
    assert kitchen.session is not None
    assert kitchen.session.dacp_id == "9FF35780A8BC8D2B"


async def test_l16(kitchen: VirtualReceiver) -> None:
    async with reference_sender(
        kitchen, rtpmap="a=rtpmap:96 L16/44100/2\r\n"
    ) as sender:
        await sender.begin()
        announced = sender.play(SOUND, LEAD_S)
        await kitchen.wait_frames(20 * FRAMES)

    assert_on_time(kitchen, announced, SOUND)


async def test_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    key, iv = bytes(range(16)), bytes(range(16, 32))

    def encode(self: RaopReferenceSender, pcm: bytes) -> bytes:
        frame = alac_frame(pcm)
        encryptor = Cipher(AES(key), CBC(iv)).encryptor()
        return encryptor.update(frame[:1408]) + frame[1408:]

    monkeypatch.setattr(RaopReferenceSender, "encode", encode)
    keys = "a=rsaaeskey:AAAA\r\na=aesiv:EBESExQVFhcYGRobHB0eHw\r\n"
    async with (
        VirtualReceiver(open_key=lambda sealed: key, cadence=FAST) as receiver,
        reference_sender(receiver, sdp_extra=keys) as sender,
    ):
        await sender.begin()
        announced = sender.play(SOUND, LEAD_S)
        await receiver.wait_frames(20 * FRAMES)

    assert receiver.txt["et"] == "0,1"
    assert_on_time(receiver, announced, SOUND)


async def test_encrypted_without_the_key_is_silent(kitchen: VirtualReceiver) -> None:
    keys = "a=rsaaeskey:AAAA\r\na=aesiv:EBESExQVFhcYGRobHB0eHw\r\n"
    async with reference_sender(kitchen, sdp_extra=keys) as sender:
        await sender.begin()
        sender.play(SOUND, LEAD_S)
        await kitchen.wait_frames(20 * FRAMES)

    assert kitchen.stats.undecodable == 20
    assert kitchen.heard(SOUND).first_frame_ns is None


async def test_ipv6() -> None:
    socket_allow_hosts(["::1"])
    async with (
        VirtualReceiver(host="::1", cadence=FAST) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        announced = sender.play(SOUND, LEAD_S)
        await receiver.wait_frames(20 * FRAMES)

    assert_on_time(receiver, announced, SOUND)


@pytest.mark.parametrize("upper", [False, True])
async def test_password(upper: bool) -> None:
    receiver = VirtualReceiver(password="secret", quirks=Quirks(uppercase_digest=upper))
    async with (
        receiver,
        reference_sender(receiver, password="secret", upper=upper) as sender,
    ):
        refused = await sender.request("OPTIONS", "*")
        assert refused.status == 401
        realm, sender.nonce = refused.headers["WWW-Authenticate"].split('"')[1:4:2]
        assert realm == "raop"
        await sender.begin()
        sender.upper = not upper
        assert (await sender.request("OPTIONS", "*")).status == 401
        sender.upper, sender.password = upper, "wrong"
        assert (await sender.request("OPTIONS", "*")).status == 401
    assert receiver.txt["pw"] == "true"


async def test_second_sender_replaces_the_first(kitchen: VirtualReceiver) -> None:
    async with reference_sender(kitchen) as first, reference_sender(kitchen) as second:
        await first.begin()
        await second.begin()

        assert await first.reader.read() == b""
        announced = second.play(SOUND, LEAD_S)
        await kitchen.wait_frames(20 * FRAMES)
    assert_on_time(kitchen, announced, SOUND)


async def test_never_a_sound_without_timing_answers(kitchen: VirtualReceiver) -> None:
    async with reference_sender(kitchen, answers_time=False) as sender:
        await sender.begin()
        sender.play(SOUND, LEAD_S)
        with pytest.raises(TimeoutError):
            await kitchen.wait_playing(timeout_s=0.4)
        async with asyncio.timeout(10):
            while len(sender.timing_requests) < 2:
                await asyncio.sleep(0.01)

    assert kitchen.stats.sync_ignored == 1
    assert len(sender.timing_requests) >= 2
    assert sender.timing_requests[0][:24] == bytes.fromhex("80d20007") + bytes(20)


async def test_pause_and_resume(kitchen: VirtualReceiver) -> None:
    long, more = noise(60), noise(20, seed=2)
    async with reference_sender(kitchen) as sender:
        await sender.begin()
        sender.play(long, LEAD_S)
        await kitchen.wait_frames(10 * FRAMES)
        await sender.flush()
        assert not kitchen.is_playing
        frames = kitchen.recording.frames
        announced = sender.play(more, LEAD_S)
        await kitchen.wait_frames(frames + 20 * FRAMES)

    assert kitchen.heard(long).missing == 60 * FRAMES - frames
    assert_on_time(kitchen, announced, more)
    assert len(kitchen.played) == 2
    assert kitchen.violations == []
    assert len(kitchen.pcm_with_pauses) > len(kitchen.pcm)


@pytest.mark.parametrize("drift_ppm", [-100.0, 100.0])
async def test_receivers_with_other_clocks_agree(drift_ppm: float) -> None:
    odd = VirtualReceiver(
        clock_offset_ns=3_600_000_000_000, clock_drift_ppm=drift_ppm, cadence=FAST
    )
    even = VirtualReceiver(cadence=FAST)
    async with odd, even, reference_sender(odd) as one, reference_sender(even) as other:
        await one.begin()
        await other.begin()
        announced = now_ns() + 300_000_000
        for sender in (one, other):
            sender.sync(announced, sender.rtptime)
            sender.send_audio(SOUND)
        await odd.wait_frames(20 * FRAMES)
        await even.wait_frames(20 * FRAMES)

    assert_on_time(odd, announced, SOUND)
    assert_on_time(even, announced, SOUND)
    odd_times, even_times = odd.play_times(), even.play_times()
    assert odd_times.keys() == even_times.keys()
    assert all(abs(odd_times[key] - even_times[key]) < 500_000 for key in odd_times)


async def test_violations_are_reported(kitchen: VirtualReceiver) -> None:
    async with reference_sender(kitchen) as sender:
        assert (await sender.setup()).status == 455
        assert (await sender.record()).status == 455
        await sender.begin()
        for content_type, body in (
            ("text/parameters", b"volume: 3\r\n"),
            ("text/parameters", b"volume: loud\r\n"),
            ("text/parameters", b"colour: 1\r\n"),
            ("application/x-dmap-tagged", b"mlit"),
            ("image/png", b"x"),
            ("text/plain", b"x"),
        ):
            await sender.parameter(content_type, body)
        address = (sender.host, sender.ports["server_port"])
        for packet in (b"", b"\x80", b"\x80\x60short", bytes(100)):
            sender.audio.sendto(packet, address)
        bad = sender.build(SOUND[: FRAMES * 4])
        sender.audio.sendto(bad[:-1] + b"\0", address)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 1)
        sender.cseq = 1
        await sender.request("OPTIONS", "*")
        sender.writer.write(b"nonsense\r\n\r\n")
        assert b"400" in await sender.reader.read()

    text = "\n".join(kitchen.violations)
    for word in ("SETUP while", "volume 3.0", "loud", "colour", "mlit", "RTP-Info"):
        assert word in text
    for word in ("audio packet too short", "end tag", "not marked", "CSeq", "nonsense"):
        assert word in text
    assert kitchen.stats.undecodable == 1


async def test_counting_only() -> None:
    async with (
        VirtualReceiver(record=False, decode=False, cadence=FAST) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        announced = sender.play(SOUND, LEAD_S)
        await receiver.wait_frames(20 * FRAMES)

    assert receiver.recording.packets == []
    assert receiver.first_frame_ns is not None
    assert abs(receiver.first_frame_ns - announced) < TOLERANCE_NS
    assert receiver.stats.largest_burst > 1


async def test_wav_can_be_read_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "kitchen.wav"
    async with (
        VirtualReceiver(wav=path) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        sender.play(SOUND, LEAD_S)
        await receiver.wait_frames(5 * FRAMES)
        with wave.open(str(path)) as early:
            frames = early.getnframes()
            assert early.readframes(frames) == SOUND[: frames * 4]
        await receiver.wait_frames(20 * FRAMES)
    with wave.open(str(path)) as whole:
        assert whole.getframerate() == 44100
        assert whole.readframes(whole.getnframes()) == SOUND


async def test_restart_keeps_the_port(kitchen: VirtualReceiver) -> None:
    port = kitchen.port
    async with reference_sender(kitchen) as sender:
        await sender.begin()
        await kitchen.stop()
        assert await sender.reader.read() == b""
    await kitchen.start()

    assert kitchen.port == port
    async with reference_sender(kitchen) as sender:
        await sender.begin()


async def test_unplugged_receiver_is_silent_until_it_is_plugged_in(
    kitchen: VirtualReceiver,
) -> None:
    async with reference_sender(kitchen) as sender:
        await sender.begin()
        kitchen.unplug()
        sender.send("OPTIONS", "*")
        sender.play(SOUND, LEAD_S)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sender.reader.read(1), 0.1)
        assert kitchen.stats.packets == 0
        kitchen.plug_in()
        assert (await sender.reply()).status == 200
        announced = sender.play(noise(20, seed=2), LEAD_S)
        await kitchen.wait_frames(20 * FRAMES)
    assert_on_time(kitchen, announced, noise(20, seed=2))


# zeroconf leaves timers of answers to others when it is closed
@pytest.mark.parametrize("expected_lingering_timers", [True])
async def test_mdns_announces_changes_and_withdraws() -> None:
    # other test runs on this machine play here too
    receiver_id = secrets.token_hex(6).upper()
    instance = f"{receiver_id}@Bad äöü.{RAOP}"
    found: asyncio.Queue[ServiceStateChange] = asyncio.Queue()

    def changed(
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if name == instance:
            found.put_nowait(state_change)

    browser_zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    browser = AsyncServiceBrowser(browser_zeroconf.zeroconf, RAOP, [changed])
    receiver = VirtualReceiver("Bad äöü", receiver_id=receiver_id)
    async with receiver:
        records = Advertisement(receiver, interfaces=["127.0.0.1"], airplay=True)
        await records.announce()
        assert await asyncio.wait_for(found.get(), 20) is ServiceStateChange.Added
        info = AsyncServiceInfo(RAOP, instance)
        assert await info.async_request(browser_zeroconf.zeroconf, 3000)
        assert info.port == receiver.port
        assert info.parsed_addresses() == ["127.0.0.1"]
        assert info.decoded_properties["cn"] == "0,1"
        receiver.password = "secret"
        await records.update()
        assert await asyncio.wait_for(found.get(), 20) is ServiceStateChange.Updated
        await records.withdraw()
        assert await asyncio.wait_for(found.get(), 20) is ServiceStateChange.Removed
    await browser.async_cancel()
    await browser_zeroconf.async_close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_command_line(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "kitchen.wav"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.virtual_receiver", "--name", "Kitchen", "--json"),
        *("--no-mdns", "--wav", str(path), "--quirk", "loss=0"),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    async with RaopReferenceSender(ready["host"], ready["port"]) as sender:
        await sender.begin()
        sender.play(SOUND, LEAD_S)
        events = []
        while "playing" not in events:
            line = await asyncio.wait_for(process.stdout.readline(), 20)
            events.append(json.loads(line)["event"])
        process.send_signal(number)
        rest = await asyncio.wait_for(process.stdout.read(), 20)
    assert ready["event"] == "ready"
    assert events[:3] == ["request", "request", "request"]
    assert json.loads(rest.splitlines()[-1])["event"] == "ended"
    assert await process.wait() == 0


async def test_quirks_may_change_between_sessions(kitchen: VirtualReceiver) -> None:
    kitchen.quirks = replace(kitchen.quirks, refuse={"ANNOUNCE": 453})
    async with reference_sender(kitchen) as sender:
        assert (await sender.announce()).status == 453
    kitchen.quirks = Quirks()
    async with reference_sender(kitchen) as sender:
        assert (await sender.announce()).status == 200


async def test_receiver_hangs_up_and_forgets_on_request(
    kitchen: VirtualReceiver,
) -> None:
    events: list[str] = []
    kitchen.subscribe(lambda event, details: events.append(event))
    async with reference_sender(kitchen) as sender:
        await sender.begin()
        sender.play(SOUND, LEAD_S)
        await kitchen.drain()
        kitchen.clear()
        kitchen.hang_up()
        assert await sender.reader.read() == b""

    assert kitchen.pcm == b""
    assert kitchen.asked("RECORD") == []
    assert events == ["request"] * 3 + ["playing", "ended"]


async def test_speaker_pipes_sound_to_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await Speaker.open() is None
    heard, program = tmp_path / "heard", tmp_path / "aplay"
    program.write_text(f"#!/bin/sh\nexec /bin/cat >{heard}\n")
    program.chmod(0o755)

    speaker = await Speaker.open()
    assert speaker is not None
    speaker.play(SOUND)
    await speaker.finish()

    assert heard.read_bytes() == SOUND
