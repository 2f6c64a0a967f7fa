"""The virtual receiver of AirPlay 2, driven by a sender written by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import plistlib

import pytest

from .virtual_receiver import SHAIRPORT_5_1_AIRPLAY_2, Cadence, Quirks
from .virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts
from .virtual_receiver.airplay2.hand_clock import CLOCK_ID, HandClock
from .virtual_receiver.airplay2.hand_pairing import RefusedError
from .virtual_receiver.airplay2.hand_sender import HandSender2
from .virtual_receiver.hand_sender import (
    FRAMES,
    NS_PER_S,
    RATE,
    HandSender,
    noise,
    now_ns,
)
from .virtual_receiver.pairing import Gate

pytestmark = pytest.mark.usefixtures("socket_enabled")

LEAD_NS = 150_000_000
TOLERANCE_NS = 2_000_000
SOUND = noise(20)
MORE = noise(20, seed=2)
PORTS = PtpPorts(0, 0, None, None)
SETTLE_S = 0.05
OFFSET_NS = 7 * NS_PER_S


def receiver(*, more: Quirks | None = None, **details: object) -> AirPlay2Receiver:
    """Make a receiver whose clock settles soon."""
    return AirPlay2Receiver(
        "Kitchen",
        quirks=more or quirks(),
        ptp=PORTS,
        cadence=Cadence(interval_s=0.1, first_interval_s=0.05),
        **details,  # type: ignore[arg-type]
    )


def quirks(**changes: object) -> Quirks:
    """Return quirks of a receiver whose clock settles soon."""
    return Quirks(**{"ptp_settle_s": SETTLE_S, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def kitchen() -> AsyncIterator[AirPlay2Receiver]:
    """Provide a receiver without quirks."""
    async with receiver() as kitchen:
        yield kitchen


@asynccontextmanager
async def playing(
    kitchen: AirPlay2Receiver, kind: int = 96, *, offset_ns: int = 0
) -> AsyncIterator[HandSender2]:
    """Connect a sender whose clock is known."""
    async with HandSender2(kitchen.host, kitchen.port) as hand:
        hand.clock = HandClock(kitchen.host, kitchen.ptp_ports, offset_ns=offset_ns)
        await hand.begin(kind)
        hand.clock.start()
        await kitchen.wait_until(lambda: kitchen.ptp.knows(CLOCK_ID, local_ns(kitchen)))
        yield hand


def local_ns(kitchen: AirPlay2Receiver) -> int:
    """Return what the receiver's clock shows."""
    return kitchen.clock.from_monotonic(now_ns())


def assert_on_time(kitchen: AirPlay2Receiver, heard_ns: int, sound: bytes) -> None:
    """Check that all of a sound was heard, beginning when it was announced."""
    heard = kitchen.heard(sound)
    assert heard.is_complete, (heard, kitchen.stats, kitchen.violations)
    assert heard.first_frame_ns is not None
    assert abs(heard.first_frame_ns - heard_ns) < TOLERANCE_NS


# --- realtime -----------------------------------------------------------------------


@pytest.mark.parametrize("offset_ns", [0, OFFSET_NS])
async def test_realtime_sound_is_heard_when_it_was_announced(
    kitchen: AirPlay2Receiver, offset_ns: int
) -> None:
    async with playing(kitchen, offset_ns=offset_ns) as hand:
        heard_ns = now_ns() + LEAD_NS
        hand.announce(heard_ns, hand.rtptime, offset_ns=offset_ns)
        hand.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)
        assert kitchen.syncs[0].is_accepted
        assert kitchen.violations == []


async def test_clock_of_the_receiver_may_drift() -> None:
    away = receiver(clock_offset_ns=OFFSET_NS, clock_drift_ppm=100.0)
    async with away as kitchen, playing(kitchen) as hand:
        heard_ns = now_ns() + LEAD_NS
        hand.announce(heard_ns, hand.rtptime)
        hand.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


async def test_lost_packets_are_asked_for_and_opened() -> None:
    async with receiver() as kitchen, playing(kitchen) as hand:
        heard_ns = now_ns() + 3 * LEAD_NS
        hand.announce(heard_ns, hand.rtptime)
        hand.send_audio(SOUND, lost=frozenset({4, 5, 9}))
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)
        assert [count for _, count in hand.asked] == [2, 1]


