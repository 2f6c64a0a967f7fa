"""The lead of a start, by the evidence of receivers."""

from dataclasses import replace

import pytest

from custom_components.airplay.raop.session.lead import (
    USUAL_LEAD_MS,
    PtpStartEvidence,
    RaopStartEvidence,
    deep_lead_ms,
    depth_of_latency_ms,
    lead_ms,
)

APPLE_TV = RaopStartEvidence(
    own_latency_frames=2205, timing_replies=3, resent=0, was_heard=True
)


@pytest.mark.parametrize(
    ("own_latency_frames", "expected_ms"),
    [(2205, 400), (8820, 491), (17_640, 691), (22_050, 700), (88_200, 700)],
)
def test_a_receiver_with_a_known_latency_starts_as_soon_as_that_allows(
    own_latency_frames: int, expected_ms: int
) -> None:
    shown = replace(APPLE_TV, own_latency_frames=own_latency_frames)

    assert shown.lead_ms == expected_ms


@pytest.mark.parametrize(
    "missing",
    [
        {"was_heard": False},
        {"timing_replies": 1},
        {"resent": 1},
        {"own_latency_frames": 0},
        {"own_latency_frames": 11_025},
    ],
    ids=["first start", "clock unknown", "late packets", "untold", "shairport-sync"],
)
def test_without_evidence_the_default_lead_applies(
    missing: dict[str, int],
) -> None:
    assert replace(APPLE_TV, **missing).lead_ms == USUAL_LEAD_MS  # type: ignore[arg-type]


def test_a_second_question_for_the_time_shows_that_the_clock_is_known() -> None:
    assert replace(APPLE_TV, timing_replies=2).lead_ms == APPLE_TV.lead_ms


def test_a_group_waits_for_the_slowest() -> None:
    slow = replace(APPLE_TV, own_latency_frames=8820)

    assert lead_ms([APPLE_TV, slow, APPLE_TV]) == slow.lead_ms
    assert lead_ms([]) == USUAL_LEAD_MS


def test_a_join_to_running_music_needs_no_leading_silence() -> None:
    fresh = RaopStartEvidence(
        own_latency_frames=0, timing_replies=0, resent=0, was_heard=False
    )

    assert fresh.joining_ms == USUAL_LEAD_MS - 191


@pytest.mark.parametrize(
    ("ready_in_ms", "lead", "joining"), [(0, 400, 250), (600, 850, 850)]
)
def test_a_receiver_that_follows_a_clock_plays_when_it_has_it(
    ready_in_ms: int, lead: int, joining: int
) -> None:
    shown = PtpStartEvidence(ready_in_ms)

    assert (shown.lead_ms, shown.joining_ms) == (lead, joining)
    assert lead_ms([shown, APPLE_TV]) == max(lead, 400)


@pytest.mark.parametrize(
    ("frames", "depth_ms"),
    [(0, 0), (11_025, 0), (99_225, 2250), (44_100, 1000), (99_999_999, 4000)],
)
def test_a_depth_follows_from_what_a_receiver_holds(frames: int, depth_ms: int) -> None:
    assert depth_of_latency_ms(frames) == depth_ms


def test_a_deep_receiver_has_a_long_lead() -> None:
    assert deep_lead_ms(0) == 0
    assert deep_lead_ms(2500) == 2700
