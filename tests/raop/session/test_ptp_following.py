"""Following a receiver that keeps its own clock."""

from dataclasses import replace
import random

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.session.ptp_following import ClockMap, FollowedClock
from custom_components.airplay.raop.wire.ptp import (
    PortIdentity,
    PtpAnnounce,
    PtpFollowUp,
    PtpSync,
)

THEIRS = PortIdentity(0xAABBCCFFFEDDEEFF, 1)
MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND
INTERVAL = 125 * MS
ANNOUNCE = PtpAnnounce(THEIRS, 1, THEIRS.clock_id, priority1=248)


class Pod:
    """A clock off by an offset and a rate, received through a network that delays."""

    def __init__(self, ahead_ns: int, rate: float = 0.0, jitter_ns: int = 0) -> None:
        self.followed = FollowedClock()
        self.followed.announced(ANNOUNCE)
        self.ahead_ns, self.rate = ahead_ns, rate
        self.now_ns = START
        self._number = 0
        self._jitter_ns = jitter_ns
        self._chance = random.Random(1)

    def true_ns(self, session_ns: int) -> int:
        """Return its time."""
        return session_ns + self.ahead_ns + round(self.rate * (session_ns - START))

    def sync(self, count: int = 1, delay_ns: int = 0) -> None:
        """Let Syncs arrive, each delayed by that and by jitter."""
        for _ in range(count):
            self.now_ns += INTERVAL
            late_ns = delay_ns + self._chance.randrange(self._jitter_ns + 1)
            number = self._number = (self._number + 1) & 0xFFFF
            self.followed.synced(PtpSync(THEIRS, number), self.now_ns + late_ns)
            left_ns = self.true_ns(self.now_ns)
            self.followed.followed_up(PtpFollowUp(THEIRS, number, left_ns))

    @property
    def error_ns(self) -> int:
        """The present error of the estimate."""
        assert self.followed.map
        return self.followed.map.timeline_ns(self.now_ns) - self.true_ns(self.now_ns)


def test_nothing_is_known_before_the_first_sync() -> None:
    followed = Pod(0).followed

    assert followed.map is None
    assert followed.reliable_at_ns is None
    assert followed.grandmaster_id == THEIRS.clock_id


def test_four_samples_make_it_reliable() -> None:
    pod = Pod(-7 * SECOND)
    pod.sync(3)
    few = pod.followed.reliable_at_ns
    pod.sync()

    assert few is None
    assert pod.followed.reliable_at_ns == pod.now_ns
    assert pod.error_ns == 0


@pytest.mark.parametrize("rate", [100e-6, -100e-6])
def test_a_drifting_crystal_is_learned(rate: float) -> None:
    pod = Pod(5 * SECOND, rate, jitter_ns=200_000)
    pod.sync(8 * 120)

    errors_ns = []
    for _ in range(80):
        pod.sync()
        errors_ns.append(abs(pod.error_ns))
    assert max(errors_ns) < 0.2 * MS
    assert pod.followed.map
    assert pod.followed.map.rate == pytest.approx(rate, abs=30e-6)


def test_delayed_messages_hardly_move_it() -> None:
    pod = Pod(5 * SECOND)
    pod.sync(100)
    pod.sync(3, delay_ns=900_000)
    pod.sync(5, delay_ns=80 * MS)

    assert abs(pod.error_ns) < 0.2 * MS
    assert pod.followed.reliable_at_ns


@pytest.mark.parametrize("step_ns", [3 * MS, 3600 * SECOND])
def test_a_step_ahead_is_followed_at_once(step_ns: int) -> None:
    pod = Pod(5 * SECOND)
    pod.sync(100)
    pod.ahead_ns += step_ns
    pod.sync()

    assert pod.error_ns == 0
    assert pod.followed.reliable_at_ns is None


def test_a_step_back_is_followed_after_a_second() -> None:
    pod = Pod(5 * SECOND)
    pod.sync(100)
    pod.ahead_ns -= 10 * MS
    pod.sync(7)
    before_ns = pod.error_ns
    pod.sync()

    assert before_ns > 9 * MS
    assert pod.error_ns == 0


def test_a_long_gap_restarts_the_estimate() -> None:
    pod = Pod(5 * SECOND)
    pod.sync(100)
    pod.now_ns += 60 * SECOND
    pod.ahead_ns -= 5 * MS
    pod.sync()

    assert pod.error_ns == 0


def test_another_grandmaster_is_learned_from_scratch() -> None:
    pod = Pod(5 * SECOND)
    pod.sync(10)
    pod.followed.announced(ANNOUNCE)
    same = pod.followed.map

    pod.followed.announced(replace(ANNOUNCE, grandmaster_id=1))

    assert same
    assert pod.followed.map is None
    assert pod.followed.grandmaster_id == 1


def test_a_follow_up_may_overtake_its_sync() -> None:
    followed = Pod(0).followed
    followed.followed_up(PtpFollowUp(THEIRS, 7, START + 5, correction_ns=2))
    followed.synced(PtpSync(THEIRS, 6), START - INTERVAL)
    before = followed.map
    followed.synced(PtpSync(THEIRS, 7, correction_ns=3), START)

    assert before is None
    assert followed.map == ClockMap(START, 10)


def test_a_sync_of_one_step_needs_nothing_to_follow() -> None:
    followed = Pod(0).followed
    followed.synced(PtpSync(THEIRS, 7, START + 5, is_two_step=False), START)

    assert followed.map == ClockMap(START, 5)


def test_the_clocks_of_others_are_not_listened_to() -> None:
    followed = Pod(0).followed
    other = PortIdentity(5)
    followed.synced(PtpSync(other, 7, START, is_two_step=False), START)
    followed.synced(PtpSync(other, 7), START)
    followed.followed_up(PtpFollowUp(other, 7, START))

    assert followed.map is None


def test_a_sample_out_of_order_changes_nothing() -> None:
    pod = Pod(5 * SECOND)
    pod.sync(10)
    known = pod.followed.map
    late = PtpSync(THEIRS, 1, START, is_two_step=False)
    pod.followed.synced(late, START)

    assert pod.followed.map == known


@given(
    st.integers(0, 2**61),
    st.integers(-(2**61), 2**61),
    st.floats(-200e-6, 200e-6),
    st.integers(-3600 * SECOND, 3600 * SECOND),
)
def test_there_and_back_is_the_same(
    at_ns: int, offset_ns: int, rate: float, later_ns: int
) -> None:
    clock_map = ClockMap(at_ns, offset_ns, rate)
    session_ns = at_ns + later_ns

    assert (
        abs(clock_map.session_ns(clock_map.timeline_ns(session_ns)) - session_ns) <= 2
    )


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
    followed = Pod(0).followed
    for time_ns, correction_ns, arrived_ns, two in samples:
        followed.synced(PtpSync(THEIRS, 1, time_ns, correction_ns, two), arrived_ns)
        followed.followed_up(PtpFollowUp(THEIRS, 1, time_ns, correction_ns))
        if followed.map:
            assert abs(followed.map.rate) <= 200e-6
