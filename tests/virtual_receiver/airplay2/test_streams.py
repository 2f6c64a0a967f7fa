"""Streams of the virtual AirPlay 2 receiver, by a sender written by hand."""

import asyncio
import plistlib

import pytest

from tests.virtual_receiver.airplay2 import AirPlay2Receiver
from tests.virtual_receiver.reference.airplay2_clock import CLOCK_ID, ReferenceClock
from tests.virtual_receiver.reference.airplay2_playback import (
    LEAD_NS,
    MORE,
    OFFSET_NS,
    SETTLE_S,
    SOUND,
    TOLERANCE_NS,
    assert_on_time,
    knows_clock,
    playing,
    quirks,
    receiver,
)
from tests.virtual_receiver.reference.airplay2_sender import AirPlay2ReferenceSender
from tests.virtual_receiver.reference.raop_sender import (
    FRAMES,
    NS_PER_S,
    RaopReferenceSender,
    noise,
    now_ns,
)


@pytest.mark.parametrize("offset_ns", [0, OFFSET_NS])
async def test_realtime_sound_plays_at_the_announced_time(
    kitchen: AirPlay2Receiver, offset_ns: int
) -> None:
    async with playing(kitchen, offset_ns=offset_ns) as sender:
        heard_ns = now_ns() + LEAD_NS
        sender.announce(heard_ns, sender.rtptime, offset_ns=offset_ns)
        sender.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)
        assert kitchen.syncs[0].is_accepted
        assert kitchen.violations == []


async def test_clock_of_the_receiver_may_drift() -> None:
    away = receiver(clock_offset_ns=OFFSET_NS, clock_drift_ppm=100.0)
    async with away as kitchen, playing(kitchen) as sender:
        heard_ns = now_ns() + LEAD_NS
        sender.announce(heard_ns, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


async def test_lost_packets_are_asked_for_and_opened() -> None:
    async with receiver() as kitchen, playing(kitchen) as sender:
        heard_ns = now_ns() + NS_PER_S
        sender.announce(heard_ns, sender.rtptime)
        sender.send_audio(SOUND, lost=frozenset({4, 5, 9}))
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)
        assert [count for _, count in sender.asked] == [2, 1]


