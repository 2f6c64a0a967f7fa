"""The ladders of the engine: what they remember; nothing is connected."""

import asyncio
from typing import Self, cast, override

import pytest

from custom_components.airplay.raop.engine.lanes import buffered, choice, realtime
from custom_components.airplay.raop.engine.lanes.choice import LaneChoice
from custom_components.airplay.raop.engine.lanes.context import LaneContext
from custom_components.airplay.raop.engine.lanes.lane import Lane
from custom_components.airplay.raop.engine.net.open_way import OpenedWay
from custom_components.airplay.raop.engine.pacing.transmitter import Transmitter
from custom_components.airplay.raop.errors import (
    CredentialsRejectedError,
    RaopError,
    ReceiverBusyError,
    ReceiverRefusedError,
    ReceiverSilentError,
    ReceiverUnreachableError,
)
from custom_components.airplay.raop.messages import Member
from custom_components.airplay.raop.receiver_lanes import LaneKind
from custom_components.airplay.raop.session.ladder import Attempt, Ladder, Stage
from custom_components.airplay.raop.session.lead import PtpStartEvidence

RAOP, REALTIME, BUFFERED = LaneKind
# As shairport-sync announces: all three of them.
FEATURES = {"features": "0x405C4A00,0x18340", "flags": "0x4", "model": "ShairportSync"}
SILENT = ReceiverSilentError("silent")

type Outcome = BaseException | None


class Context:
    """What a fake lane needs of its context."""

    pacer = None


class FakeLane(Lane):
    """A lane whose `prepare` has the outcome that a test chose."""

    outcomes: dict[LaneKind, Outcome]
    is_torn_down = False

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
        self.attempt.stage = Stage.SETUP
        if outcome := self.outcomes.get(self.way.lane):
            raise outcome

    @override
    async def _negotiate(self, opened: OpenedWay) -> None:
        raise NotImplementedError

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
    known |= {"txt": {"et": "0"}, "airplay_port": 2, "airplay_txt": FEATURES}
    return Member(**{**known, **details})  # type: ignore[arg-type]


