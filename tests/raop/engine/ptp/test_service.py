"""The PTP clock on real sockets, seen by a receiver's clock of the tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import replace
import errno
import socket
import time

import pytest

from custom_components.airplay.raop.engine.net import clock
from custom_components.airplay.raop.engine.pacing.change_signal import ChangeSignal
from custom_components.airplay.raop.engine.pacing.pacer import Pacer
from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers, place_of
from custom_components.airplay.raop.engine.ptp.service import (
    PtpPeer,
    PtpService,
    clock_id_of,
)
from custom_components.airplay.raop.errors import (
    PtpNotPermittedError,
    PtpPortsTakenError,
    PtpUnavailableError,
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
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.airplay2.ptp_sockets import PtpPorts, PtpSockets
from tests.virtual_receiver.clock import ReceiverClock, monotonic_ns, to_unix_ns

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


async def test_it_works_over_ipv6() -> None:
    async with pair(host="::1", local="::1") as (peer, follower, _):
        await follower.wait_for(0x8, 2)
        follower.send(EVENT, message(0x1, 1, bytes(10)), "::1")
        await follower.wait_for(0x9)

        assert peer.has_evidence


async def test_a_port_in_use_is_reported() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        pacer = Pacer()
        for ports in (PtpPortNumbers(taken, 0), PtpPortNumbers(0, taken)):
            service = PtpService(pacer, OUR_ID, ports=ports, local=["127.0.0.1"])
            with pytest.raises(PtpPortsTakenError) as caught:
                await service.add_peer(["127.0.0.2"])
            assert caught.value.reason == "taken"


async def test_if_one_family_is_in_use_the_other_is_closed() -> None:
    free = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    free.bind(("::1", 0))
    port = free.getsockname()[1]
    free.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        service = PtpService(
            Pacer(), OUR_ID, ports=PtpPortNumbers(port, 0), local=["::1", "127.0.0.1"]
        )
        with pytest.raises(PtpPortsTakenError):
            await service.add_peer(["127.0.0.2"])

        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as again:
            again.bind(("::1", port))


async def test_ports_in_use_and_free_again_are_each_reported_once() -> None:
    told: list[str | None] = []
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 0))
    pacer = Pacer()
    pacer.start()
    service = PtpService(
        pacer,
        OUR_ID,
        ports=PtpPortNumbers(other.getsockname()[1], 0),
        local=["127.0.0.1"],
        on_change=lambda problem: told.append(problem.reason if problem else None),
    )
    for _ in range(2):
        with pytest.raises(PtpPortsTakenError):
            await service.add_peer(["127.0.0.2"])
    other.close()
    await service.add_peer(["127.0.0.2"])
    await service.close()
    pacer.stop()

    assert told == ["taken", None]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, PtpNotPermittedError),
        (errno.EPERM, PtpNotPermittedError),
        (errno.EMFILE, PtpUnavailableError),
        (errno.EAFNOSUPPORT, PtpUnavailableError),
    ],
)
async def test_a_machine_without_the_permission_reports_the_reason(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: type[PtpUnavailableError]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    service = PtpService(Pacer(), OUR_ID)

    with pytest.raises(PtpUnavailableError) as caught:
        await service.add_peer(["127.0.0.2"])

    assert type(caught.value) is kind


async def test_without_ipv6_it_works_over_ipv4() -> None:
    follower = Follower()
    try:
        async with service_for(follower, "2001:db8::1", "127.0.0.1") as service:
            await service.add_peer(["127.0.0.2"])
            await follower.wait_for(0x0)
            assert len(service.ports) == 1
    finally:
        follower.close()


async def test_a_receiver_is_known_by_all_its_addresses() -> None:
    follower = Follower()
    other = Follower("127.0.0.3")
    try:
        async with service_for(follower) as service:
            peer = await service.add_peer(["127.0.0.2"])
            # As SETUP sends them, later.
            await service.add_peer(["127.0.0.2", "127.0.0.3", "fe80::1%1"])
            (ports,) = service.ports
            other.sender = (ports.event, ports.general)
            other.send(EVENT, message(0x1, 1, bytes(10)))
            await everything_taken(peer)

            assert peer.probes == 1
    finally:
        follower.close()
        other.close()


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
    ("one", "other", "are_same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("2001:db8::1", "2001:0db8:0:0::1", True),
        ("fe80::1%1", "fe80:0::1%1", True),
        ("fe80::1%1", "fe80::1%2", False),
        ("fe80::1%1", "fe80::2%1", False),
    ],
)
def test_link_local_addresses_are_distinguished_by_their_link(
    one: str, other: str, are_same: bool
) -> None:
    assert (place_of(one) == place_of(other)) is are_same


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