async def test_nothing_plays_by_the_clock_of_somebody_else(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as hand:
        hand.clock_id = CLOCK_ID + 1
        hand.announce(now_ns() + LEAD_NS, hand.rtptime)
        hand.send_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)

        assert not kitchen.is_playing
        assert kitchen.stats.sync_ignored == 1


async def test_announce_waits_for_the_clock() -> None:
    async with (
        receiver(more=quirks(ptp_settle_s=0.3)) as kitchen,
        HandSender2(kitchen.host, kitchen.port) as hand,
    ):
        hand.clock = HandClock(kitchen.host, kitchen.ptp_ports)
        await hand.begin()
        hand.clock.start()
        began_ns = now_ns()
        hand.announce(began_ns + LEAD_NS, hand.rtptime)
        hand.send_audio(noise(100))
        await kitchen.wait_playing()

        # 0.15 s to the second announce of its own, 0.3 s to settle
        assert kitchen.first_frame_ns is not None
        assert kitchen.first_frame_ns >= began_ns + 450_000_000
        assert kitchen.stats.missing > 0


async def test_packet_that_cannot_be_opened_is_not_played(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as hand:
        hand.announce(now_ns() + LEAD_NS, hand.rtptime)
        hand.key = bytes(32)
        hand.send_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.malformed == 20)

        assert not kitchen.is_playing


async def test_flush_drops_what_is_queued_and_the_next_line_plays(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as hand:
        hand.announce(now_ns() + 60 * NS_PER_S, hand.rtptime)
        hand.send_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        point = {"RTP-Info": f"seq={hand.sequence};rtptime={hand.rtptime}"}
        assert (await hand.ask("FLUSH", headers=point)).status == 200

        heard_ns = now_ns() + LEAD_NS
        hand.announce(heard_ns, hand.rtptime)
        hand.send_audio(MORE)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, MORE)
        assert kitchen.stats.flushed == 20


async def test_stream_may_be_set_up_again_in_the_same_session(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as hand:
        assert hand.clock
        reply = await hand.ask("TEARDOWN", body={"streams": [{"type": 96}]})
        assert reply.status == 200
        assert kitchen.has_session
        await hand.set_up_stream()
        assert not kitchen.ptp.knows(CLOCK_ID, local_ns(kitchen))

        await kitchen.wait_until(lambda: kitchen.ptp.knows(CLOCK_ID, local_ns(kitchen)))
        heard_ns = now_ns() + LEAD_NS
        hand.announce(heard_ns, hand.rtptime)
        hand.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)
        assert_on_time(kitchen, heard_ns, SOUND)


async def test_realtime_by_ntp(kitchen: AirPlay2Receiver) -> None:
    async with HandSender2(kitchen.host, kitchen.port) as hand:
        await hand.begin(timing="NTP")
        await kitchen.wait_until(lambda: kitchen.stats.timing_answers > 0)
        classic = HandSender(kitchen.host, kitchen.port)
        classic.control = hand.control
        classic.ports = {"control_port": hand.ports["controlPort"]}
        heard_ns = now_ns() + LEAD_NS
        classic.sync(heard_ns, hand.rtptime)
        hand.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


# --- buffered ------------------------------------------------------------------------


async def test_buffered_sound_is_heard_by_its_anchor(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen, 103) as hand:
        rtptime, heard_ns = hand.rtptime, now_ns() + LEAD_NS
        hand.buffer_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        assert not kitchen.is_playing
        assert (await hand.ask("SETRATEANCHORTIME", body={"rate": 1})).status == 200
        assert (await hand.anchor(heard_ns, rtptime)).status == 200
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)
        assert kitchen.violations == []


