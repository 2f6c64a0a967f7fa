"""The lead of a start, by the evidence of receivers."""

from dataclasses import replace

import pytest

from custom_components.airplay.raop.session.lead import (
    CALM_STARTS,
    LEAST_LEAD_MS,
    USUAL_LEAD_MS,
    LearnedLead,
    PtpStartEvidence,
    RaopStartEvidence,
    StartWatch,
    deep_lead_ms,
    depth_of_latency_ms,
    filling_lead_ms,
    lead_ms,
)

SECOND_NS = 1_000_000_000
# Far lower than any floor: the receiver's own latency decides.
SHORT = LearnedLead(1)
APPLE_TV = RaopStartEvidence(own_latency_frames=2205, timing_replies=3, learned=SHORT)
SHAIRPORT = RaopStartEvidence(
    own_latency_frames=11_025,
    kind_lead_ms=LEAST_LEAD_MS,
    timing_replies=3,
    packets=5000,
    learned=LearnedLead(LEAST_LEAD_MS),
)


@pytest.mark.parametrize(
    ("own_latency_frames", "expected_ms"),
    [(2205, 400), (8820, 491), (17_640, 691), (22_050, 700), (88_200, 700)],
)
def test_no_lead_is_shorter_than_the_latency_of_the_receiver_allows(
    own_latency_frames: int, expected_ms: int
) -> None:
    shown = replace(APPLE_TV, own_latency_frames=own_latency_frames)

    assert shown.lead_ms == shown.least_ms == expected_ms


@pytest.mark.parametrize("word", [0, 11_025])
def test_a_receiver_that_reports_nothing_starts_soon_if_its_kind_does(
    word: int,
) -> None:
    known = replace(SHAIRPORT, own_latency_frames=word)

    assert known.lead_ms == LEAST_LEAD_MS
    assert replace(known, kind_lead_ms=0).lead_ms == USUAL_LEAD_MS
    assert replace(known, kind_lead_ms=500).lead_ms == 500


@pytest.mark.parametrize(
    "missing",
    [
        {"learned": LearnedLead()},
        {"timing_replies": 0},
        {"resent": 26},
        {"packets": 0, "resent": 1},
    ],
    ids=["nothing learned", "clock unknown", "lossy link", "lost at once"],
)
def test_without_evidence_the_usual_lead_applies(missing: dict[str, object]) -> None:
    assert SHAIRPORT.lead_ms < USUAL_LEAD_MS
    assert replace(SHAIRPORT, **missing).lead_ms == USUAL_LEAD_MS  # type: ignore[arg-type]


def test_one_packet_in_two_hundred_is_a_good_link() -> None:
    assert replace(SHAIRPORT, resent=25).lead_ms == LEAST_LEAD_MS


@pytest.mark.parametrize(
    ("spread_us", "expected_ms"),
    [(None, 400), (0, 400), (10_000, 400), (10_001, 440), (50_000, 600), (10**7, 700)],
)
def test_jitter_of_the_link_makes_the_lead_longer(
    spread_us: int | None, expected_ms: int
) -> None:
    shown = replace(SHAIRPORT, spread_us=spread_us)

    assert shown.lead_ms == shown.least_ms == expected_ms


def test_a_group_waits_for_the_slowest() -> None:
    slow = replace(APPLE_TV, own_latency_frames=17_640)

    assert lead_ms([APPLE_TV, slow, APPLE_TV]) == slow.lead_ms == 691
    assert lead_ms([]) == USUAL_LEAD_MS


def test_a_group_starts_no_sooner_than_all_are_in_sync() -> None:
    with_clock = PtpStartEvidence(0)

    assert lead_ms([SHAIRPORT]) == lead_ms([with_clock]) == LEAST_LEAD_MS
    assert lead_ms([with_clock, with_clock]) == LEAST_LEAD_MS
    assert lead_ms([SHAIRPORT, with_clock]) == 500


@pytest.mark.parametrize("shown", [RaopStartEvidence(), SHAIRPORT])
def test_a_join_to_running_music_needs_no_leading_silence_and_takes_no_risk(
    shown: RaopStartEvidence,
) -> None:
    assert shown.joining_ms == USUAL_LEAD_MS - 191


@pytest.mark.parametrize(
    ("ready_in_ms", "lead", "joining"), [(0, 400, 250), (600, 850, 850)]
)
def test_a_receiver_that_follows_a_clock_plays_when_it_has_it(
    ready_in_ms: int, lead: int, joining: int
) -> None:
    shown = PtpStartEvidence(ready_in_ms)

    assert (shown.lead_ms, shown.joining_ms) == (lead, joining)
    assert lead_ms([shown, APPLE_TV]) == max(lead, 500)


def test_a_receiver_with_a_clock_learns_only_that_its_link_needs_more() -> None:
    shown = PtpStartEvidence(0)
    lost = _after(shown, LearnedLead(), losses=1)

    assert _after(shown, LearnedLead(), losses=0) == LearnedLead()
    assert replace(shown, learned=lost).lead_ms == 600
    assert replace(shown, learned=lost).joining_ms == shown.joining_ms