class Tries:
    """A choice whose lanes have known outcomes, and which of them were tried."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, outcomes: dict[LaneKind, Outcome]
    ) -> None:
        self.choice = LaneChoice()
        self.tried: list[FakeLane] = []
        self._members = 0
        self._details: dict[str, object] = {}
        monkeypatch.setattr(FakeLane, "outcomes", outcomes, raising=False)
        lanes = {choice: "RaopLane", realtime: "RealtimeLane", buffered: "BufferedLane"}
        for module, name in lanes.items():
            monkeypatch.setattr(module, name, FakeLane)

    def of(self, **details: object) -> Self:
        """Use another member."""
        self._details = details
        return self

    def _member(self) -> Member:
        self._members += 1
        return member(volume=self._members, **self._details)

    async def open(self) -> FakeLane:
        """Open the first way that works."""
        context = cast("LaneContext", Context())
        self.tried.clear()
        lane = await self.choice.open(self._member, context, self._note)
        assert isinstance(lane, FakeLane)
        return lane

    def _note(self, lane: Lane) -> None:
        assert isinstance(lane, FakeLane)
        self.tried.append(lane)

    @property
    def kinds(self) -> list[LaneKind]:
        """The lanes that were tried."""
        return [each.way.lane for each in self.tried]


async def test_the_first_way_that_works_is_used_at_the_present_volume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = Tries(monkeypatch, {RAOP: ReceiverRefusedError("no")})

    lane = await tries.open()

    assert lane is tries.tried[-1]
    assert tries.kinds == [RAOP, REALTIME]
    # The first member of all is the one whose ladder is climbed.
    assert [each.member.volume for each in tries.tried] == [2, 3]
    assert not lane.is_torn_down


async def test_if_no_way_works_all_are_tried_again_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = ReceiverRefusedError("first"), ReceiverUnreachableError("second")
    tries = Tries(monkeypatch, {RAOP: first, REALTIME: second, BUFFERED: second})

    for _ in range(2):
        with pytest.raises(RaopError) as caught:
            await tries.open()
        assert caught.value is first
        # The last one is realtime by NTP.
        assert tries.kinds == [RAOP, REALTIME, REALTIME, BUFFERED]


async def test_a_busy_receiver_is_not_tried_by_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = Tries(monkeypatch, {RAOP: ReceiverBusyError("busy")})

    with pytest.raises(ReceiverBusyError):
        await tries.open()

    assert tries.kinds == [RAOP]


async def test_a_lane_in_preparation_is_torn_down_on_cancellation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = Tries(monkeypatch, {RAOP: asyncio.CancelledError()})

    with pytest.raises(asyncio.CancelledError):
        await tries.open()

    assert [each.is_torn_down for each in tries.tried] == [True]


async def test_the_way_after_a_silent_one_is_next_whoever_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = Tries(monkeypatch, {})

    assert tries.choice.mark_failed(await tries.open(), SILENT) is True
    realtime = await tries.open()
    assert tries.kinds == [REALTIME]
    # Others have nothing to do with it, and another choice of the user begins anew.
    await tries.of(receiver="0a0b0c0d0e02").open()
    assert tries.kinds == [RAOP]
    await tries.of(lane="raop").open()
    assert tries.kinds == [RAOP]

    tries.choice.mark_heard(realtime)

    await tries.of().open()
    assert tries.kinds == [REALTIME]


async def test_a_record_that_changes_with_a_session_changes_no_ladder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = Tries(monkeypatch, {})
    playing = FEATURES | {"flags": "0x20404"}
    updated = FEATURES | {"fv": "2.0"}

    tries.choice.mark_failed(await tries.open(), SILENT)

    realtime = await tries.of(airplay_txt=playing).open()
    assert tries.kinds == [REALTIME]
    tries.choice.mark_heard(realtime)
    await tries.of().open()
    assert tries.kinds == [REALTIME]
    # Other firmware may play in other ways.
    await tries.of(airplay_txt=updated).open()
    assert tries.kinds == [RAOP]


async def test_if_all_ways_are_silent_all_are_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = Tries(monkeypatch, {})
    answers = [tries.choice.mark_failed(await tries.open(), SILENT) for _ in range(4)]

    assert answers == [True, True, True, False]
    assert (await tries.open()).way.lane is RAOP


async def test_what_plays_is_first_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = Tries(monkeypatch, {RAOP: ReceiverRefusedError("no")})
    tries.choice.mark_heard(await tries.open())
    monkeypatch.setattr(FakeLane, "outcomes", {})

    assert (await tries.open()).way.lane is REALTIME
    assert tries.kinds == [REALTIME]


async def test_what_worked_in_another_process_is_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = Tries(monkeypatch, {})

    lane = await tries.of(first_way="airplay2-buffered ptp-lead open").open()

    assert str(lane.way) == "airplay2-buffered ptp-lead open"
    assert (await tries.of(first_way="telepathy").open()).way.lane is RAOP


async def test_it_is_known_whether_another_way_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = Tries(monkeypatch, {})

    assert tries.choice.has_beside(await tries.open())
    assert not tries.choice.has_beside(await tries.of(lane="raop").open())


async def test_malformed_keys_are_reported_before_anything_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = Tries(monkeypatch, {})

    with pytest.raises(CredentialsRejectedError):
        await tries.of(credentials="not hex").open()

    assert not tries.tried


def test_a_ladder_is_kept_as_far_as_it_is_climbed() -> None:
    lanes, den = LaneChoice(), member()
    ladder: Ladder = lanes.ladder_for(den)
    attempt: Attempt = ladder.attempt()
    ladder.fail(attempt, SILENT)

    assert lanes.ladder_for(den) is ladder
    assert lanes.ladder_for(member(password="other")) is not ladder