async def test_buffered_pause_and_resume_lose_nothing(
    kitchen: AirPlay2Receiver,
) -> None:
    sound = noise(60)
    async with playing(kitchen, 103) as hand:
        rtptime = hand.rtptime
        hand.buffer_audio(sound)
        await hand.anchor(now_ns() + LEAD_NS, rtptime)
        await kitchen.wait_frames(10 * FRAMES)
        await hand.ask("SETRATEANCHORTIME", body={"rate": 0})
        stopped = kitchen.recording.frames
        assert not kitchen.is_playing

        heard_ns = now_ns() + LEAD_NS
        await hand.anchor(heard_ns, rtptime + stopped & 0xFFFFFFFF)
        await kitchen.wait_frames(60 * FRAMES)

        assert kitchen.pcm == sound
        later = kitchen.heard(sound[stopped * 4 :], after_ns=heard_ns - TOLERANCE_NS)
        assert later.first_frame_ns is not None
        assert abs(later.first_frame_ns - heard_ns) < TOLERANCE_NS


async def test_pause_may_lose_what_was_decoded() -> None:
    settled = {"ptp_settle_s": SETTLE_S, "loses_on_pause_s": 0.08}
    async with (
        receiver(more=quirks(**settled)) as kitchen,
        playing(kitchen, 103) as hand,
    ):
        hand.buffer_audio(noise(60))
        await hand.anchor(now_ns() + LEAD_NS, hand.rtptime - 60 * FRAMES & 0xFFFFFFFF)
        await kitchen.wait_frames(10 * FRAMES)
        await hand.ask("SETRATEANCHORTIME", body={"rate": 0})

        assert kitchen.stats.flushed in (10, 11)


async def test_buffered_flush_now(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen, 103) as hand:
        await hand.anchor(now_ns() + 60 * NS_PER_S, hand.rtptime)
        hand.buffer_audio(SOUND)
        until = {"flushUntilSeq": hand.sequence, "flushUntilTS": hand.rtptime}
        # what is still on its way is dropped as well
        assert (await hand.ask("FLUSHBUFFERED", body=until)).status == 200
        heard_ns, rtptime = now_ns() + LEAD_NS, hand.rtptime
        hand.buffer_audio(MORE)
        await hand.anchor(heard_ns, rtptime)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, MORE)
        assert kitchen.stats.flushed == 20
        assert kitchen.pcm == MORE


async def test_buffered_flush_later_makes_a_gapless_cut(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen, 103) as hand:
        heard_ns, rtptime, sequence = now_ns() + LEAD_NS, hand.rtptime, hand.sequence
        hand.buffer_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        await hand.anchor(heard_ns, rtptime)
        cut = rtptime + 8 * FRAMES & 0xFFFFFFFF
        body = {
            "flushFromSeq": sequence + 8,
            "flushFromTS": cut,
            "flushUntilSeq": hand.sequence,
            "flushUntilTS": cut,
        }
        await hand.ask("FLUSHBUFFERED", body=body)
        hand.rtptime = cut
        hand.buffer_audio(MORE)
        await kitchen.wait_frames(28 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND[: 8 * FRAMES * 4] + MORE)


async def test_full_buffer_makes_the_sender_wait() -> None:
    small = quirks(buffer_bytes=50_000)
    async with receiver(more=small) as kitchen, playing(kitchen, 103) as hand:
        assert hand.ports["audioBufferSize"] == 50_000
        packets = 1000
        sound, rtptime = noise(packets), hand.rtptime
        hand.buffer_audio(sound)
        assert hand.data
        await kitchen.wait_until(lambda: kitchen.stats.packets == 35)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await hand.data.drain()
        assert kitchen.stats.packets == 35

        # the 35 packets that fit are heard, and others take their places
        await hand.anchor(now_ns() + LEAD_NS, rtptime)
        await kitchen.wait_frames(60 * FRAMES)
        assert kitchen.pcm[: 60 * FRAMES * 4] == sound[: 60 * FRAMES * 4]


@pytest.mark.parametrize(
    ("ssrc", "rate"), [(0xFACE, 44100.0), (0x17000000, 48000.0), (0, 0.0)]
)
async def test_feedback_tells_whether_a_codec_is_known(
    kitchen: AirPlay2Receiver, ssrc: int, rate: float
) -> None:
    async with playing(kitchen, 103) as hand:
        hand.ssrc = ssrc
        hand.buffer_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        await hand.anchor(now_ns() + 60 * NS_PER_S, hand.rtptime)

        reply = await hand.ask("POST", "/feedback")

        assert plistlib.loads(reply.body) == {"streams": [{"type": 103, "sr": rate}]}


