"""Following a receiver that keeps its own clock."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.session.clock_estimate.clock_map import (
    ClockMap,
    Timeline,
)
from custom_components.airplay.raop.session.ptp_following import FollowedClock
from custom_components.airplay.raop.wire.ptp import PortIdentity, PtpFollowUp, PtpSync

from .busy_wifi import (
    ANNOUNCE,
    MS,
    POD,
    SECOND,
    START,
    SYNC_NS,
    Delay,
    Network,
    busy,
    congested,
    quiet,
    reliable,
)


def test_nothing_is_known_before_the_first_sync() -> None:
    followed = Network().followed

    assert followed.map is None
    assert followed.reliable_at_ns is None
    assert followed.next_request_ns > START + 3600 * SECOND
    assert followed.grandmaster_id == POD.clock_id


def test_on_a_quiet_network_half_a_second_is_enough() -> None:
    network = Network(ahead_ns=-7 * SECOND)
    first_s = network.run_until_reliable()

    assert first_s < 0.6
    assert abs(network.error_ns) <= 1
    assert network.followed.reliable_at_ns
    assert network.followed.reliable_at_ns <= network.now_ns


def test_without_an_answer_the_delay_stays_unknown() -> None:
    network = Network(answers=False)
    first_s = network.run_until_reliable()

    assert 1.5 < first_s < 1.8
    assert network.error_ns == -MS // 5


@pytest.mark.parametrize("rate", [100e-6, -100e-6])
def test_a_drifting_crystal_is_learned(rate: float) -> None:
    network = reliable(rate=rate)
    network.run_for(60)

    assert network.followed.map
    assert network.followed.map.rate == pytest.approx(rate, abs=1e-6)
    assert max(abs(each) for each in network.errors_ms(10)) < 0.02


@pytest.mark.parametrize("delay", [quiet, busy, congested])
@pytest.mark.parametrize("step_ns", [50 * MS, 3600 * SECOND])
def test_a_step_ahead_is_followed_soon(delay: Delay, step_ns: int) -> None:
    network = reliable(delay=delay)
    network.run_for(20)
    network.ahead_ns += step_ns
    network.run_for(4)

    assert abs(network.error_ns) < 6 * MS
    assert network.steps == 1
    assert network.followed.reliable_at_ns
    assert network.followed.reliable_at_ns > START + 20 * SECOND


@pytest.mark.parametrize("delay", [quiet, busy, congested])
@pytest.mark.parametrize("step_ns", [50 * MS, 3600 * SECOND])
def test_a_step_back_is_followed_once_it_persists(delay: Delay, step_ns: int) -> None:
    network = reliable(delay=delay)
    network.run_for(20)
    since_ns = network.followed.reliable_at_ns
    network.ahead_ns -= step_ns
    network.run_for(7)
    early_ns = network.error_ns
    was_reliable = network.followed.reliable_at_ns == since_ns
    network.run_for(5)

    assert early_ns == pytest.approx(step_ns, abs=3 * MS)
    assert was_reliable
    assert abs(network.error_ns) < 6 * MS
    assert network.steps == 1


def test_a_step_is_followed_although_its_drift_was_learned_before() -> None:
    network = reliable(rate=80e-6)
    network.run_for(60)
    network.ahead_ns -= 3600 * SECOND
    network.run_for(11)

    assert max(abs(each) for each in network.errors_ms(5)) < 0.02


@pytest.mark.parametrize("step_ns", [8 * MS, -8 * MS])
def test_a_small_step_is_approached(step_ns: int) -> None:
    network = reliable()
    network.run_for(20)
    network.ahead_ns += step_ns
    network.run_for(1)
    soon_ns = network.error_ns
    network.run_for(35)

    assert soon_ns == pytest.approx(-step_ns, abs=MS)
    assert abs(network.error_ns) < 0.1 * MS
    assert network.steps == 0


@pytest.mark.parametrize(("step_ns", "steps"), [(10 * MS, 0), (10 * MS + 1, 1)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_step_is_what_cannot_be_approached(
    step_ns: int, steps: int, sign: int
) -> None:
    network = reliable()
    network.run_for(20)
    network.ahead_ns += sign * step_ns
    network.run_for(12)

    assert network.steps == steps


@pytest.mark.parametrize("step_ns", [0, 3600 * SECOND])
def test_a_delay_that_is_found_late_is_approached(step_ns: int) -> None:
    network = Network(delay=lambda *_: 20 * MS, answers=False)
    network.run_until_reliable()
    network.ahead_ns += step_ns
    network.run_for(3)
    steps = network.steps
    unknown_ns = network.error_ns
    network.answers = True
    network.run_for(1)
    soon_ns = network.error_ns
    network.run_for(30)

    assert unknown_ns == -20 * MS
    assert soon_ns == pytest.approx(-19 * MS, abs=0.3 * MS)
    assert abs(network.error_ns) < 0.1 * MS
    assert network.steps == steps == bool(step_ns)


def test_one_message_that_is_early_changes_nothing() -> None:
    network = reliable()
    network.run_for(5)
    before_ns = network.error_ns
    fault = PtpSync(POD, 9, network.true_ns(network.now_ns) + SECOND, 0, False)
    network.followed.synced(fault, network.now_ns)
    network.run_for(5)

    assert network.error_ns == pytest.approx(before_ns, abs=2)


def test_another_grandmaster_is_learned_from_scratch() -> None:
    network = reliable()
    followed = network.followed
    followed.announced(ANNOUNCE)
    same = followed.map
    pending = PtpSync(POD, 9, is_two_step=True)
    followed.synced(pending, START)

    followed.announced(replace(ANNOUNCE, grandmaster_id=1))
    followed.followed_up(PtpFollowUp(POD, 9, START))

    assert same
    assert followed.map is None
    assert followed.reliable_at_ns is None
    assert followed.next_request_ns > network.now_ns + 3600 * SECOND
    assert followed.grandmaster_id == 1
    network.ahead_ns += 77 * SECOND
    network.run_until_reliable()
    assert abs(network.error_ns) <= 1
    assert network.steps == 0


def test_anchors_name_a_clock_and_its_time_together() -> None:
    """A rough map is better than none, but not than that of the clock before."""
    network = Network(ahead_ns=7 * SECOND)
    followed = network.followed
    before = followed.timeline
    network.run_for(0.2)
    rough = followed.timeline
    network.run_until_reliable()
    reliable_map = followed.map
    known = followed.timeline
    followed.announced(replace(ANNOUNCE, grandmaster_id=1))
    unknown = followed.timeline
    network.ahead_ns += 50 * SECOND
    network.run_for(0.2)
    meanwhile, is_measured = followed.timeline, followed.map is not None
    # Another one before that is known: the last that was known stays.
    followed.announced(replace(ANNOUNCE, grandmaster_id=2))
    network.run_for(0.2)
    still = followed.timeline
    network.run_until_reliable()

    assert before is None
    assert rough
    assert rough.clock_id == POD.clock_id
    assert abs(rough.map.timeline_ns(START) - START - 7 * SECOND) < MS
    assert reliable_map
    assert known == Timeline(POD.clock_id, reliable_map)
    assert unknown == meanwhile == still == known
    assert is_measured
    assert followed.map
    assert followed.timeline == Timeline(2, followed.map)


def test_a_follow_up_may_overtake_its_sync() -> None:
    followed = Network().followed
    followed.followed_up(PtpFollowUp(POD, 7, START + 5, correction_ns=2))
    followed.synced(PtpSync(POD, 6), START - SYNC_NS)
    before = followed.map
    followed.synced(PtpSync(POD, 7, correction_ns=3), START)

    assert before is None
    assert followed.map == ClockMap(START, 10)


@pytest.mark.parametrize(("later", "matches"), [(3, True), (4, False)])
@pytest.mark.parametrize("is_sync_first", [True, False])
def test_a_late_counterpart_is_waited_for_but_not_for_long(
    later: int, matches: bool, is_sync_first: bool
) -> None:
    followed = Network().followed
    messages: list[Callable[[int], None]] = [
        lambda number: followed.synced(PtpSync(POD, number), START + number),
        lambda number: followed.followed_up(PtpFollowUp(POD, number, START)),
    ]
    first, second = messages if is_sync_first else reversed(messages)
    for number in (7, 8, 7, *range(9, 9 + later)):
        first(number)
    second(7)

    assert (followed.map is not None) is matches


def test_a_sync_and_its_follow_up_count_once() -> None:
    followed = Network().followed
    followed.synced(PtpSync(POD, 7), START)
    followed.followed_up(PtpFollowUp(POD, 7, START + 5))
    followed.followed_up(PtpFollowUp(POD, 7, START + 900))
    followed.synced(PtpSync(POD, 7), START - 900)

    assert followed.map == ClockMap(START, 5)


def test_a_sync_of_one_step_needs_nothing_to_follow() -> None:
    followed = Network().followed
    followed.synced(PtpSync(POD, 7, START + 5, 2, is_two_step=False), START)

    assert followed.map == ClockMap(START, 7)


def test_the_clocks_of_others_are_not_listened_to() -> None:
    followed = Network().followed
    other = PortIdentity(5)
    followed.synced(PtpSync(other, 7, START, is_two_step=False), START)
    followed.synced(PtpSync(other, 7), START)
    followed.followed_up(PtpFollowUp(other, 7, START))

    assert followed.map is None


def test_a_sample_out_of_order_changes_nothing() -> None:
    network = reliable()
    network.run_for(3)
    known = network.followed.map
    late = PtpSync(POD, 1, START + network.ahead_ns, is_two_step=False)
    network.followed.synced(late, START)

    assert known
    assert network.followed.map
    assert abs(network.followed.map.ahead_of_ns(known, network.now_ns)) <= 1


def test_round_trips_of_others_and_unknown_ones_do_not_count() -> None:
    network = Network(answers=False)
    network.run_for(0.5)
    followed = network.followed
    number = followed.ask(followed.next_request_ns)
    followed.answered(POD.clock_id + 1, number, network.now_ns + 2)
    followed.answered(POD.clock_id, number + 1, network.now_ns + 2)
    network.run_for(0.5)
    unknown = followed.reliable_at_ns
    followed.answered(POD.clock_id, number, network.now_ns + MS)
    network.run_for(0.2)

    assert unknown is None
    assert followed.reliable_at_ns


def test_a_round_trip_begins_when_the_request_really_leaves() -> None:
    followed = Network().followed
    ahead_ns, first_ns = 7 * SECOND, START
    for number in range(4):
        now_ns = first_ns + number * SYNC_NS
        followed.synced(
            PtpSync(POD, number, now_ns + ahead_ns, is_two_step=False), now_ns
        )
        request = followed.ask(now_ns)
        assert request == number
        followed.departed(request, now_ns + 3 * MS)
        followed.answered(POD.clock_id, request, now_ns + 5 * MS)

    assert followed.reliable_at_ns == now_ns
    assert followed.map
    assert followed.map.timeline_ns(START) == START + ahead_ns + 1 * MS


def test_it_asks_often_in_the_beginning_and_then_as_receivers_do() -> None:
    network = reliable()
    network.run_until_reliable()
    network.run_for(20)
    before = network.asked
    network.run_for(10)

    assert before == pytest.approx(320 + 120, abs=12)
    assert network.asked - before == 80


def test_a_receiver_that_does_not_answer_is_asked_rarely() -> None:
    network = reliable(answers=False)
    network.run_for(20)
    before = network.asked
    network.run_for(10)

    assert network.asked - before == 10


@pytest.mark.parametrize(
    "late",
    [lambda f: f.departed(0, START), lambda f: f.answered(POD.clock_id, 0, START)],
)
def test_answers_before_any_question_are_ignored(
    late: Callable[[FollowedClock], None],
) -> None:
    followed = Network().followed
    late(followed)

    assert followed.map is None


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**48 * SECOND - 1),
            st.integers(-(2**47), 2**47 - 1),
            st.integers(0, 2**62),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_nonsense_breaks_nothing(samples: list[tuple[int, int, int, bool]]) -> None:
    followed = Network().followed
    for time_ns, correction_ns, arrived_ns, two in samples:
        followed.synced(PtpSync(POD, 1, time_ns, correction_ns, two), arrived_ns)
        followed.followed_up(PtpFollowUp(POD, 1, time_ns, correction_ns))
        followed.ask(arrived_ns)
        followed.answered(POD.clock_id, 0, arrived_ns)
        if followed.map:
            assert abs(followed.map.rate) <= 700e-6