async def test_nothing_plays_by_the_clock_of_another_sender(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as sender:
        sender.clock_id = CLOCK_ID + 1
        sender.announce(now_ns() + LEAD_NS, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)

        assert not kitchen.is_playing
        assert kitchen.stats.sync_ignored == 1


async def test_announce_waits_for_the_clock() -> None:
    async with (
        receiver(more=quirks(ptp_settle_s=0.3)) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        sender.clock = ReferenceClock(kitchen.host, kitchen.ptp_ports)
        await sender.begin()
        sender.clock.start()
        began_ns = now_ns()
        sender.announce(began_ns + LEAD_NS, sender.rtptime)
        sender.send_audio(noise(400))
        await kitchen.wait_playing()

        # 0.15 s to its second announce, 0.3 s to settle
        assert kitchen.first_frame_ns is not None
        assert kitchen.first_frame_ns >= began_ns + 450_000_000
        assert kitchen.stats.missing > 0


async def test_packet_that_cannot_be_opened_is_not_played(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as sender:
        sender.announce(now_ns() + LEAD_NS, sender.rtptime)
        sender.key = bytes(32)
        sender.send_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.malformed == 20)

        assert not kitchen.is_playing


async def test_flush_drops_queued_audio_and_the_next_line_plays(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as sender:
        sender.announce(now_ns() + 60 * NS_PER_S, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        point = {"RTP-Info": f"seq={sender.sequence};rtptime={sender.rtptime}"}
        assert (await sender.ask("FLUSH", headers=point)).status == 200

        heard_ns = now_ns() + LEAD_NS
        sender.announce(heard_ns, sender.rtptime)
        sender.send_audio(MORE)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, MORE)
        assert kitchen.stats.flushed == 20


async def test_stream_may_be_set_up_again_in_the_same_session(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as sender:
        assert sender.clock
        reply = await sender.ask("TEARDOWN", body={"streams": [{"type": 96}]})
        assert reply.status == 200
        assert kitchen.has_session
        await sender.set_up_stream()
        assert not knows_clock(kitchen)

        await kitchen.wait_until(lambda: knows_clock(kitchen))
        heard_ns = now_ns() + LEAD_NS
        sender.announce(heard_ns, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)
        assert_on_time(kitchen, heard_ns, SOUND)


async def test_realtime_by_ntp(kitchen: AirPlay2Receiver) -> None:
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        await sender.begin(timing="NTP")
        await kitchen.wait_until(lambda: kitchen.stats.timing_answers > 0)
        classic = RaopReferenceSender(kitchen.host, kitchen.port)
        classic.control = sender.control
        classic.ports = {"control_port": sender.ports["controlPort"]}
        heard_ns = now_ns() + LEAD_NS
        classic.sync(heard_ns, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


async def test_buffered_sound_plays_by_its_anchor(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen, 103) as sender:
        rtptime, heard_ns = sender.rtptime, now_ns() + LEAD_NS
        sender.buffer_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        assert not kitchen.is_playing
        assert (await sender.ask("SETRATEANCHORTIME", body={"rate": 1})).status == 200
        assert (await sender.anchor(heard_ns, rtptime)).status == 200
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)
        assert kitchen.violations == []


async def test_buffered_pause_and_resume_lose_nothing(
    kitchen: AirPlay2Receiver,
) -> None:
    sound = noise(60)
    async with playing(kitchen, 103) as sender:
        rtptime = sender.rtptime
        sender.buffer_audio(sound)
        await sender.anchor(now_ns() + LEAD_NS, rtptime)
        await kitchen.wait_frames(10 * FRAMES)
        await sender.ask("SETRATEANCHORTIME", body={"rate": 0})
        stopped = kitchen.recording.frames
        assert not kitchen.is_playing

        heard_ns = now_ns() + LEAD_NS
        await sender.anchor(heard_ns, rtptime + stopped & 0xFFFFFFFF)
        await kitchen.wait_frames(60 * FRAMES)

        assert kitchen.pcm == sound
        later = kitchen.heard(sound[stopped * 4 :], after_ns=heard_ns - TOLERANCE_NS)
        assert later.first_frame_ns is not None
        assert abs(later.first_frame_ns - heard_ns) < TOLERANCE_NS


async def test_pause_may_lose_decoded_audio() -> None:
    settled = {"ptp_settle_s": SETTLE_S, "loses_on_pause_s": 0.08}
    async with (
        receiver(more=quirks(**settled)) as kitchen,
        playing(kitchen, 103) as sender,
    ):
        sender.buffer_audio(noise(200))
        await sender.anchor(
            now_ns() + LEAD_NS, sender.rtptime - 200 * FRAMES & 0xFFFFFFFF
        )
        await kitchen.wait_frames(10 * FRAMES)
        await sender.ask("SETRATEANCHORTIME", body={"rate": 0})

        assert kitchen.stats.flushed in (10, 11)


async def test_buffered_flush_now(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen, 103) as sender:
        await sender.anchor(now_ns() + 60 * NS_PER_S, sender.rtptime)
        sender.buffer_audio(SOUND)
        until = {"flushUntilSeq": sender.sequence, "flushUntilTS": sender.rtptime}
        # packets that are still on their way are dropped as well
        assert (await sender.ask("FLUSHBUFFERED", body=until)).status == 200
        heard_ns, rtptime = now_ns() + LEAD_NS, sender.rtptime
        sender.buffer_audio(MORE)
        await sender.anchor(heard_ns, rtptime)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, MORE)
        assert kitchen.stats.flushed == 20
        assert kitchen.pcm == MORE


async def test_buffered_flush_later_makes_a_gapless_cut(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen, 103) as sender:
        heard_ns, rtptime, sequence = (
            now_ns() + LEAD_NS,
            sender.rtptime,
            sender.sequence,
        )
        sender.buffer_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        await sender.anchor(heard_ns, rtptime)
        cut = rtptime + 8 * FRAMES & 0xFFFFFFFF
        body = {
            "flushFromSeq": sequence + 8,
            "flushFromTS": cut,
            "flushUntilSeq": sender.sequence,
            "flushUntilTS": cut,
        }
        await sender.ask("FLUSHBUFFERED", body=body)
        sender.rtptime = cut
        sender.buffer_audio(MORE)
        await kitchen.wait_frames(28 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND[: 8 * FRAMES * 4] + MORE)


async def test_full_buffer_makes_the_sender_wait() -> None:
    small = quirks(buffer_bytes=50_000)
    async with receiver(more=small) as kitchen, playing(kitchen, 103) as sender:
        assert sender.ports["audioBufferSize"] == 50_000
        packets = 1000
        sound, rtptime = noise(packets), sender.rtptime
        sender.buffer_audio(sound)
        assert sender.data
        await kitchen.wait_until(lambda: kitchen.stats.packets == 35)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await sender.data.drain()
        assert kitchen.stats.packets == 35

        # the 35 packets that fit play, and others replace them
        await sender.anchor(now_ns() + LEAD_NS, rtptime)
        await kitchen.wait_frames(60 * FRAMES)
        assert kitchen.pcm[: 60 * FRAMES * 4] == sound[: 60 * FRAMES * 4]


@pytest.mark.parametrize(
    ("ssrc", "rate"), [(0xFACE, 44100.0), (0x17000000, 48000.0), (0, 0.0)]
)
async def test_feedback_shows_whether_a_codec_is_known(
    kitchen: AirPlay2Receiver, ssrc: int, rate: float
) -> None:
    async with playing(kitchen, 103) as sender:
        sender.ssrc = ssrc
        sender.buffer_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        await sender.anchor(now_ns() + 60 * NS_PER_S, sender.rtptime)

        reply = await sender.ask("POST", "/feedback")

        assert plistlib.loads(reply.body) == {"streams": [{"type": 103, "sr": rate}]}


async def test_feedback_is_empty_for_a_wrong_clock(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen, 103) as sender:
        sender.buffer_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        sender.clock_id += 1
        assert (await sender.anchor(now_ns() + LEAD_NS, sender.rtptime)).status == 200
        reply = await sender.ask("POST", "/feedback")

        assert plistlib.loads(reply.body) == {"streams": [{"type": 103, "sr": 0.0}]}
        assert not kitchen.is_playing


async def test_anchor_may_be_refused_until_the_clock_is_known() -> None:
    strict = quirks(anchor_needs_clock=True)
    async with (
        receiver(more=strict) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        await sender.begin(103)
        reply = await sender.anchor(now_ns() + LEAD_NS, sender.rtptime)

        assert reply.status == 400
