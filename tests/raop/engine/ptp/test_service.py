"""The PTP clock on real sockets, seen by a receiver's clock of the tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
import socket
import time

import pytest

from custom_components.airplay.raop.engine.net import clock
from custom_components.airplay.raop.engine.pacing.change_signal import ChangeSignal
from custom_components.airplay.raop.engine.pacing.pacer import Pacer
from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers
from custom_components.airplay.raop.engine.ptp.service import (
    PtpPeer,
    PtpService,
    clock_id_of,
)
from custom_components.airplay.raop.session.ptp_readiness import Habit
from tests.raop.engine.ptp_follower import (
    CLOCK_ID,
    EVENT,
    GENERAL,
    Follower,
    announce,
    message,
)
from tests.virtual_receiver.clock import to_unix_ns

OUR_ID = 0xA1B2C3D4E5F60718
MS = 1_000_000


@asynccontextmanager
async def service_for(follower: Follower, *local: str) -> AsyncIterator[PtpService]:
    """Yield a service that reaches a follower on its ports."""
    pacer = Pacer()
    pacer.start()
    service = PtpService(
        pacer,
        OUR_ID,
        ports=PtpPortNumbers(0, 0),
        receivers=PtpPortNumbers(*follower.ports),
        local=local or ["127.0.0.1"],
    )
    try:
        yield service
    finally:
        await service.close()
        pacer.stop()


@asynccontextmanager
async def pair(
    habit: Habit = Habit.FOLLOWS, host: str = "127.0.0.2", local: str = "127.0.0.1"
) -> AsyncIterator[tuple[PtpPeer, Follower, PtpService]]:
    """Yield a peer whose receiver is a follower that knows our address."""
    async with AsyncExitStack() as stack:
        follower = Follower(host)
        stack.callback(follower.close)
        service = await stack.enter_async_context(service_for(follower, local))
        peer = await service.add_peer([host], habit)
        (ports,) = service.ports
        follower.sender = (ports.event, ports.general)
        yield peer, follower, service


async def test_a_receiver_gets_the_time_from_the_right_ports() -> None:
    async with pair() as (peer, follower, service):
        claims = await follower.wait_for(0xB)
        await follower.wait_for(0xC)
        await follower.wait_for(0x8, 8)

        (ports,) = service.ports
        assert {each.source for each in follower.of(0x0)} == {ports.event}
        assert {each.source for each in follower.of(0x8)} == {ports.general}
        assert claims[0].which == GENERAL
        assert claims[0].datagram[53:61] == OUR_ID.to_bytes(8)
        assert peer.timeline.clock_id == OUR_ID


async def test_follow_ups_carry_the_kernels_time_of_departure() -> None:
    async with pair() as (_, follower, service):
        await follower.wait_for(0x8, 8)

        # Both ends read one clock, so the rest is the network delay and our error.
        errors_ns = sorted(
            sync.arrived_ns - told.time_ns - clock_offset_ns()
            for sync, told in follower.pairs()
        )
        assert service.stamped >= service.syncs - 1
        assert abs(errors_ns[len(errors_ns) // 2]) < 0.2 * MS


async def everything_taken(peer: PtpPeer) -> None:
    """Wait until the evidence of earlier messages has been processed."""
    for _ in range(1000):
        if peer.has_evidence:
            return
        await asyncio.sleep(0.005)


def clock_offset_ns() -> int:
    """Return how far the wall clock is ahead of the session clock."""
    return to_unix_ns(clock.monotonic_of(0))


async def test_a_receiver_that_measures_both_ways_gets_our_clock() -> None:
    async with pair() as (peer, follower, _):
        assert peer.lead_ms > 3000
        await follower.wait_for(0x8)

        asked_ns = [follower.send(EVENT, message(0x1, n, bytes(10))) for n in range(5)]
        answers = await follower.wait_for(0x9, 5)

        assert {each.which for each in answers} == {GENERAL}
        assert [each.sequence for each in answers] == list(range(5))
        assert answers[0].datagram[44:54] == CLOCK_ID.to_bytes(8) + b"\x00\x01"
        late_ns = [
            answer.time_ns + clock_offset_ns() - asked
            for answer, asked in zip(answers, asked_ns, strict=True)
        ]
        assert abs(sorted(late_ns)[2]) < 0.5 * MS
        assert peer.has_evidence
        assert peer.probes == 5
        assert 2000 < peer.lead_ms <= 2300
        assert peer.ready_at_ns > clock.now_ns()


async def test_peer_delay_is_answered_from_both_ports_with_two_times() -> None:
    async with pair() as (_, follower, _):
        follower.send(EVENT, message(0x2, 7, bytes(20)))
        (answer,) = await follower.wait_for(0x3)
        (told,) = await follower.wait_for(0xA)

        assert (answer.which, told.which) == (EVENT, GENERAL)
        assert (answer.sequence, told.sequence) == (7, 7)
        assert 0 <= told.time_ns - answer.time_ns < 100 * MS


async def test_an_answer_to_our_announce_is_evidence() -> None:
    async with pair() as (peer, follower, _):
        await follower.wait_for(0xB)
        seen = [peer.has_evidence]
        follower.send(GENERAL, announce(127))
        follower.send(GENERAL, announce(129))
        await everything_taken(peer)

        seen.append(peer.has_evidence)
        assert seen == [False, True]


async def test_a_new_stream_is_shown_our_clock_at_once() -> None:
    async with pair() as (peer, follower, _):
        await follower.wait_for(0xB)
        before_ns = time.monotonic_ns()
        peer.begin()
        await follower.wait_for(0xB, 2)

        assert time.monotonic_ns() - before_ns < 900 * MS


async def test_strangers_get_no_answer() -> None:
    async with pair() as (peer, follower, _):
        stranger = Follower("127.0.0.3")
        try:
            stranger.sender = follower.sender
            stranger.send(EVENT, message(0x1, 1, bytes(10)))
            follower.send(EVENT, b"no PTP at all")
            follower.send(EVENT, message(0x1, 2, bytes(10)))
            await follower.wait_for(0x9)

            assert not stranger.heard
            assert peer.probes == 1
        finally:
            stranger.close()


@pytest.mark.parametrize(
    ("host", "is_own_port", "follows"),
    [
        pytest.param("127.0.0.2", True, True, id="its address and ports"),
        pytest.param("127.0.0.2", False, False, id="other ports of its address"),
        pytest.param("127.0.0.3", False, False, id="another address"),
    ],
)
async def test_a_clock_is_followed_from_the_ports_of_its_receiver_only(
    host: str, *, is_own_port: bool, follows: bool
) -> None:
    async with pair(Habit.LEADS) as (peer, follower, service):
        changes: list[int] = []
        peer.watch(changes.append)
        time_ns = bytes(6) + (1).to_bytes(4)
        told = [(GENERAL, announce(248)), (EVENT, message(0x0, 1, time_ns))]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((host, 0))
            for which, datagram in told:
                if is_own_port:
                    follower.send(which, datagram)
                else:
                    other.sendto(datagram, ("127.0.0.1", follower.sender[which]))
                follower.send(EVENT, message(0x1, which, bytes(10)))
                await follower.wait_for(0x9, 1 + (which == EVENT))
                await service._pacer.run(lambda: None)

        assert (peer.timeline.clock_id == CLOCK_ID) is follows
        assert bool(changes) is follows


async def test_a_lane_that_has_left_is_told_of_no_change() -> None:
    async with pair(Habit.LEADS) as (peer, follower, service):
        changes: list[int] = []
        other = await service.add_peer(["127.0.0.2"])
        other.watch(changes.append)
        other.remove()
        for number, (which, datagram) in enumerate(
            [(GENERAL, announce(248)), (EVENT, message(0x0, 1, bytes(10)))]
        ):
            follower.send(which, datagram)
            follower.send(EVENT, message(0x1, number, bytes(10)))
            await follower.wait_for(0x9, number + 1)
            await service._pacer.run(lambda: None)

        assert peer.timeline.clock_id == CLOCK_ID
        assert not changes


async def test_a_peer_stays_until_all_streams_have_removed_it() -> None:
    async with pair() as (peer, follower, service):
        other = await service.add_peer(["127.0.0.2"])
        peer.remove()
        peer.remove()
        await follower.wait_for(0x0, 4)

        other.remove()
        await service._pacer.run(lambda: None)
        follower.send(EVENT, message(0x1, 1, bytes(10)))
        await service._pacer.run(lambda: None)

        assert not service._held
        assert not follower.of(0x9)


async def test_a_clock_that_is_kept_is_followed() -> None:
    ahead_ns = -5_000_000_000_123
    async with pair(Habit.LEADS) as (peer, follower, _):
        ids = [peer.timeline.clock_id]
        assert peer.timeline.map.timeline_ns(5) == 5

        follower.send(GENERAL, announce(248))
        number = 0
        while not peer.has_evidence:
            left_ns = clock.now_ns() + ahead_ns
            stamp = divmod(left_ns, 1_000_000_000)
            body = stamp[0].to_bytes(6) + stamp[1].to_bytes(4)
            sync = bytearray(message(0x0, number, bytes(10)))
            sync[6] |= 2
            follower.send(EVENT, bytes(sync))
            follower.send(GENERAL, message(0x8, number, body))
            follower.send(EVENT, message(0x1, number, bytes(10)))
            await follower.wait_for(0x9, number + 1)
            asked = (await follower.wait_for(0x1))[-1]
            asker = OUR_ID.to_bytes(8) + b"\x80\x05"
            answer = message(0x9, asked.sequence, bytes(10) + asker)
            follower.send(GENERAL, answer)
            number += 1
            assert number < 1000

        session_ns = clock.now_ns()
        timeline_ns = peer.timeline.map.timeline_ns(session_ns)
        assert peer.has_evidence
        assert peer.lead_ms == 0
        ids.append(peer.timeline.clock_id)
        assert ids == [OUR_ID, CLOCK_ID]
        # The follower of the tests takes its time to answer our Delay_Req.
        assert -1 * MS < timeline_ns - session_ns - ahead_ns < 50 * MS
        assert not follower.of(0x0)
        assert not follower.of(0xB)


async def test_one_that_cannot_be_reached_does_not_hold_up_others() -> None:
    async with pair() as (_, follower, service):
        await service.add_peer(["255.255.255.255"])
        await service.add_peer(["::1"])
        count = len(follower.of(0x8))

        await follower.wait_for(0x8, count + 4)


async def test_after_it_was_closed_nothing_is_left_and_it_can_be_used_again() -> None:
    follower = Follower()
    try:
        async with service_for(follower) as service:
            peer = await service.add_peer(["127.0.0.2"])
            await service.close()
            await service.close()
            peer.begin()
            peer.remove()
            assert not service.ports

            await service.add_peer(["127.0.0.2"])
            await follower.wait_for(0x0, 2)
    finally:
        follower.close()


@pytest.mark.parametrize(
    ("dacp_id", "clock_id"),
    [
        ("A1B2C3D4E5F60718", 0xA1B2C3D4E5F60718),
        ("1A1B2C3D4E5F60718", 0xA1B2C3D4E5F60718),
        ("not hexadecimal", 0x86B2B91170820AE5),
    ],
)
def test_a_clock_is_named_by_the_dacp_id(dacp_id: str, clock_id: int) -> None:
    assert clock_id_of(dacp_id) == clock_id


async def test_listeners_are_notified_of_evidence() -> None:
    async with pair() as (peer, follower, _):
        signal = ChangeSignal()
        peer.listen(signal.notify_threadsafe)
        until_ns = clock.now_ns() + 5_000 * MS
        waiting = asyncio.create_task(
            signal.wait_for(lambda: peer.has_evidence, until_ns)
        )
        await follower.wait_for(0x8)
        assert not waiting.done()

        follower.send(EVENT, message(0x1, 1, bytes(10)))

        assert await waiting
