"""Clocks that receivers keep, or follow, as virtual receivers have them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
import socket

import pytest

from custom_components.airplay.raop.engine.net import clock
from custom_components.airplay.raop.engine.pacing.change_signal import ChangeSignal
from custom_components.airplay.raop.engine.pacing.pacer import Pacer
from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers
from custom_components.airplay.raop.engine.ptp.service import PtpPeer, PtpService
from custom_components.airplay.raop.session.ptp_readiness import Habit
from tests.raop.engine.ptp_follower import CLOCK_ID, EVENT, message
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.airplay2.ptp_sockets import PtpPorts, PtpSockets
from tests.virtual_receiver.clock import ReceiverClock, monotonic_ns

from .test_service import MS, OUR_ID, pair


@pytest.mark.parametrize("quirks", [Quirks(), Quirks(sends_delay_req=True)])
async def test_a_virtual_receivers_clock_locks_onto_ours(quirks: Quirks) -> None:
    own = ReceiverClock(3_000_000_000, 40, monotonic_ns())
    ports = PtpPorts(0, 0, None, None)
    here = "127.0.0.2"
    work = PtpSockets(CLOCK_ID.to_bytes(8), here, ports, own, quirks, lambda: False)
    work.open()
    pacer = Pacer()
    pacer.start()
    service = PtpService(
        pacer,
        OUR_ID,
        ports=PtpPortNumbers(0, 0),
        receivers=PtpPortNumbers(*work.ports),
        local=["127.0.0.1"],
    )
    measured = asyncio.Event()
    follower = work.follower
    work.measured = lambda: (
        measured.set()
        if follower.knows(OUR_ID, local_ns(own, clock.now_ns()))
        else None
    )
    try:
        work.follow("127.0.0.1")
        peer = await service.add_peer([here])
        peer.begin()
        async with asyncio.timeout(10):
            await measured.wait()

        now_ns = clock.now_ns()
        local = local_ns(own, now_ns)
        error_ns = local + follower.estimator.offset_at(local) - now_ns
        assert abs(error_ns) < 1 * MS
        assert peer.has_evidence
        assert (peer.probes > 0) is quirks.sends_delay_req
        assert not follower.stats.malformed
    finally:
        work.close()
        await service.close()
        pacer.stop()


@asynccontextmanager
async def virtual(
    quirks: Quirks, habit: Habit
) -> AsyncIterator[tuple[PtpPeer, PtpSockets, ReceiverClock]]:
    """Yield a peer whose receiver has the quirks, and whose stream was just set up."""
    own = ReceiverClock(3_000_000_000, 40, monotonic_ns())
    here = "127.0.0.2"
    ours, theirs = free_ports(), free_ports(here)
    ports = PtpPorts(theirs.event, theirs.general, ours.event, ours.general)
    work = PtpSockets(CLOCK_ID.to_bytes(8), here, ports, own, quirks, lambda: False)
    pacer = Pacer()
    pacer.start()
    service = PtpService(
        pacer, OUR_ID, ports=ours, receivers=theirs, local=["127.0.0.1"]
    )
    work.open()
    try:
        peer = await service.add_peer([here], habit)
        work.follow("127.0.0.1")
        peer.begin()
        yield peer, work, own
    finally:
        work.close()
        await service.close()
        pacer.stop()


def free_ports(host: str = "127.0.0.1") -> PtpPortNumbers:
    """Return two UDP ports that are free."""
    with ExitStack() as stack:
        pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for sock in pair:
            stack.enter_context(sock)
            sock.bind((host, 0))
        return PtpPortNumbers(*(sock.getsockname()[1] for sock in pair))


async def evidence(peer: PtpPeer, timeout_s: float = 10) -> None:
    """Wait until the listener of a peer hears that there is evidence."""
    signal = ChangeSignal()
    peer.listen(signal.notify_threadsafe)
    until_ns = clock.now_ns() + round(timeout_s * 1_000) * MS
    assert await signal.wait_for(lambda: peer.has_evidence, until_ns)


def error_ns(peer: PtpPeer, work: PtpSockets, own: ReceiverClock) -> int:
    """Return by how much a receiver's own time is estimated too late."""
    now_ns = clock.now_ns()
    local = local_ns(own, now_ns)
    told_ns = local + work.follower.estimator.offset_at(local)
    return peer.timeline.map.timeline_ns(now_ns) - told_ns


