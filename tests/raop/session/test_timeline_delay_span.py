"""How far ahead packets go out for the delays of a group."""

import pytest

from custom_components.airplay.raop.session.timeline import (
    MAX_LATENCY_FRAMES,
    SECOND_NS,
    DelaySpan,
    delay_frames,
)

MS = 1_000_000
DEPTH_NS = SECOND_NS
# The buffer of shairport-sync, rtp.c.
HELD_NS = MAX_LATENCY_FRAMES * SECOND_NS // 44_100


def reach(*delays_ms: int) -> DelaySpan:
    return DelaySpan.of(delay_frames(each) for each in delays_ms)


@pytest.mark.parametrize("delays_ms", [(), (0,), (0, 0), (300,), (0, 2000)])
def test_a_late_receiver_needs_its_packets_no_earlier(
    delays_ms: tuple[int, ...],
) -> None:
    group = reach(*delays_ms)

    assert group.before_ns == 0
    assert group.behind_ns == max((*delays_ms, 0)) * MS
    assert group.ahead_ns(DEPTH_NS) == DEPTH_NS


@pytest.mark.parametrize("delays_ms", [(-500,), (-500, 0), (-500, 400), (-100, -500)])
def test_an_early_receiver_gets_its_packets_as_long_before_as_the_others(
    delays_ms: tuple[int, ...],
) -> None:
    group = reach(*delays_ms)

    assert group.before_ns == 500 * MS
    assert group.ahead_ns(DEPTH_NS) == DEPTH_NS + 500 * MS


def test_no_receiver_holds_more_than_it_can() -> None:
    group = reach(-2000, 2000)

    ahead_ns = group.ahead_ns(3 * SECOND_NS)

    assert ahead_ns + group.behind_ns == HELD_NS
    assert ahead_ns - group.before_ns > 1.5 * SECOND_NS


def test_a_group_that_is_not_known_yet_is_on_the_line() -> None:
    assert DelaySpan() == reach()
