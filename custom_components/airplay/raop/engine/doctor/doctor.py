"""The doctor: looks at a receiver from its name to its sound, and names one cause."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import suppress
from dataclasses import replace
import platform
import time

from ...diagnosis import (
    Diagnosed,
    DiagnosisProgress,
    DoctorStep,
    DoorState,
    Findings,
    WayFinding,
)
from ...errors import (
    PtpPortsTakenError,
    ReceiverSilentError,
    SlowReceiverError,
    StoppedError,
)
from ...messages import Diagnose, Event, Member
from ...receiver_lanes import AIRPLAY2_NTP, LaneKind
from ...session.doctor.advice import sentence_of
from ...session.doctor.verdict import verdict_of
from ...wire.ptp import EVENT_PORT, GENERAL_PORT
from ..lanes.context import LaneContext, receiver_of
from ..lanes.lane import Lane
from . import reach
from .figures import Counters, link_of
from .port_owner import owner_of
from .silent_session import SESSION_S
from .trial import AUDIO, Trial, failure_of

# With what a receiver may take to be freed, at most 15 s.
_LIMIT_S = 13.5
# For all ways, of which a receiver has four at most.
_LONG_LIMIT_S = 45.0


class Doctor:
    """Diagnoses receivers, each by one command at a time; event loop."""

    def __init__(
        self,
        make_context: Callable[[], LaneContext],
        lane_of: Callable[[str], Lane | None],
        guests: MutableMapping[str, Callable[[], Awaitable[None]]],
        emit: Callable[[Event], None],
    ) -> None:
        """`lane_of` returns the open session of a receiver that plays.

        `guests` are the sessions that make way for others, see `LaneChoice`.
        """
        self._make_context = make_context
        self._lane_of = lane_of
        self._guests = guests
        self._emit = emit
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._at_work: set[asyncio.Task[None]] = set()

    async def diagnose(self, command: Diagnose) -> None:
        """Diagnose a receiver and emit the verdict.

        Raises StoppedError: it was needed for playing meanwhile.
        """
        async with self._turns[command.member.receiver]:
            begun_s = time.monotonic()
            visit = _Visit(command, self._make_context, self._emit)
            limit_s = _LONG_LIMIT_S if command.tries_each else _LIMIT_S
            with suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    await self._look(visit)
            self._emit(visit.diagnosed(time.monotonic() - begun_s))

    async def close(self) -> None:
        """End all sessions."""
        tasks = tuple(self._at_work)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, visit: _Visit) -> None:
        receiver = visit.member.receiver
        if lane := self._lane_of(receiver):
            await visit.measure(lane)
            return
        if await visit.reach():
            await self._hold(receiver, visit.climb())

    async def _hold(self, receiver: str, work: Coroutine[None, None, None]) -> None:
        """Run work that holds a receiver, until a stream needs it.

        Raises StoppedError: a stream needs it.
        """
        task = asyncio.create_task(work)
        self._at_work.add(task)
        is_needed = False

        async def leave() -> None:
            nonlocal is_needed
            is_needed = True
            task.cancel()
            await asyncio.wait([task])

        self._guests[receiver] = leave
        try:
            await task
        except asyncio.CancelledError:
            if is_needed:
                raise StoppedError("the receiver is needed for playing") from None
            raise
        finally:
            self._guests.pop(receiver, None)
            self._at_work.discard(task)


class _Visit:
    """One diagnosis: what is found out, step by step."""

    def __init__(
        self,
        command: Diagnose,
        make_context: Callable[[], LaneContext],
        emit: Callable[[Event], None],
    ) -> None:
        self.member: Member = command.member
        self._command = command
        self._emit = emit
        self._trial = Trial(command.member, make_context(), self._begin_way)
        self._findings = Findings(
            receiver=command.member.receiver,
            name=command.member.name,
            versions={
                "python": platform.python_version(),
                "kernel": platform.release(),
            },
        )

    async def measure(self, lane: Lane) -> None:
        """Measure the running session of a receiver, without a request to it."""
        self._begin(DoctorStep.SESSION, str(lane.way))
        since, remote = Counters.of(lane), lane.connection.remote
        self._find(is_running=True, addresses=(remote,))
        await asyncio.wait([lane.connection.closed], timeout=SESSION_S)
        closed = lane.connection.closed
        link, failure = link_of(lane, since), None
        if closed.done():
            failure = replace(failure_of(closed.result()), request=AUDIO)
        elif link.packets and not link.is_proven:
            failure = failure_of(ReceiverSilentError("no sign that it plays"))
        way = WayFinding(way=str(lane.way), failure=failure, link=link)
        self._find(ways=(way,), failure=failure)

    async def reach(self) -> bool:
        """Look for an open port; return whether there is one."""
        member = self.member
        self._begin(DoctorStep.RESOLVE)
        names, addresses = await reach.resolve((member.host, *member.addresses))
        self._find(names=names, addresses=addresses)
        if not addresses:
            return False
        self._begin(DoctorStep.CONNECT)
        ports = (member.port, member.airplay_port or 0)
        doors = tuple(await reach.knock(addresses, ports))
        self._find(doors=doors)
        states = {each.state for each in doors}
        if DoorState.OPEN in states:
            return True
        if DoorState.REFUSED not in states:
            self._find(is_host_up=await reach.is_host_up(addresses))
        return False

    async def climb(self) -> None:
        """Try the ways as a start does, or each of them."""
        self._begin(DoctorStep.SESSION)
        trial = self._trial
        if await trial.is_in_use():
            return
        is_one = not self._command.tries_each or self.member.lane
        for kind in (None,) if is_one else self._kinds():
            await trial.run(kind)
        failures = [each.failure for each in trial.ways if each.failure]
        if any(each.code == PtpPortsTakenError.code for each in failures):
            ports = EVENT_PORT, GENERAL_PORT
            self._find(ptp_ports=await asyncio.to_thread(owner_of, ports))

    def diagnosed(self, took_s: float) -> Diagnosed:
        """Return the verdict on all that was found."""
        if not self._findings.is_running:
            self._take_over_trial()
        findings = self._findings
        verdict = verdict_of(findings)
        return Diagnosed(
            diagnosis=self._command.diagnosis,
            receiver=findings.receiver,
            code=verdict.code,
            sentence=sentence_of(verdict.code, findings.name, verdict.detail),
            detail=verdict.detail,
            took_s=round(took_s, 1),
            findings=findings,
        )

    def _take_over_trial(self) -> None:
        trial = self._trial
        failure = trial.failure
        if failure is None and not any(each.link for each in trial.ways):
            is_begun = any(
                each.state is DoorState.OPEN for each in self._findings.doors
            )
            late = SlowReceiverError("the check took too long")
            failure = failure_of(late) if is_begun else None
        receiver = trial.receiver
        self._find(
            ways=trial.ways,
            failure=failure,
            is_informed=trial.is_informed,
            model=receiver.model,
            manufacturer=receiver.manufacturer,
            firmware=receiver.firmware,
            obstacle=receiver.obstacle,
            asks_time=receiver.asks_time,
        )

    def _kinds(self) -> tuple[str, ...]:
        """Return the lanes of the receiver, and that of AirPlay 2 without PTP."""
        lanes = receiver_of(self.member).lanes
        has_ntp = LaneKind.AIRPLAY2_REALTIME in lanes
        return (*lanes, *((AIRPLAY2_NTP,) if has_ntp else ()))

    def _begin_way(self, way: str) -> None:
        self._begin(DoctorStep.SESSION, way)

    def _begin(self, step: DoctorStep, way: str = "") -> None:
        self._emit(
            DiagnosisProgress(
                diagnosis=self._command.diagnosis,
                receiver=self.member.receiver,
                step=step,
                way=way,
            )
        )

    def _find(self, **facts: object) -> None:
        self._findings = replace(self._findings, **facts)  # type: ignore[arg-type]