@pytest.mark.parametrize("quirks", [Quirks(), Quirks(delay_req_needs_profile=True)])
async def test_a_virtual_receiver_that_keeps_its_clock_is_followed(
    quirks: Quirks,
) -> None:
    quirks = replace(quirks, keeps_own_clock=True)
    async with virtual(quirks, Habit.LEADS) as (peer, work, own):
        await evidence(peer)

        assert abs(error_ns(peer, work, own)) < 1 * MS
        assert peer.timeline.clock_id == CLOCK_ID
        assert not work.follower.stats.announces
        assert work.follower.stats.delay_requests_heard > 3
        assert not work.follower.stats.malformed


async def test_a_clock_behind_a_busy_wifi_is_followed() -> None:
    quirks = Quirks(
        keeps_own_clock=True,
        probes_while_leading=True,
        late_syncs=True,
        delay_req_needs_profile=True,
    )
    async with virtual(quirks, Habit.LEADS) as (peer, work, own):
        begun_ns = clock.now_ns()
        await evidence(peer)

        assert clock.now_ns() - begun_ns < 2_500 * MS
        assert abs(error_ns(peer, work, own)) < 2 * MS
        assert peer.probes == 0


async def test_a_receiver_that_goes_on_announcing_is_followed_without_a_record() -> (
    None
):
    """It probes us too, and announces itself only every 20 s while it hears us."""
    quirks = Quirks(
        keeps_own_clock=True, probes_while_leading=True, delay_req_after_s=0.1
    )
    async with virtual(quirks, Habit.FOLLOWS) as (peer, work, own):
        begun_ns = clock.now_ns()
        async with asyncio.timeout(10):
            while peer.timeline.clock_id != CLOCK_ID:
                await asyncio.sleep(0.01)
        await evidence(peer)

        assert clock.now_ns() - begun_ns < 4_000 * MS
        assert abs(error_ns(peer, work, own)) < 1 * MS
        announces = work.follower.stats.announces
        await asyncio.sleep(1.2)
        assert work.follower.stats.announces == announces


async def test_a_receiver_in_a_group_announces_itself_and_is_led() -> None:
    quirks = Quirks(
        announces_until_ours=True, sends_delay_req=True, delay_req_after_s=0.1
    )
    async with virtual(quirks, Habit.FOLLOWS) as (peer, work, _):
        begun_ns = clock.now_ns()
        await evidence(peer)
        asked_ns = clock.now_ns() - begun_ns
        async with asyncio.timeout(10):
            while work.follower.stats.announces < 4:
                await asyncio.sleep(0.01)

        assert work.follower.stats.announces_sent == 3
        assert asked_ns > 1_200 * MS
        assert peer.timeline.clock_id == OUR_ID
        assert work.follower.master == OUR_ID
        assert not work.follower.stats.delay_requests_heard


async def test_evidence_that_had_lapsed_is_reported_again() -> None:
    async with pair() as (peer, follower, service):
        reports: list[bool] = []
        peer.listen(lambda: reports.append(peer.has_evidence))
        await service._pacer.run(lambda: None)
        follower.send(EVENT, message(0x1, 1, bytes(10)))
        follower.send(EVENT, message(0x1, 2, bytes(10)))
        await follower.wait_for(0x9, 2)
        (held,) = service._held.values()
        held.peer._readiness._last_ns -= 6_000 * MS
        follower.send(EVENT, message(0x1, 3, bytes(10)))
        await follower.wait_for(0x9, 3)
        await service._pacer.run(lambda: None)

        assert reports == [False, True, True]


def local_ns(own: ReceiverClock, session_ns: int) -> int:
    """Return the time on a receiver's clock at a session time."""
    return own.from_monotonic(clock.monotonic_of(session_ns))
