"""By which lanes a receiver is reached, and in which order; nothing is connected."""

import asyncio
from collections.abc import Iterable
from typing import cast, override

import pytest

from custom_components.airplay.raop.engine.lanes import choice
from custom_components.airplay.raop.engine.lanes.choice import (
    LaneChoice,
    kinds_of,
    prepare_lane,
)
from custom_components.airplay.raop.engine.lanes.context import LaneContext
from custom_components.airplay.raop.engine.lanes.lane import Lane
from custom_components.airplay.raop.engine.pacing.pacer import Pacer
from custom_components.airplay.raop.engine.pacing.transmitter import Transmitter
from custom_components.airplay.raop.errors import (
    RaopError,
    ReceiverBusyError,
    ReceiverRefusedError,
    ReceiverUnreachableError,
    UnsupportedReceiverError,
)
from custom_components.airplay.raop.messages import Member
from custom_components.airplay.raop.receiver import AIRPLAY2, LaneKind
from custom_components.airplay.raop.session.lead import PtpStartEvidence
from tests.raop.engine.harness import IDENTITY

RAOP, REALTIME, BUFFERED = LaneKind
# As shairport-sync announces: all three of them.
FEATURES = {"features": "0x405C4A00,0x18340", "flags": "0x4"}

type Outcome = BaseException | None


class FakeLane(Lane):
    """A lane whose `prepare` has the outcome that a test chose."""

    def __init__(self, kind: LaneKind, member: Member, outcome: Outcome = None) -> None:
        super().__init__(member, IDENTITY, cast("Pacer", None))
        self.kind = kind  # type: ignore[misc]
        self.is_torn_down = False
        self._outcome = outcome

    @property
    @override
    def timing_replies(self) -> int:
        return 0

    @property
    @override
    def last_evidence_ns(self) -> int | None:
        return None

    @property
    @override
    def evidence(self) -> PtpStartEvidence:
        return PtpStartEvidence(0)

    @override
    async def prepare(self) -> None:
        if self._outcome:
            raise self._outcome

    @override
    async def record(self, transmitter: Transmitter) -> None:
        raise NotImplementedError

    @override
    async def flush(self, sequence: int, frame: int) -> None:
        raise NotImplementedError

    @override
    async def teardown(self) -> None:
        self.is_torn_down = True


def member(**details: object) -> Member:
    """Return a receiver that can be reached by all lanes."""
    known = {"receiver": "0a0b0c0d0e01", "name": "Den", "host": "10.0.0.2", "port": 1}
    return Member(**{**known, "airplay_txt": FEATURES, **details})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("details", "kinds"),
    [
        ({}, (RAOP, REALTIME, BUFFERED)),
        ({"airplay_txt": {}}, (RAOP,)),
        ({"first_lane": "airplay2-buffered"}, (BUFFERED, RAOP, REALTIME)),
        ({"first_lane": "telepathy"}, (RAOP, REALTIME, BUFFERED)),
        ({"lane": AIRPLAY2}, (REALTIME, BUFFERED)),
        ({"lane": "airplay2-realtime"}, (REALTIME,)),
        # A chosen lane overrides the record.
        ({"lane": "airplay2-buffered", "airplay_txt": {}}, (BUFFERED,)),
    ],
)
def test_a_member_uses_the_wanted_or_possible_lanes(
    details: dict[str, object], kinds: tuple[LaneKind, ...]
) -> None:
    assert kinds_of(member(**details)) == kinds
    assert LaneChoice().kinds_for(member(**details)) == kinds


def test_a_lane_that_does_not_exist_is_named_in_short() -> None:
    with pytest.raises(UnsupportedReceiverError, match="telepath") as caught:
        kinds_of(member(lane="telepathy" * 100))

    assert len(str(caught.value)) < 100


def test_a_receiver_without_any_lane_is_not_supported() -> None:
    closed = FEATURES | {"acl": "1"}

    with pytest.raises(UnsupportedReceiverError, match="cannot play to it"):
        kinds_of(member(airplay_txt=closed))


