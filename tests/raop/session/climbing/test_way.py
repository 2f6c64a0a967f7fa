"""A way to play to a receiver, and the text by which it is stored."""

from dataclasses import replace

import pytest

from custom_components.airplay.raop.receiver_lanes import LaneKind
from custom_components.airplay.raop.session.climbing.way import Login, Way, WayClock
from custom_components.airplay.raop.session.lead import (
    CALM_STARTS,
    MOST_DEPTH_MS,
    USUAL_LEAD_MS,
    LearnedLead,
)
from tests.raop.session.test_ways import SDK, receiver

PLAIN = Way(lane=LaneKind.RAOP)


@pytest.mark.parametrize(
    "way",
    [
        PLAIN,
        Way(lane=LaneKind.RAOP, uses_auth_setup=True, encrypts=True, login=Login.KEYS),
        replace(PLAIN, lead=LearnedLead(500)),
        replace(PLAIN, lead=LearnedLead(600, 17)),
        Way(
            lane=LaneKind.AIRPLAY2_REALTIME,
            clock=WayClock.PTP_FOLLOW,
            login=Login.PASSWORD,
            digest=2,
            depth_ms=2500,
        ),
    ],
)
def test_a_way_is_stored_as_text(way: Way) -> None:
    assert Way.parse(str(way)) == way


@pytest.mark.parametrize("text", ["", "telepathy", "RAOP", "x" * 10_000])
def test_a_text_that_is_no_way_is_ignored(text: str) -> None:
    assert Way.parse(text) is None


def test_numbers_of_a_stored_way_are_bounded() -> None:
    way = Way.parse(
        "raop depth=99999 digest=999 depth=1000000000000 digest=-1 lead=9999 calm=99"
    )

    assert way is not None
    assert way.depth_ms == MOST_DEPTH_MS
    assert way.digest == 16
    assert way.lead == LearnedLead(USUAL_LEAD_MS, CALM_STARTS)


def test_the_only_way_by_the_records_is_usual() -> None:
    classic, licensed = receiver("et=0"), receiver("et=0,4")

    assert PLAIN.is_usual_for(classic)
    assert not PLAIN.is_usual_for(licensed)
    assert replace(PLAIN, uses_auth_setup=True).is_usual_for(licensed)
    assert not replace(PLAIN, encrypts=True).is_usual_for(classic)
    assert not replace(PLAIN, digest=1).is_usual_for(classic)
    assert not replace(PLAIN, depth_ms=2250).is_usual_for(classic)
    assert not replace(PLAIN, lead=LearnedLead(400)).is_usual_for(classic)
    assert not PLAIN.is_usual_for(receiver("et=0,4", f"features={SDK}"))