async def test_feedback_says_nothing_for_a_wrong_clock(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen, 103) as hand:
        hand.buffer_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)
        hand.clock_id += 1
        assert (await hand.anchor(now_ns() + LEAD_NS, hand.rtptime)).status == 200
        reply = await hand.ask("POST", "/feedback")

        assert plistlib.loads(reply.body) == {"streams": [{"type": 103, "sr": 0.0}]}
        assert not kitchen.is_playing


async def test_anchor_may_be_refused_until_the_clock_is_known() -> None:
    strict = quirks(anchor_needs_clock=True)
    async with (
        receiver(more=strict) as kitchen,
        HandSender2(kitchen.host, kitchen.port) as hand,
    ):
        await hand.begin(103)
        reply = await hand.anchor(now_ns() + LEAD_NS, hand.rtptime)

        assert reply.status == 400


# --- pairing and control -----------------------------------------------------------------


async def test_password_is_what_a_sender_proves() -> None:
    async with receiver(password="open sesame") as kitchen:
        assert kitchen.airplay_txt({})["flags"] == "0x84"
        async with HandSender2(kitchen.host, kitchen.port) as hand:
            with pytest.raises(RefusedError):
                await hand.pair("3939")
        async with HandSender2(kitchen.host, kitchen.port) as hand:
            await hand.pair("open sesame")
            assert (await hand.set_up_session()).status == 200


async def test_password_may_be_asked_for_at_setup() -> None:
    homepod = quirks(setup_wants_digest=True)
    async with receiver(more=homepod, password="secret") as kitchen:
        async with HandSender2(kitchen.host, kitchen.port) as hand:
            await hand.pair()
            reply = await hand.set_up_session()

        assert reply.status == 401
        assert reply.headers["WWW-Authenticate"].startswith('Digest realm="raop"')
        assert not kitchen.has_session


async def test_code_pairs_for_good() -> None:
    gate = Gate("home_kit", "0427")
    async with receiver(gate=gate) as kitchen:
        assert not kitchen.features >> 48 & 1
        async with HandSender2(kitchen.host, kitchen.port) as hand:
            await hand.pair_for_good("0427")
            await hand.verify()
            assert (await hand.set_up_session()).status == 200
        assert len(gate.senders) == 1


async def test_setup_without_encryption_is_refused(kitchen: AirPlay2Receiver) -> None:
    async with HandSender2(kitchen.host, kitchen.port) as hand:
        assert (await hand.set_up_session()).status == 470


async def test_info_is_told_before_pairing(kitchen: AirPlay2Receiver) -> None:
    async with HandSender2(kitchen.host, kitchen.port) as hand:
        info = plistlib.loads((await hand.ask("GET", "/info")).body)
        txt = await hand.ask("GET", "/info", body={"qualifier": ["txtAirPlay"]})

    assert info["deviceID"] == "0A:0B:0C:0D:0E:01"
    assert info["features"] == kitchen.features
    record = f"features={kitchen.airplay_txt({})['features']}".encode()
    assert bytes([len(record)]) + record in plistlib.loads(txt.body)["txtAirPlay"]


async def test_classic_sender_is_served_as_well(kitchen: AirPlay2Receiver) -> None:
    async with HandSender(kitchen.host, kitchen.port) as hand:
        await hand.begin()
        heard_ns = hand.play(SOUND, LEAD_NS / 1e9)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


async def test_event_channel_tells_and_asks(kitchen: AirPlay2Receiver) -> None:
    async with HandSender2(kitchen.host, kitchen.port) as hand:
        await hand.pair()
        await hand.set_up_session()
        reader, channel = await hand.open_events()
        greeting = await channel.read(reader)
        head, _, body = greeting.partition(b"\r\n\r\n")

        assert head.startswith(b"POST /command RTSP/1.0\r\n")
        assert b"cseq" not in head.lower()
        assert plistlib.loads(body)["type"] == "updateInfo"
        hand.answer_event(None)

        kitchen.command("paus")
        head, _, body = (await channel.read(reader)).partition(b"\r\n\r\n")
        assert b"CSeq: 1" in head
        assert plistlib.loads(body) == {
            "type": "sendMediaRemoteCommand",
            "value": "paus",
        }
        hand.answer_event("1")
        events = kitchen.events
        assert events
        await kitchen.wait_until(lambda: events.replies == [200, 200])


