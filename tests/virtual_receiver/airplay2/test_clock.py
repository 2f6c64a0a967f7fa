"""How a clock is followed by messages that may be held up."""

import random

import pytest

from tests.virtual_receiver.clock import NS_PER_S, ReceiverClock
from tests.virtual_receiver.quirks import Quirks

from .follower import SECOND_ANNOUNCE_NS, Follower
from .one_way_clock import OneWayEstimator
from .own_clock import EPOCH_NS, OwnClock
from .ptp import (
    Kind,
    Message,
    build_announce,
    build_delay_req,
    build_follow_up,
    build_sync,
    parse,
    parse_dataset,
    parse_stamp_ns,
)

MASTER, OWN = bytes.fromhex("ffff001122334455"), bytes.fromhex("0a0b0cfffe0d0e01")
MASTER_ID = int.from_bytes(MASTER)
SYNC_NS = 125_000_000
OFFSET_NS = 3_600 * NS_PER_S


@pytest.mark.parametrize("drift_ppm", [-80.0, 0.0, 80.0])
def test_estimate_is_good_although_most_messages_are_held_up(drift_ppm: float) -> None:
    clock = ReceiverClock(drift_ppm=drift_ppm)
    draw = random.Random(1)
    estimator = OneWayEstimator()
    worst = 0
    for number in range(400):
        sent = number * SYNC_NS
        delay = draw.choice((10_000, 30_000, 500_000, 5_000_000))
        estimator.add_arrival(sent + OFFSET_NS, clock.from_monotonic(sent + delay))
        if number > 64:
            later = sent + NS_PER_S
            local = clock.from_monotonic(later)
            error = local + estimator.offset_at(local) - later - OFFSET_NS
            worst = max(worst, abs(error))

    assert worst < 60_000


def follower(**quirks: object) -> tuple[Follower, list[bytes]]:
    """Make a follower, and a list that collects its messages."""
    sent: list[bytes] = []

    def send(is_event: bool, packet: bytes) -> int:
        sent.append(packet)
        return 0

    return Follower(OWN, Quirks(**quirks), send), sent  # type: ignore[arg-type]


def tell_time(of: Follower, sequence: int, at: int) -> bool:
    """Let a Sync of the master arrive at once, with its Follow_Up."""
    of.receive(build_sync(MASTER, sequence), at)
    return of.receive(build_follow_up(MASTER, sequence, at + OFFSET_NS), at)


def test_clock_is_known_after_both_announces_and_a_while() -> None:
    clock, sent = follower()
    clock.restart(0)
    clock.receive(build_announce(MASTER, 1, 128), 0)
    assert not tell_time(clock, 1, SYNC_NS)
    assert clock.next_due_ns == SECOND_ANNOUNCE_NS
    clock.tick(SECOND_ANNOUNCE_NS)
    assert [packet[47] for packet in sent] == [127, 129]
    assert tell_time(clock, 2, 2 * SYNC_NS)

    assert not clock.knows(MASTER_ID, SECOND_ANNOUNCE_NS + 399_000_000)
    assert clock.knows(MASTER_ID, SECOND_ANNOUNCE_NS + 400_000_000)
    assert not clock.knows(MASTER_ID + 1, NS_PER_S)
    assert clock.estimator.offset_at(NS_PER_S) == OFFSET_NS


def test_follow_up_may_come_before_its_sync() -> None:
    clock, _ = follower()
    clock.restart(0)
    clock.receive(build_announce(MASTER, 1, 128), 0)
    clock.tick(SECOND_ANNOUNCE_NS)

    clock.receive(build_follow_up(MASTER, 9, NS_PER_S + OFFSET_NS), NS_PER_S)
    assert clock.receive(build_sync(MASTER, 9), NS_PER_S)
    assert not clock.receive(build_follow_up(MASTER, 10, NS_PER_S), NS_PER_S)


def test_setup_of_a_stream_forgets_the_clock() -> None:
    clock, sent = follower(ptp_settle_s=0.0)
    clock.receive(build_announce(MASTER, 1, 128), 0)
    clock.tick(SECOND_ANNOUNCE_NS)
    tell_time(clock, 1, NS_PER_S)
    assert clock.knows(MASTER_ID, NS_PER_S)

    clock.restart(NS_PER_S)
    assert not clock.knows(MASTER_ID, NS_PER_S)
    clock.receive(build_announce(MASTER, 2, 128), NS_PER_S)
    assert len(sent) == 3


