"""Quirks of what receivers demand, refuse and leave unanswered, by AirPlay 2."""

import asyncio
import time

import pytest

from tests.virtual_receiver.reference.airplay2_playback import (
    LEAD_NS,
    SOUND,
    assert_on_time,
    playing,
    quirks,
    receiver,
)
from tests.virtual_receiver.reference.airplay2_sender import AirPlay2ReferenceSender
from tests.virtual_receiver.reference.raop_sender import (
    FRAMES,
    RaopReferenceSender,
    now_ns,
)


async def test_quirks_of_airplay_1_leave_airplay_2_alone() -> None:
    more = quirks(
        raop_refuse={"ANNOUNCE": 500, "RECORD": 500},
        raop_unanswered=frozenset({"SETUP", "RECORD"}),
        raop_accepted_and_silent=True,
    )
    async with receiver(more=more) as kitchen:
        async with RaopReferenceSender(kitchen.host, kitchen.port) as sender:
            assert (await sender.announce()).status == 500
        async with playing(kitchen) as sender2:
            heard_ns = now_ns() + LEAD_NS
            sender2.announce(heard_ns, sender2.rtptime)
            sender2.send_audio(SOUND)
            await kitchen.wait_frames(20 * FRAMES)
            assert_on_time(kitchen, heard_ns, SOUND)


async def test_session_with_ntp_is_accepted_and_its_stream_is_not() -> None:
    async with (
        receiver(more=quirks(ntp_stream_setup_400=True)) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        await sender.pair()
        assert (await sender.set_up_session(timing="NTP")).status == 200
        assert sender.told["skipRecord"] is True
        reply = await sender.set_up_stream()
        assert (reply.status, reply.body) == (400, b"")


async def test_session_with_ntp_is_accepted_and_silent() -> None:
    async with (
        receiver(more=quirks(ntp_accepted_and_silent=True)) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        await sender.begin(timing="NTP")
        sender.send_audio(SOUND)
        await asyncio.sleep(0.3)

        assert kitchen.first_frame_ns is None
        assert kitchen.stats.timing_requests == 0


async def test_bare_rate_is_refused() -> None:
    more = quirks(refuses_bare_rate=True)
    async with receiver(more=more) as kitchen, playing(kitchen, 103) as sender:
        reply = await sender.ask("SETRATEANCHORTIME", body={"rate": 1})
        assert reply.status == 400
        sender.buffer_audio(SOUND)
        heard_ns = now_ns() + 2 * LEAD_NS
        assert (await sender.anchor(heard_ns, 0xFFFFF000)).status == 200
        await kitchen.wait_frames(20 * FRAMES)
        assert_on_time(kitchen, heard_ns, SOUND)
        reply = await sender.ask("SETRATEANCHORTIME", body={"rate": 0})
        assert reply.status == 200


@pytest.mark.parametrize("is_early", [True, False])
async def test_realtime_starves_without_its_depth(*, is_early: bool) -> None:
    more = quirks(starves_below_ms=300)
    async with receiver(more=more) as kitchen, playing(kitchen) as sender:
        heard_ns = now_ns() + (500_000_000 if is_early else 100_000_000)
        sender.announce(heard_ns, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)
        if is_early:
            assert_on_time(kitchen, heard_ns, SOUND)
        else:
            assert kitchen.first_frame_ns is None
            assert sender.asked == []


async def test_realtime_starves_by_the_arrival_of_what_waited_for_the_line() -> None:
    more = quirks(starves_below_ms=300)
    async with receiver(more=more) as kitchen, playing(kitchen) as sender:
        heard_ns, begin = now_ns() + 400_000_000, sender.rtptime
        sender.send_audio(SOUND)
        await asyncio.sleep(0.2)
        sender.announce(heard_ns, begin)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


async def test_buffered_stream_does_not_starve() -> None:
    more = quirks(starves_below_ms=2500)
    async with receiver(more=more) as kitchen, playing(kitchen, 103) as sender:
        sender.buffer_audio(SOUND)
        heard_ns = now_ns() + 2 * LEAD_NS
        await sender.anchor(heard_ns, 0xFFFFF000)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


async def test_clock_is_measured_and_not_claimed() -> None:
    more = quirks(claims_clock=False, sends_delay_req=True, delay_req_after_s=0.0)
    async with receiver(more=more) as kitchen, playing(kitchen) as sender:
        assert sender.clock
        assert sender.clock.kinds().count(1) >= 3
        assert kitchen.ptp.stats.announces_sent == 0


async def test_event_port_is_closed() -> None:
    async with (
        receiver(more=quirks(closes_event_port=True)) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        await sender.begin()
        with pytest.raises(ConnectionRefusedError):
            await sender.open_events()


async def test_event_port_opens_late() -> None:
    async with (
        receiver(more=quirks(event_port_opens_after_s=0.3)) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        await sender.begin()
        with pytest.raises(ConnectionRefusedError):
            await sender.open_events()
        began, is_open = time.monotonic(), False
        while not is_open and time.monotonic() - began < 5:
            await asyncio.sleep(0.05)
            try:
                await sender.open_events()
                is_open = True
            except ConnectionRefusedError:
                continue
        assert is_open
        assert kitchen.events
        await kitchen.wait_until(
            lambda: bool(kitchen.events and kitchen.events.is_open)
        )


async def test_event_port_never_reacts() -> None:
    async with (
        receiver(more=quirks(drops_event_syn=True)) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        await sender.begin()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await sender.open_events()
        assert kitchen.events
        assert kitchen.events.connections == 0
