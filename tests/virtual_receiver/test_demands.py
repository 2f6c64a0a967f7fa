"""Quirks of what receivers demand, refuse and leave unanswered, by AirPlay 1."""

import asyncio
from collections.abc import Mapping

import pytest

from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.playback.player import ARRIVAL_DELAY_NS
from tests.virtual_receiver.reference.raop_playback import (
    LEAD_S,
    SOUND,
    assert_on_time,
    quirky,
    reference_sender,
)
from tests.virtual_receiver.reference.raop_sender import (
    FRAMES,
    RaopReferenceSender,
    noise,
    now_ns,
)

AUTH_SETUP = b"\1" + bytes(32)
VOLUME = ("text/parameters", b"volume: -10.000000\r\n")
PROGRESS = ("text/parameters", b"progress: 1/2/3\r\n")


async def is_unanswered(sender: RaopReferenceSender) -> bool:
    """Return whether the newest request gets no answer for a while."""
    try:
        async with asyncio.timeout(0.15):
            await sender.reply()
    except TimeoutError:
        return True
    return False


async def play_all(sender: RaopReferenceSender, lead_s: float = LEAD_S) -> int:
    """Send the sound and return the instant at which it is to be over."""
    begins_ns = sender.play(SOUND, lead_s)
    await asyncio.sleep(lead_s + 0.3)
    return begins_ns


def assert_by_arrival(receiver: VirtualReceiver, sent_ns: int, sound: bytes) -> None:
    """Check that sound was played as it came, long before it was announced."""
    heard = receiver.heard(sound)
    assert heard.is_complete, (heard, receiver.stats)
    assert heard.first_frame_ns is not None
    waited_ns = heard.first_frame_ns - sent_ns
    assert ARRIVAL_DELAY_NS <= waited_ns < ARRIVAL_DELAY_NS + 1_000_000_000