def _after(
    shown: RaopStartEvidence | PtpStartEvidence, learned: LearnedLead, *, losses: int
) -> LearnedLead:
    return learned.after(
        losses=losses, usual_ms=shown.usual_ms, least_ms=shown.least_ms
    )


def test_each_start_without_a_loss_makes_the_next_one_sooner_down_to_the_least() -> (
    None
):
    learned, leads_ms = LearnedLead(), []
    for _ in range(5):
        learned = _after(SHAIRPORT, learned, losses=0)
        leads_ms.append(learned.ms)

    assert leads_ms == [600, 500, 400, 400, 400]


def test_no_step_goes_below_the_least() -> None:
    shown = replace(SHAIRPORT, kind_lead_ms=450)

    assert _after(shown, LearnedLead(500), losses=0) == LearnedLead(450)


def test_after_a_loss_the_lead_is_longer_for_a_good_while() -> None:
    learned = _after(SHAIRPORT, LearnedLead(400), losses=1)
    assert learned == LearnedLead(600, CALM_STARTS)

    for _ in range(CALM_STARTS):
        assert learned.ms == 600
        learned = _after(SHAIRPORT, learned, losses=0)

    assert learned == LearnedLead(600, 0)
    assert _after(SHAIRPORT, learned, losses=0) == LearnedLead(500)


def test_a_loss_never_makes_the_lead_longer_than_usual() -> None:
    assert _after(SHAIRPORT, LearnedLead(600), losses=3).ms == USUAL_LEAD_MS
    assert _after(SHAIRPORT, LearnedLead(), losses=3).ms == USUAL_LEAD_MS


@pytest.mark.parametrize("losses", [0, 1])
def test_a_receiver_that_permits_no_other_lead_has_nothing_to_teach(
    losses: int,
) -> None:
    shown = replace(SHAIRPORT, kind_lead_ms=0)

    assert _after(shown, LearnedLead(), losses=losses) == LearnedLead()


def test_a_start_is_judged_once_a_second_after_its_first_frame() -> None:
    watch = StartWatch(LearnedLead())
    assert not watch.judge(0, 0, lambda: SHAIRPORT)

    watch.begin(SECOND_NS, USUAL_LEAD_MS)

    assert not watch.judge(2 * SECOND_NS - 1, 0, lambda: SHAIRPORT)
    assert watch.judge(2 * SECOND_NS, 0, lambda: SHAIRPORT)
    assert watch.learned == LearnedLead(600)
    assert not watch.judge(3 * SECOND_NS, 5, lambda: SHAIRPORT)
    assert watch.learned == LearnedLead(600)


def test_a_loss_counts_at_once() -> None:
    watch = StartWatch(LearnedLead(400))
    watch.begin(SECOND_NS, 400)

    assert watch.judge(0, 1, lambda: SHAIRPORT)
    assert watch.learned == LearnedLead(600, CALM_STARTS)


@pytest.mark.parametrize(("lead", "is_new"), [(520, True), (521, False), (700, False)])
def test_a_start_with_a_longer_lead_shows_nothing_about_the_known_one(
    lead: int, is_new: bool
) -> None:
    watch = StartWatch(LearnedLead(500))
    watch.begin(0, lead)

    assert watch.judge(SECOND_NS, 0, lambda: SHAIRPORT) is is_new
    assert not watch.judge(SECOND_NS, 0, lambda: SHAIRPORT)


def test_a_loss_with_a_longer_lead_counts_all_the_same() -> None:
    watch = StartWatch(LearnedLead(400))
    watch.begin(0, 700)

    assert watch.judge(0, 1, lambda: SHAIRPORT)


def test_a_start_that_changes_nothing_is_nothing_new() -> None:
    watch = StartWatch(LearnedLead(400))
    watch.begin(0, 400)

    assert not watch.judge(SECOND_NS, 0, lambda: SHAIRPORT)


@pytest.mark.parametrize(
    ("frames", "depth_ms"),
    [(0, 0), (11_025, 0), (99_225, 2250), (44_100, 1000), (99_999_999, 4000)],
)
def test_a_depth_follows_from_what_a_receiver_holds(frames: int, depth_ms: int) -> None:
    assert depth_of_latency_ms(frames) == depth_ms


@pytest.mark.parametrize(
    ("depth_ms", "decoded_ms", "expected_ms"),
    [(1000, 750, 350), (1000, 500, 600), (1000, 250, 700), (3000, 1000, 700)],
)
def test_what_is_sent_at_once_is_decoded_before(
    depth_ms: int, decoded_ms: int, expected_ms: int
) -> None:
    assert filling_lead_ms(depth_ms, decoded_ms) == expected_ms


def test_a_deep_receiver_has_a_long_lead() -> None:
    assert deep_lead_ms(0) == 0
    assert deep_lead_ms(2500) == 2700
    assert replace(SHAIRPORT, least_depth_ms=2500).lead_ms == 2700
    assert replace(SHAIRPORT, least_depth_ms=2500).joining_ms == 2700 - 191
