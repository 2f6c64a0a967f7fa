"""A receiver that several lanes hold."""

from functools import partial

import pytest

from custom_components.airplay.raop.engine.ptp.held_peer import HeldPeer
from custom_components.airplay.raop.session.ptp import Peer
from custom_components.airplay.raop.session.ptp_readiness import Habit
from tests.raop.session.test_ptp import MS, OUR_ID, START, claim


@pytest.mark.parametrize(
    ("idlers", "period_ms"),
    [
        ([True, True], 1000),
        ([True, False], 125),
        # The other lane does not play yet.
        ([True], 125),
    ],
)
def test_it_rests_if_nothing_plays_on_any_lane(
    idlers: list[bool], period_ms: int
) -> None:
    held = HeldPeer(Peer(OUR_ID, Habit.FOLLOWS, START), "127.0.0.1")
    held.holders = 2
    for lane, is_idle in enumerate(idlers):
        held.idlers[lane] = partial(bool, is_idle)
    held.peer.due(START)
    held.peer.receive(claim(129), START + MS)

    held.rest(START + 2 * MS)
    held.peer.due(START + 1000 * MS)

    assert held.peer.next_ns == START + (1000 + period_ms) * MS


def test_a_lane_that_has_left_is_not_asked() -> None:
    held = HeldPeer(Peer(OUR_ID, Habit.FOLLOWS, START), "127.0.0.1")
    held.holders = 2
    held.idlers = {"gone": lambda: False, "idle": lambda: True}
    held.remove("gone")
    held.peer.due(START)
    held.peer.receive(claim(129), START + MS)

    held.rest(START + 2 * MS)
    held.peer.due(START + 1000 * MS)

    assert held.peer.next_ns == START + 2000 * MS