async def test_session_that_is_accepted_plays_nothing_and_asks_for_the_time() -> None:
    async with (
        quirky(raop_accepted_and_silent=True) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        await play_all(sender)

        assert receiver.first_frame_ns is None
        assert receiver.pcm == b""
        assert receiver.stats.timing_answers
        assert sender.asked == []
        assert (await sender.flush()).status == 200


async def test_auth_setup_silences_the_receiver_and_its_questions() -> None:
    async with quirky(auth_setup_silences=True) as receiver:
        async with reference_sender(receiver, answers_time=False) as sender:
            reply = await sender.request("POST", "/auth-setup", body=AUTH_SETUP)
            assert reply.status == 200
            await sender.begin()
            await play_all(sender)
        assert receiver.first_frame_ns is None
        assert receiver.stats.timing_requests == 0

        await receiver.wait_idle()
        async with reference_sender(receiver) as sender:
            await sender.begin()
            begins_ns = await play_all(sender)
        assert_on_time(receiver, begins_ns, SOUND)


@pytest.mark.parametrize("method", ["ANNOUNCE", "SETUP", "RECORD"])
async def test_method_of_airplay_1_is_refused(method: str) -> None:
    async with (
        quirky(raop_refuse={method: 500}) as receiver,
        reference_sender(receiver) as sender,
    ):
        steps = {
            "ANNOUNCE": sender.announce,
            "SETUP": sender.setup,
            "RECORD": sender.record,
        }
        statuses = {name: (await step()).status for name, step in steps.items()}

    before = list(statuses.values())[: list(statuses).index(method)]
    assert statuses[method] == 500
    assert set(before) <= {200}


@pytest.mark.parametrize("method", ["SETUP", "RECORD"])
async def test_method_of_airplay_1_is_never_answered(method: str) -> None:
    async with (
        quirky(raop_unanswered=frozenset({method})) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.announce()
        if method != "SETUP":
            await sender.setup()
        sender.send(method, headers={"Transport": "RTP/AVP/UDP;mode=record"})
        assert await is_unanswered(sender)
        assert receiver.asked(method)


async def test_record_waits_for_the_time() -> None:
    async with quirky(record_waits_for_time=True) as receiver:
        async with reference_sender(receiver) as sender:
            await sender.begin()
            assert sender.timing_requests
        await receiver.wait_idle()
        async with reference_sender(receiver, answers_time=False) as sender:
            await sender.announce()
            await sender.setup()
            sender.send("RECORD")
            assert await is_unanswered(sender)


async def test_packets_play_as_they_come_without_any_question() -> None:
    async with (
        quirky(plays_by_arrival=True) as receiver,
        reference_sender(receiver, answers_time=False) as sender,
    ):
        await sender.begin()
        sent_ns = now_ns()
        sender.play(SOUND, 2.0)
        await receiver.wait_frames(20 * FRAMES)
        assert_by_arrival(receiver, sent_ns, SOUND)
        assert sender.timing_requests == []

        receiver.clear()
        await sender.flush()
        more = noise(20, seed=2)
        sent_ns = now_ns()
        sender.play(more, 2.0)
        await receiver.wait_frames(20 * FRAMES)
        assert_by_arrival(receiver, sent_ns, more)


@pytest.mark.parametrize("status", [400, 415])
async def test_announce_without_a_key_is_refused(status: int) -> None:
    async with (
        quirky(needs_rsa=True, needs_rsa_status=status) as receiver,
        reference_sender(receiver) as sender,
    ):
        assert (await sender.announce()).status == status
        sender.sdp_extra = "a=rsaaeskey:AAAA\r\na=aesiv:AAAAAAAAAAAAAAAAAAAAAA\r\n"
        assert (await sender.announce()).status == 200


async def test_announce_without_a_key_ends_the_connection() -> None:
    async with (
        quirky(needs_rsa=True, needs_rsa_status=0) as receiver,
        reference_sender(receiver) as sender,
    ):
        with pytest.raises(asyncio.IncompleteReadError):
            await sender.announce()


@pytest.mark.parametrize(("lead_s", "is_heard"), [(0.5, True), (0.1, False)])
async def test_packets_below_the_reported_latency_are_late(
    lead_s: float, *, is_heard: bool
) -> None:
    async with (
        quirky(raop_audio_latency_ms=300) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.announce()
        await sender.setup()
        assert (await sender.record()).headers["Audio-Latency"] == "13230"
        await sender.timed.wait()
        begins_ns = await play_all(sender, lead_s)

        if is_heard:
            assert_on_time(receiver, begins_ns, SOUND)
        else:
            assert receiver.first_frame_ns is None
            assert receiver.stats.late == 20
            assert sender.asked == []


@pytest.mark.parametrize("status", [401, 403, 406, 415, 453, 470, 500, 503])
async def test_volume_is_refused_and_nothing_else(status: int) -> None:
    async with (
        quirky(volume_status=status) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        assert (await sender.parameter(*VOLUME)).status == status
        assert (await sender.parameter(*PROGRESS)).status == 200

    assert receiver.volumes == []
    assert receiver.volume_db == -24


async def test_volume_is_never_answered() -> None:
    async with (
        quirky(volume_unanswered=True) as receiver,
        reference_sender(receiver) as sender,
    ):
        await sender.begin()
        assert (await sender.parameter(*PROGRESS)).status == 200
        sender.send(
            "SET_PARAMETER", headers={"Content-Type": VOLUME[0]}, body=VOLUME[1]
        )
        assert await is_unanswered(sender)


@pytest.mark.parametrize(
    ("quirks", "set_db", "reported_db"),
    [
        ({"volume_steps": 20}, -10.0, -12.0),
        ({"volume_steps": 20}, -12.0, -12.0),
        ({"volume_steps": 20}, -0.1, -6.0),
        ({"volume_steps": 20}, -144.0, -144.0),
        ({"reported_volume_db": 0.0}, -10.0, 0.0),
    ],
)
async def test_reported_volume(
    quirks: Mapping[str, object], set_db: float, reported_db: float
) -> None:
    async with quirky(**quirks) as receiver, reference_sender(receiver) as sender:
        await sender.begin()
        await sender.parameter(VOLUME[0], f"volume: {set_db}\r\n".encode())
        reply = await sender.request("GET_PARAMETER", body=b"volume\r\n")

    assert float(reply.body.split(b": ")[1]) == pytest.approx(reported_db)