def test_silent_lanes_come_last_until_one_of_them_plays() -> None:
    lanes, den = LaneChoice(), member()

    assert lanes.mark_silent(FakeLane(RAOP, den)) is True
    assert lanes.kinds_for(den) == (REALTIME, BUFFERED, RAOP)
    assert lanes.mark_silent(FakeLane(REALTIME, den)) is True
    assert lanes.kinds_for(den) == (BUFFERED, RAOP, REALTIME)
    # Others have nothing to do with it.
    assert lanes.kinds_for(member(receiver="0a0b0c0d0e02"))[0] is RAOP

    lanes.mark_heard(FakeLane(RAOP, den))

    assert lanes.kinds_for(den) == (RAOP, BUFFERED, REALTIME)


def test_if_all_lanes_are_silent_all_are_forgotten() -> None:
    lanes, den = LaneChoice(), member()
    tries = [lanes.mark_silent(FakeLane(kind, den)) for kind in (RAOP, REALTIME)]

    assert [*tries, lanes.mark_silent(FakeLane(BUFFERED, den))] == [True, True, False]
    assert lanes.kinds_for(den) == (RAOP, REALTIME, BUFFERED)


def test_a_lane_that_is_silent_again_is_not_worth_another_try() -> None:
    lanes, den = LaneChoice(), member()
    lanes.mark_silent(FakeLane(RAOP, den))

    assert lanes.mark_silent(FakeLane(RAOP, den)) is False
    assert lanes.kinds_for(den) == (RAOP, REALTIME, BUFFERED)


def test_a_lane_that_plays_and_never_was_silent_changes_nothing() -> None:
    lanes, den = LaneChoice(), member()

    lanes.mark_heard(FakeLane(REALTIME, den))

    assert lanes.kinds_for(den) == (RAOP, REALTIME, BUFFERED)


class Attempts:
    """Lanes whose outcomes are known, and which of them were tried."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, outcomes: dict[LaneKind, Outcome]
    ) -> None:
        self._outcomes = outcomes
        self.tried: list[FakeLane] = []
        self._members = 0
        monkeypatch.setattr(choice, "make_lane", self._make)

    def _make(self, kind: LaneKind, of: Member, _: LaneContext) -> FakeLane:
        return FakeLane(kind, of, self._outcomes[kind])

    def _member(self) -> Member:
        self._members += 1
        return member(volume=self._members)

    async def prepare(self, kinds: Iterable[LaneKind]) -> FakeLane:
        """Prepare the first that works."""
        lane = await prepare_lane(
            kinds, self._member, cast("LaneContext", None), self._note
        )
        assert isinstance(lane, FakeLane)
        return lane

    def _note(self, lane: Lane) -> None:
        assert isinstance(lane, FakeLane)
        self.tried.append(lane)


async def test_the_first_lane_that_works_is_used_at_the_present_volume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = ReceiverUnreachableError("gone")
    attempts = Attempts(monkeypatch, {RAOP: gone, REALTIME: None, BUFFERED: None})

    lane = await attempts.prepare((RAOP, REALTIME, BUFFERED))

    assert lane is attempts.tried[-1]
    assert [each.kind for each in attempts.tried] == [RAOP, REALTIME]
    assert [each.member.volume for each in attempts.tried] == [1, 2]
    assert not lane.is_torn_down


async def test_if_no_lane_works_the_first_error_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = ReceiverRefusedError("first"), ReceiverUnreachableError("second")
    attempts = Attempts(monkeypatch, {RAOP: first, REALTIME: second})

    with pytest.raises(RaopError) as caught:
        await attempts.prepare((RAOP, REALTIME))

    assert caught.value is first
    assert len(attempts.tried) == 2


async def test_a_busy_receiver_is_not_tried_on_another_lane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts = Attempts(monkeypatch, {RAOP: ReceiverBusyError("busy"), REALTIME: None})

    with pytest.raises(ReceiverBusyError):
        await attempts.prepare((RAOP, REALTIME))

    assert len(attempts.tried) == 1


async def test_a_lane_in_preparation_is_torn_down_on_cancellation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts = Attempts(monkeypatch, {RAOP: asyncio.CancelledError(), REALTIME: None})

    with pytest.raises(asyncio.CancelledError):
        await attempts.prepare((RAOP, REALTIME))

    assert [each.is_torn_down for each in attempts.tried] == [True]