def test_unmatched_messages_are_bounded() -> None:
    clock, _ = follower()
    clock.receive(build_announce(MASTER, 1, 128), 0)
    for number in range(1000):
        clock.receive(build_sync(MASTER, number), number)
        clock.receive(build_follow_up(MASTER, number + 5000, number), number)

    assert len(clock._syncs) == len(clock._stamps) == 16


def test_own_clock_is_sent_while_the_sender_is_silent() -> None:
    sent: list[bytes] = []

    def send(is_event: bool, packet: bytes) -> int:
        sent.append(packet)
        return 77

    clock = OwnClock(OWN, Quirks(), send)
    clock.restart(0)
    clock.tick(0)

    announce, sync, follow_up = (parse(packet) for packet in sent)
    assert [announce.kind, sync.kind] == [Kind.ANNOUNCE, Kind.SYNC]
    assert follow_up.sequence == sync.sequence
    assert clock.knows(int.from_bytes(OWN), 0)
    assert clock.estimator.offset_at(0) == EPOCH_NS

    clock.receive(build_announce(MASTER, 1, 128), SYNC_NS)
    clock.tick(2 * SYNC_NS)
    assert len(sent) == 3
    clock.tick(2 * NS_PER_S)
    assert len(sent) == 6


def own_clock(**quirks: object) -> tuple[OwnClock, list[Message]]:
    """Make a clock that follows no other, and a list that collects its messages."""
    sent: list[Message] = []

    def send(is_event: bool, packet: bytes) -> int:
        sent.append(parse(packet))
        return 5 * NS_PER_S

    clock = OwnClock(OWN, Quirks(**quirks), send)  # type: ignore[arg-type]
    clock.restart(0)
    return clock, sent


@pytest.mark.parametrize(
    ("needs_profile", "has_profile", "told_ns"),
    [
        (False, False, 7 + EPOCH_NS),
        (False, True, 7 + EPOCH_NS),
        (True, False, None),
        (True, True, 0),
    ],
)
def test_own_clock_answers_delay_requests(
    needs_profile: bool, has_profile: bool, told_ns: int | None
) -> None:
    clock, sent = own_clock(delay_req_needs_profile=needs_profile)
    request = bytearray(build_delay_req(MASTER, 9))
    if not has_profile:
        request[0] &= 0xF

    clock.receive(bytes(request), 7)

    if told_ns is None:
        assert not sent
        assert clock.stats.malformed == 1
        return
    (answer,) = sent
    assert (answer.kind, answer.sequence) == (Kind.DELAY_RESP, 9)
    assert parse_stamp_ns(answer) == told_ns
    assert answer.body[10:] == MASTER + b"\0\1"


def test_own_clock_may_measure_the_path_too() -> None:
    clock, sent = own_clock(probes_while_leading=True, delay_req_after_s=1.0)
    clock.receive(build_announce(MASTER, 1, 128), 0)
    for step in range(8):
        clock.tick(step * SYNC_NS)
    before = len(sent)
    clock.receive(build_announce(MASTER, 2, 128), NS_PER_S)
    for step in range(8, 12):
        clock.tick(step * SYNC_NS)

    assert before == 1
    kinds = [message.kind for message in sent]
    assert kinds == [Kind.ANNOUNCE, *[Kind.DELAY_REQ] * 4]


def test_late_own_clock_has_a_part_of_its_time_in_the_correction() -> None:
    clock, sent = own_clock(late_syncs=True)
    for step in range(10):
        clock.tick(step * SYNC_NS)

    told = [message for message in sent if message.kind == Kind.FOLLOW_UP]
    corrections = [message.correction_ns for message in told]
    assert {parse_stamp_ns(each) + each.correction_ns for each in told} == {
        5 * NS_PER_S + EPOCH_NS
    }
    assert max(corrections) > 50_000_000


def test_grouped_receiver_announces_itself_three_times_and_follows() -> None:
    clock, sent = follower(announces_until_ours=True, ptp_settle_s=0.0)
    clock.restart(0)
    while (due := clock.next_due_ns) is not None:
        clock.tick(due)
        last = due
    clock.receive(build_announce(MASTER, 1, 128), NS_PER_S)

    announced = [parse_dataset(parse(packet)) for packet in sent]
    assert [each.priority_1 for each in announced] == [248] * 3
    assert last == 400_000_000
    assert tell_time(clock, 1, NS_PER_S)
    assert clock.knows(MASTER_ID, NS_PER_S)
