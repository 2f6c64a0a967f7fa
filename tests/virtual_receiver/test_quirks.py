"""The virtual receiver's quirks, as a sender written by hand meets them."""

import asyncio

import pytest

from tests.virtual_receiver.reference.raop_playback import (
    FAST,
    LEAD_S,
    SOUND,
    assert_on_time,
    quirky,
    reference_sender,
)
from tests.virtual_receiver.reference.raop_sender import FRAMES, noise

from . import Quirks, VirtualReceiver


@pytest.mark.parametrize("status", [403, 406, 453, 470, 500])
async def test_refusal(status: int) -> None:
    async with (
        quirky(refuse={"ANNOUNCE": status}) as receiver,
        reference_sender(receiver) as sender,
    ):
        assert (await sender.announce()).status == status


async def test_refusal_inside_an_answer_of_200() -> None:
    async with (
        quirky(refuse_as_200=frozenset({"SETUP"})) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.announce()
        reply = await sender.setup()

    assert reply.status == 200
    assert "Transport" not in reply.headers


async def test_second_sender_finds_it_busy() -> None:
    async with quirky(takes_over=False) as receiver:
        async with (
            reference_sender(receiver) as first,
            reference_sender(receiver) as second,
        ):
            await first.begin()
            assert (await second.announce()).status == 453
        await receiver.wait_idle()
        async with reference_sender(receiver) as third:
            await third.begin()


async def test_loss_is_repaired_by_resends() -> None:
    sound = noise(80)
    async with (
        quirky(loss=0.2, seed=3) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        announced = sender.play(sound, 1.5)
        await receiver.wait_frames(80 * FRAMES)

    assert receiver.stats.lost_by_quirk > 10
    assert receiver.stats.resent >= receiver.stats.lost_by_quirk - 4
    assert_on_time(receiver, announced, sound)


async def test_loss_without_resends_is_silence_in_place() -> None:
    sound = noise(40)
    quirks = {"burst_loss_every": 15, "burst_loss_length": 3, "asks_resends": False}
    async with quirky(**quirks) as receiver, reference_sender(receiver) as sender:
        await sender.begin()
        sender.play(sound, LEAD_S)
        await receiver.wait_frames(40 * FRAMES)

    heard = receiver.heard(sound)
    assert (heard.missing, heard.wrong) == (6 * FRAMES, 0)
    assert receiver.stats.missing == 6
    assert sender.asked == []


async def test_resends_that_are_not_answered_are_asked_again() -> None:
    quirks = {"burst_loss_every": 10, "burst_loss_length": 1}
    async with (
        quirky(**quirks) as receiver,
        reference_sender(receiver, answers_resends=False) as sender,
    ):
        await sender.begin()
        sender.play(SOUND[: 15 * FRAMES * 4], 0.7)
        await receiver.wait_frames(15 * FRAMES)

    assert sender.asked == [((65530 + 9) & 0xFFFF, 1)] * 3


async def test_receiver_that_never_asks_for_time() -> None:
    async with (
        quirky(asks_time=False) as receiver,
        reference_sender(receiver, answers_time=False) as sender,
    ):
        await sender.begin()
        sender.play(SOUND, LEAD_S)
        await receiver.wait_until(lambda: receiver.stats.packets == 20)

    assert sender.timing_requests == []
    assert receiver.first_frame_ns is None


async def test_timing_cadence_and_copies() -> None:
    receiver = VirtualReceiver(cadence=FAST, quirks=Quirks(timing_copies=2))
    async with receiver, reference_sender(receiver) as sender:
        await sender.begin()
        await receiver.wait_until(lambda: receiver.stats.timing_answers >= 8)

    assert len(sender.timing_requests) >= 8
    assert receiver.stats.timing_rejected == 0


async def test_jitter_within_the_lead_causes_no_dropout() -> None:
    async with quirky(jitter_s=0.05) as receiver, reference_sender(receiver) as sender:
        await sender.begin()
        announced = sender.play(SOUND, 0.3)
        await receiver.wait_frames(20 * FRAMES)

    assert_on_time(receiver, announced, SOUND)


@pytest.mark.parametrize("method", ["ANNOUNCE", "SETUP", "RECORD"])
async def test_drop_at_a_method(method: str) -> None:
    async with quirky(drop_at=method) as receiver, reference_sender(receiver) as sender:
        with pytest.raises(asyncio.IncompleteReadError):
            await sender.begin()
        await receiver.wait_idle()
    assert receiver.asked(method)


async def test_drop_in_mid_stream() -> None:
    async with (
        quirky(drop_after_s=0.3) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        sender.play(noise(100), LEAD_S)
        assert await sender.reader.read() == b""
        await receiver.wait_idle()

    assert 0 < receiver.recording.frames < 100 * FRAMES
    assert receiver.stats.flushed > 0


async def test_idle_connection_is_closed() -> None:
    async with (
        quirky(idle_close_s=0.4) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        sender.play(SOUND, 0.05)
        assert await sender.reader.read() == b""
        assert receiver.recording.frames == 20 * FRAMES


async def test_unanswered_methods() -> None:
    async with (
        quirky(unanswered=frozenset({"*"})) as receiver,
        reference_sender(receiver) as sender,
    ):
        sender.send("OPTIONS", "*")
        await receiver.wait_for("OPTIONS")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sender.reader.read(1), 0.1)


async def test_garbage_reply() -> None:
    async with (
        quirky(garbage_reply=frozenset({"OPTIONS"})) as receiver,
        reference_sender(receiver) as sender,
    ):
        sender.send("OPTIONS", "*")
        assert (await sender.reader.read(3)) == b"\x00\xff\xfe"


async def test_endless_headers() -> None:
    async with (
        quirky(endless_headers=frozenset({"OPTIONS"})) as receiver,
        reference_sender(receiver) as sender,
    ):
        sender.send("OPTIONS", "*")
        assert len(await sender.reader.readexactly(1_000_000)) == 1_000_000


async def test_oddities_of_replies() -> None:
    quirks = {
        "byte_by_byte": True,
        "wrong_cseq": True,
        "leading_crlf": True,
        "zero_timing_port": True,
        "setup_delay_s": 0.05,
        "reply_delay_s": {"RECORD": 0.05},
    }
    async with quirky(**quirks) as receiver, reference_sender(receiver) as sender:
        await sender.begin()
        reply = await sender.request("GET_PARAMETER", body=b"volume\r\n")

    assert reply.body == b"\r\nvolume: -24.000000\r\n"
    assert reply.headers["CSeq"] == f"{sender.cseq}7"
    assert sender.ports["timing_port"] == 0


async def test_volume_quirks() -> None:
    volume = ("text/parameters", b"volume: -10.0\r\n")
    async with (
        quirky(ignores_volume=True) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        await sender.parameter(*volume)
    assert (receiver.volume_db, receiver.volumes[0].volume_db) == (-24.0, -10.0)

    async with (
        quirky(forgets_early_volume=True) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.announce()
        await sender.setup()
        await sender.parameter(*volume)
        await sender.record()
        reply = await sender.request("GET_PARAMETER", body=b"volume\r\n")
    assert reply.body == b"volume: -24.000000\r\n\r\n"


async def test_auth_setup() -> None:
    async with (
        quirky(requires_auth_setup=True) as receiver,
        reference_sender(receiver) as sender,
    ):
        assert (await sender.announce()).status == 403
        reply = await sender.request("POST", "/auth-setup", body=b"\1" + bytes(32))
        assert (reply.status, len(reply.body)) == (200, 48)
        assert (await sender.announce()).status == 200
    async with (
        quirky(auth_setup_status=500) as receiver,
        reference_sender(receiver) as sender,
    ):
        reply = await sender.request("POST", "/auth-setup", body=b"\1" + bytes(32))
        assert reply.status == 500
        assert (await sender.request("POST", "/feedback")).status == 404
        assert (await sender.request("BREW")).status == 501


async def test_needless_resend_requests() -> None:
    quirks = {"ask_received_every": 10, "ask_burst": 300, "ask_never_sent": True}
    async with quirky(**quirks) as receiver, reference_sender(receiver) as sender:
        await sender.begin()
        announced = sender.play(SOUND, LEAD_S)
        await receiver.wait_frames(20 * FRAMES)
        newest = sender.sequence - 1
        assert ((newest - 299) & 0xFFFF, 300) in sender.asked
        assert ((newest + 30_000) & 0xFFFF, 16) in sender.asked
        assert (newest, 1) in sender.asked
    assert_on_time(receiver, announced, SOUND)