async def test_volume_and_song_are_taken(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen) as hand:
        kind = "text/parameters"
        await hand.ask("SET_PARAMETER", body=b"volume: -12.5\r\n", content_type=kind)
        title = b"minm\0\0\0\x04Song"
        mlit = b"mlit" + len(title).to_bytes(4) + title
        await hand.ask(
            "SET_PARAMETER",
            body=mlit,
            headers={"RTP-Info": "rtptime=1"},
            content_type="application/x-dmap-tagged",
        )
        reply = await hand.ask("GET_PARAMETER", body=b"volume\r\n", content_type=kind)

        assert reply.body == b"volume: -12.500000\r\n\r\n"
        assert kitchen.song.title == "Song"
        assert kitchen.violations == []


async def test_second_sender_ends_the_first(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen) as first:
        reader, channel = await first.open_events()
        await channel.read(reader)
        async with HandSender2(kitchen.host, kitchen.port) as second:
            await second.begin()

            assert await reader.read() == b""
            assert await first.reader.read() == b""
            assert kitchen.has_session


async def test_teardown_ends_session_and_events(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen) as hand:
        reader, channel = await hand.open_events()
        await channel.read(reader)
        reply = await hand.ask("TEARDOWN", body={})

        assert reply.headers["Connection"] == "close"
        assert await reader.read() == b""
        assert not kitchen.has_session


async def test_shairport_refuses_ntp_with_an_empty_answer() -> None:
    async with (
        receiver(more=SHAIRPORT_5_1_AIRPLAY_2) as kitchen,
        HandSender2(kitchen.host, kitchen.port) as hand,
    ):
        await hand.pair()
        reply = await hand.set_up_session(timing="NTP")

        assert (reply.status, reply.body) == (200, b"")
        assert not kitchen.has_session


async def test_receiver_that_needs_record_first_stays_silent() -> None:
    samsung = quirks(needs_record_first=True)
    async with (
        receiver(more=samsung) as kitchen,
        HandSender2(kitchen.host, kitchen.port) as hand,
    ):
        hand.clock = HandClock(kitchen.host, kitchen.ptp_ports)
        await hand.pair()
        await hand.set_up_session()
        await hand.set_up_stream()
        await hand.ask("RECORD")
        hand.clock.start()
        await kitchen.wait_until(lambda: kitchen.ptp.knows(CLOCK_ID, local_ns(kitchen)))
        hand.announce(now_ns() + LEAD_NS, hand.rtptime)
        hand.send_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.sync_packets == 1)
        kitchen.poll()

        assert kitchen.stats.packets == 0


async def test_stream_may_need_the_event_channel() -> None:
    apple = quirks(needs_events_first=True)
    async with (
        receiver(more=apple) as kitchen,
        HandSender2(kitchen.host, kitchen.port) as hand,
    ):
        await hand.pair()
        await hand.set_up_session()
        assert (await hand.set_up_stream()).status == 500
        reader, channel = await hand.open_events()
        await channel.read(reader)
        assert (await hand.set_up_stream()).status == 200


async def test_bodies_that_cannot_be_read_are_refused(
    kitchen: AirPlay2Receiver,
) -> None:
    async with HandSender2(kitchen.host, kitchen.port) as hand:
        await hand.pair()
        for body in (b"bplist00garbage", b"x" * 100_000, b"bplist00" + bytes(32)):
            assert (await hand.ask("SETUP", body=body)).status == 400
        assert (await hand.ask("SETUP", body={"timingProtocol": "PTP"})).status == 400
        assert (await hand.anchor(0, 0)).status == 455
        assert (await hand.set_up_stream()).status == 455
        await hand.set_up_session()
        assert (await hand.set_up_stream(shk=b"short")).status == 400
        assert (await hand.set_up_stream(105)).status == 400
        assert len(kitchen.violations) == 8


