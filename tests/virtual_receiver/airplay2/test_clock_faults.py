"""The clock and the faults of the virtual AirPlay 2 receiver."""

import asyncio
from dataclasses import replace

import pytest
from pytest_socket import socket_allow_hosts

from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts
from tests.virtual_receiver.reference.airplay2_clock import ReferenceClock
from tests.virtual_receiver.reference.airplay2_playback import (
    LEAD_NS,
    MORE,
    SOUND,
    assert_on_time,
    knows_clock,
    playing,
    quirks,
    receiver,
)
from tests.virtual_receiver.reference.airplay2_sender import AirPlay2ReferenceSender
from tests.virtual_receiver.reference.raop_sender import FRAMES, now_ns


async def test_two_announces_show_that_the_clock_was_received(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as sender:
        assert sender.clock
        assert sender.clock.kinds() == [11, 11]
        assert [packet[47] for packet in sender.clock.heard] == [127, 129]


async def test_clock_that_is_no_gptp_is_not_followed(
    kitchen: AirPlay2Receiver,
) -> None:
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        sender.clock = ReferenceClock(kitchen.host, kitchen.ptp_ports, sdo=0)
        await sender.begin()
        sender.clock.start()
        await kitchen.wait_until(lambda: kitchen.ptp.stats.malformed > 2)

        assert kitchen.ptp.master is None


async def test_clock_from_another_address_is_not_followed(
    kitchen: AirPlay2Receiver,
) -> None:
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        ports = kitchen.ptp_ports
        sender.clock = ReferenceClock(kitchen.host, ports, local="127.0.0.9")
        await sender.begin()
        sender.clock.start()
        await kitchen.wait_until(lambda: kitchen.ptp.stats.strangers > 2)

        assert kitchen.ptp.master is None


async def test_clock_from_a_wrong_port_is_not_followed() -> None:
    strict = AirPlay2Receiver(quirks=quirks(), ptp=PtpPorts(0, 0))
    async with (
        strict as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        sender.clock = ReferenceClock(kitchen.host, kitchen.ptp_ports)
        await sender.begin()
        sender.clock.start()
        await kitchen.wait_until(lambda: kitchen.ptp.stats.wrong_ports > 2)

        assert kitchen.ptp.master is None


async def test_path_to_the_clock_is_measured_by_delay_requests() -> None:
    sonos = quirks(sends_delay_req=True, delay_req_after_s=0.0)
    async with receiver(more=sonos) as kitchen, playing(kitchen) as sender:
        assert sender.clock
        assert sender.clock.kinds().count(1) >= 3
        assert kitchen.ptp.stats.delay_answers >= 3
        heard_ns = now_ns() + LEAD_NS
        sender.announce(heard_ns, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)
        assert_on_time(kitchen, heard_ns, SOUND)


async def test_receiver_with_its_own_clock_announces_it_and_plays_by_it() -> None:
    homepod = quirks(keeps_own_clock=True)
    async with (
        receiver(more=homepod) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        clock = sender.clock = ReferenceClock(kitchen.host, kitchen.ptp_ports)
        await sender.begin()
        # its answers go to the source port of the last packet, if none is set
        clock.announce()
        clock.sync()
        clock.listen()
        told = await asyncio.wait_for(clock.told(), 20)
        ranks = {packet[47] for packet in clock.heard if packet[0] & 0xF == 11}
        assert ranks == {248}

        assert kitchen.ptp.master is not None
        sender.clock_id = kitchen.ptp.master
        heard_ns = now_ns() + LEAD_NS
        sender.announce(heard_ns, sender.rtptime, offset_ns=told)
        sender.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)
        assert_on_time(kitchen, heard_ns, SOUND)


async def test_sound_continues_when_the_clock_falls_silent(
    kitchen: AirPlay2Receiver,
) -> None:
    async with playing(kitchen) as sender:
        assert sender.clock
        sender.clock.stop()
        heard_ns = now_ns() + LEAD_NS
        sender.announce(heard_ns, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


async def test_clock_on_the_real_ports() -> None:
    # addresses that no other socket on this machine has
    host, local = "127.0.63.19", "127.0.63.20"
    socket_allow_hosts([host])
    kitchen = AirPlay2Receiver(host=host, quirks=quirks())
    try:
        await kitchen.start()
    except PermissionError:
        pytest.skip("only root may listen on UDP 319 and 320")
    try:
        async with AirPlay2ReferenceSender(host, kitchen.port, local) as sender:
            ports = (319, 320)
            sender.clock = ReferenceClock(host, ports, local=local, own_ports=ports)
            await sender.begin()
            sender.clock.start()
            await kitchen.wait_until(lambda: knows_clock(kitchen))
            assert sender.clock.kinds() == [11, 11]
    finally:
        await kitchen.stop()


async def test_receiver_may_stay_silent_until_metadata_came() -> None:
    sonos = quirks(needs_metadata=True)
    async with receiver(more=sonos) as kitchen, playing(kitchen) as sender:
        sender.announce(now_ns() + 4 * LEAD_NS, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.sync_packets == 1)
        kitchen.poll()
        assert kitchen.stats.packets == 0
        await sender.ask(
            "SET_PARAMETER",
            body=b"mlit\0\0\0\0",
            headers={"RTP-Info": "rtptime=1"},
            content_type="application/x-dmap-tagged",
        )
        sender.send_audio(MORE)
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)


async def test_pulled_cable_stops_a_buffered_stream() -> None:
    async with receiver() as kitchen, playing(kitchen, 103) as sender:
        kitchen.unplug()
        sender.buffer_audio(SOUND)
        kitchen.poll()
        assert kitchen.stats.packets <= 1
        kitchen.plug_in()
        await kitchen.wait_until(lambda: kitchen.stats.packets == 20)


async def test_feedback_may_stay_unanswered() -> None:
    mute = quirks(unanswered=frozenset({"/feedback"}))
    async with receiver(more=mute) as kitchen, playing(kitchen) as sender:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await sender.ask("POST", "/feedback")
        reply = await sender.ask("POST", "/command", body={"type": "x"})
        assert reply.headers["CSeq"] == str(len(kitchen.requests))


async def test_quirks_may_change_between_sessions(kitchen: AirPlay2Receiver) -> None:
    kitchen.quirks = replace(kitchen.quirks, takes_buffered=False)
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        await sender.pair()
        await sender.set_up_session()
        assert (await sender.set_up_stream(103)).status == 400
    assert not kitchen.features >> 40 & 1


async def test_frame_that_is_too_long_ends_the_connection(
    kitchen: AirPlay2Receiver,
) -> None:
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        await sender.pair()
        sender.writer.write(b"\xff\xff" + bytes(100))

        await sender.reader.read()
        assert kitchen.violations == ["RTSP: frame of 65535 bytes"]


async def test_data_without_length_ends_the_stream(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen, 103) as sender:
        assert sender.data
        sender.data.write(b"\0\1")
        await kitchen.wait_until(lambda: bool(kitchen.violations))

        assert kitchen.violations == ["buffered packet of 1 bytes"]
