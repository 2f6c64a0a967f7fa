"""Pairing and control of the virtual AirPlay 2 receiver, by a hand-written sender."""

import asyncio
import json
from pathlib import Path
import plistlib
import sys

import pytest
from pytest_socket import socket_allow_hosts
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from tests.virtual_receiver import SHAIRPORT_5_1_AIRPLAY_2, Advertisement
from tests.virtual_receiver.airplay2 import AirPlay2Receiver
from tests.virtual_receiver.airplay2.txt import told
from tests.virtual_receiver.network.mdns import AIRPLAY
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.raop.digest import digest
from tests.virtual_receiver.reference.airplay2_clock import ReferenceClock
from tests.virtual_receiver.reference.airplay2_pairing import RefusedError
from tests.virtual_receiver.reference.airplay2_playback import (
    LEAD_NS,
    SOUND,
    assert_on_time,
    knows_clock,
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


async def test_sender_must_prove_the_password() -> None:
    async with receiver(password="open sesame") as kitchen:
        assert kitchen.airplay_txt({})["flags"] == "0x84"
        async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
            with pytest.raises(RefusedError):
                await sender.pair("3939")
        async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
            await sender.pair("open sesame")
            assert (await sender.set_up_session()).status == 200


async def test_password_may_be_asked_for_at_setup() -> None:
    homepod = quirks(setup_wants_digest=True)
    async with (
        receiver(more=homepod, password="secret") as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        await sender.pair()
        reply = await sender.set_up_session()
        asked = reply.headers["WWW-Authenticate"]
        assert reply.status == 401
        assert not kitchen.has_session

        uri, nonce = f"rtsp://{sender.local}/42", asked.split('"')[3]
        proof = digest("iTunes", "secret", "SETUP", uri, nonce)
        answer = (
            f'Digest username="iTunes", realm="raop", nonce="{nonce}", '
            f'uri="{uri}", response="{proof}"'
        )
        reply = await sender.set_up_session(headers={"Authorization": answer})
        assert reply.status == 200


async def test_code_pairs_for_good() -> None:
    gate = Gate("home_kit", "0427")
    async with receiver(gate=gate) as kitchen:
        assert not kitchen.features >> 48 & 1
        async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
            await sender.pair_for_good("0427")
            await sender.verify()
            assert (await sender.set_up_session()).status == 200
        assert len(gate.senders) == 1


async def test_setup_without_encryption_is_refused(kitchen: AirPlay2Receiver) -> None:
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        assert (await sender.set_up_session()).status == 470


async def test_info_is_answered_before_pairing(kitchen: AirPlay2Receiver) -> None:
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        info = plistlib.loads((await sender.ask("GET", "/info")).body)
        txt = await sender.ask("GET", "/info", body={"qualifier": ["txtAirPlay"]})

    assert info["deviceID"] == "0A:0B:0C:0D:0E:01"
    assert info["features"] == kitchen.features
    record = f"features={kitchen.airplay_txt({})['features']}".encode()
    assert bytes([len(record)]) + record in plistlib.loads(txt.body)["txtAirPlay"]


@pytest.mark.parametrize("by_query", [True, False])
async def test_records_are_added_to_the_info_that_names_them(by_query: bool) -> None:
    async with (
        receiver(more=quirks(info_has_txt_on_request=True)) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        plain = plistlib.loads((await sender.ask("GET", "/info")).body)
        if by_query:
            reply = await sender.ask("GET", "/info?txtAirPlay&txtRAOP")
        else:
            named = {"qualifier": ["txtAirPlay", "txtRAOP"]}
            reply = await sender.ask("GET", "/info", body=named)
        info = plistlib.loads(reply.body)

        assert info.pop("txtAirPlay") == told(kitchen.airplay_txt({}))
        assert info.pop("txtRAOP") == told(kitchen.txt)
        assert info == plain


async def test_info_is_kept_from_other_agents() -> None:
    async with (
        receiver(more=quirks(info_needs_airplay_user_agent=True)) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        agent = {"User-Agent": "curl/8.0"}
        refused = await sender.ask("GET", "/info", headers=agent)
        agent = {"User-Agent": "AirPlay/980.77"}
        answered = await sender.ask("GET", "/info", headers=agent)

    assert (refused.status, answered.status) == (403, 200)


async def test_classic_sender_is_served_as_well(kitchen: AirPlay2Receiver) -> None:
    async with RaopReferenceSender(kitchen.host, kitchen.port) as sender:
        await sender.begin()
        heard_ns = sender.play(SOUND, LEAD_NS / 1e9)
        await kitchen.wait_frames(20 * FRAMES)

        assert_on_time(kitchen, heard_ns, SOUND)


async def test_event_channel_sends_updates_and_requests(
    kitchen: AirPlay2Receiver,
) -> None:
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        await sender.pair()
        await sender.set_up_session()
        reader, channel = await sender.open_events()
        greeting = await channel.read(reader)
        head, _, body = greeting.partition(b"\r\n\r\n")

        assert head.startswith(b"POST /command RTSP/1.0\r\n")
        assert b"cseq" not in head.lower()
        assert plistlib.loads(body)["type"] == "updateInfo"
        sender.answer_event(None)

        kitchen.command("paus")
        head, _, body = (await channel.read(reader)).partition(b"\r\n\r\n")
        assert b"CSeq: 1" in head
        assert plistlib.loads(body) == {
            "type": "sendMediaRemoteCommand",
            "value": "paus",
        }
        sender.answer_event("1")
        events = kitchen.events
        assert events
        await kitchen.wait_until(lambda: events.replies == [200, 200])


async def test_volume_and_song_are_accepted(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen) as sender:
        kind = "text/parameters"
        await sender.ask("SET_PARAMETER", body=b"volume: -12.5\r\n", content_type=kind)
        title = b"minm\0\0\0\x04Song"
        mlit = b"mlit" + len(title).to_bytes(4) + title
        await sender.ask(
            "SET_PARAMETER",
            body=mlit,
            headers={"RTP-Info": "rtptime=1"},
            content_type="application/x-dmap-tagged",
        )
        reply = await sender.ask("GET_PARAMETER", body=b"volume\r\n", content_type=kind)

        assert reply.body == b"volume: -12.500000\r\n\r\n"
        assert kitchen.song.title == "Song"
        assert kitchen.violations == []


async def test_second_sender_ends_the_first(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen) as first:
        reader, channel = await first.open_events()
        await channel.read(reader)
        async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as second:
            await second.begin()

            assert await reader.read() == b""
            assert await first.reader.read() == b""
            assert kitchen.has_session


async def test_teardown_ends_session_and_events(kitchen: AirPlay2Receiver) -> None:
    async with playing(kitchen) as sender:
        reader, channel = await sender.open_events()
        await channel.read(reader)
        reply = await sender.ask("TEARDOWN", body={})

        assert reply.headers["Connection"] == "close"
        assert await reader.read() == b""
        assert not kitchen.has_session


async def test_shairport_refuses_ntp_with_an_empty_answer() -> None:
    async with (
        receiver(more=SHAIRPORT_5_1_AIRPLAY_2) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        await sender.pair()
        reply = await sender.set_up_session(timing="NTP")

        assert (reply.status, reply.body) == (200, b"")
        assert not kitchen.has_session


async def test_receiver_that_needs_record_first_stays_silent() -> None:
    samsung = quirks(needs_record_first=True)
    async with (
        receiver(more=samsung) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        sender.clock = ReferenceClock(kitchen.host, kitchen.ptp_ports)
        await sender.pair()
        await sender.set_up_session()
        await sender.set_up_stream()
        await sender.ask("RECORD")
        sender.clock.start()
        await kitchen.wait_until(lambda: knows_clock(kitchen))
        sender.announce(now_ns() + LEAD_NS, sender.rtptime)
        sender.send_audio(SOUND)
        await kitchen.wait_until(lambda: kitchen.stats.sync_packets == 1)
        kitchen.poll()

        assert kitchen.stats.packets == 0


async def test_stream_may_need_the_event_channel() -> None:
    apple = quirks(needs_events_first=True)
    async with (
        receiver(more=apple) as kitchen,
        AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender,
    ):
        await sender.pair()
        await sender.set_up_session()
        assert (await sender.set_up_stream()).status == 500
        reader, channel = await sender.open_events()
        await channel.read(reader)
        assert (await sender.set_up_stream()).status == 200


async def test_bodies_that_cannot_be_read_are_refused(
    kitchen: AirPlay2Receiver,
) -> None:
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        await sender.pair()
        for body in (b"bplist00garbage", b"x" * 100_000, b"bplist00" + bytes(32)):
            assert (await sender.ask("SETUP", body=body)).status == 400
        assert (await sender.ask("SETUP", body={"timingProtocol": "PTP"})).status == 400
        assert (await sender.anchor(0, 0)).status == 455
        assert (await sender.set_up_stream()).status == 455
        await sender.set_up_session()
        assert (await sender.set_up_stream(shk=b"short")).status == 400
        assert (await sender.set_up_stream(105)).status == 400
        assert len(kitchen.violations) == 8


async def test_record_announces_airplay_2_by_mdns() -> None:
    socket_allow_hosts(["127.0.0.1"])
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    kitchen = receiver(receiver_id="0A0B0C0DA201")
    async with kitchen:
        kitchen.name = "Kitchen A2"
        records = Advertisement(kitchen, interfaces=["127.0.0.1"])
        await records.announce()
        info = AsyncServiceInfo(AIRPLAY, f"{kitchen.name}.{AIRPLAY}")
        assert await info.async_request(zeroconf.zeroconf, 3000)
        await records.withdraw()
    await zeroconf.async_close()

    assert info.port == kitchen.port
    assert info.decoded_properties["features"] == "0x405FCA00,0x18340"


async def test_command_line_supports_airplay_2() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.virtual_receiver", "--name", "Kitchen", "--json", "--no-mdns"),
        *("--airplay2", "--ptp", "0,0", "--quirk", "ptp_settle_s=0.05"),
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    async with AirPlay2ReferenceSender(ready["host"], ready["port"]) as sender:
        sender.clock = ReferenceClock(ready["host"], tuple(ready["ptp"]))
        await sender.begin()
        sender.clock.start()
        sender.announce(now_ns() + 10 * LEAD_NS, sender.rtptime)
        sender.send_audio(SOUND)
        events = []
        while "playing" not in events:
            line = await asyncio.wait_for(process.stdout.readline(), 20)
            events.append(json.loads(line)["event"])
    process.terminate()
    assert await process.wait() == 0


def test_features_follow_the_quirks() -> None:
    def bits(**changes: bool) -> set[int]:
        features = AirPlay2Receiver(quirks=quirks(**changes)).features
        return {bit for bit in (38, 40, 41, 48) if features >> bit & 1}

    assert bits() == {38, 40, 41, 48}
    assert bits(takes_buffered=False) == {38, 41, 48}
    assert bits(takes_ptp=False) == {38, 40, 48}
    assert bits(encrypts_control=False) == {40, 41, 48}