# --- the clock ---------------------------------------------------------------------------


async def test_two_announces_show_that_the_clock_was_heard(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as hand:
        assert hand.clock
        assert hand.clock.kinds() == [11, 11]
        assert [packet[47] for packet in hand.clock.heard] == [127, 129]


async def test_clock_that_is_no_gptp_is_not_followed(
    kitchen: AirPlay2Receiver,
) -> None:
    async with HandSender2(kitchen.host, kitchen.port) as hand:
        hand.clock = HandClock(kitchen.host, kitchen.ptp_ports, sdo=0)
        await hand.begin()
        hand.clock.start()
        await kitchen.wait_until(lambda: kitchen.ptp.stats.malformed > 2)

        assert kitchen.ptp.master is None


async def test_clock_from_another_address_is_not_followed(
    kitchen: AirPlay2Receiver,
) -> None:
    async with HandSender2(kitchen.host, kitchen.port) as hand:
        ports = kitchen.ptp_ports
        hand.clock = HandClock(kitchen.host, ports, local="127.0.0.9")
        await hand.begin()
        hand.clock.start()
        await kitchen.wait_until(lambda: kitchen.ptp.stats.strangers > 2)

        assert kitchen.ptp.master is None


async def test_clock_from_a_wrong_port_is_not_followed() -> None:
    strict = AirPlay2Receiver(quirks=quirks(), ptp=PtpPorts(0, 0))
    async with strict as kitchen, HandSender2(kitchen.host, kitchen.port) as hand:
        hand.clock = HandClock(kitchen.host, kitchen.ptp_ports)
        await hand.begin()
        hand.clock.start()
        await kitchen.wait_until(lambda: kitchen.ptp.stats.wrong_ports > 2)

        assert kitchen.ptp.master is None


async def test_way_to_the_clock_is_measured_by_delay_requests() -> None:
    sonos = quirks(sends_delay_req=True, delay_req_after_s=0.0)
    async with receiver(more=sonos) as kitchen, playing(kitchen) as hand:
        assert hand.clock
        assert hand.clock.kinds().count(1) >= 3
        assert kitchen.ptp.stats.delay_answers >= 3
        heard_ns = now_ns() + LEAD_NS
        hand.announce(heard_ns, hand.rtptime)
        hand.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)
        assert_on_time(kitchen, heard_ns, SOUND)


async def test_receiver_with_a_clock_of_its_own_tells_it_and_plays_by_it() -> None:
    homepod = quirks(keeps_own_clock=True)
    async with (
        receiver(more=homepod) as kitchen,
        HandSender2(kitchen.host, kitchen.port) as hand,
    ):
        clock = hand.clock = HandClock(kitchen.host, kitchen.ptp_ports)
        await hand.begin()
        # its answers go to the port that was heard last, where none is told
        clock.announce()
        clock.sync()
        clock.listen()
        told = await asyncio.wait_for(clock.told(), 5)
        ranks = {packet[47] for packet in clock.heard if packet[0] & 0xF == 11}
        assert ranks == {248}

        assert kitchen.ptp.master is not None
        hand.clock_id = kitchen.ptp.master
        heard_ns = now_ns() + LEAD_NS
        hand.announce(heard_ns, hand.rtptime, offset_ns=told)
        hand.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)
        assert_on_time(kitchen, heard_ns, SOUND)


async def test_sound_goes_on_when_the_clock_falls_silent(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as hand:
        assert hand.clock
        hand.clock.stop()
        heard_ns = now_ns() + LEAD_NS
        hand.announce(heard_ns, hand.rtptime)
        hand.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


def test_features_follow_the_quirks() -> None:
    def bits(**changes: bool) -> set[int]:
        features = AirPlay2Receiver(quirks=quirks(**changes)).features
        return {bit for bit in (38, 40, 41, 48) if features >> bit & 1}

    assert bits() == {38, 40, 41, 48}
    assert bits(takes_buffered=False) == {38, 41, 48}
    assert bits(takes_ptp=False) == {38, 40, 48}
    assert bits(encrypts_control=False) == {40, 41, 48}
    assert RATE == 44100
