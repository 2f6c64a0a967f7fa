"""The reconnect logic of one member: connects it and detects when it stops playing."""

import asyncio
from collections.abc import Callable
import logging
import time

from ...errors import RaopError, ReceiverSilentError, ReceiverUnreachableError
from ...messages import Member, MemberState
from ...session.liveness import Liveness
from ...session.retry_policy import RetryPolicy
from ...session.roster import Roster
from ...session.timeline import SECOND_NS
from ..lanes.lane import Lane
from ..net import clock
from ..net.reachability import is_reachable
from ..net.sockets import peers_of, without_scope
from .output import SILENT, GroupOutput

_LOGGER = logging.getLogger(__name__)

# The interval of checks whether a receiver is back on the network.
_KNOCK_S = 2.0
# How long a session may take to show that it is alive although its receiver has moved.
_MOVED_S = 0.5
# A receiver that is reachable but sends no requests gets a new session after this.
_MUTE_S = 30.0
# Exceeds the rounding of seconds since 1970 in a float, about 0.2 µs.
_ROUNDING_NS = 1_000_000
_MUTE = "the receiver no longer asks for the time"


class ReconnectLogic:
    """Keeps one member connected to the running line while the policy allows."""

    def __init__(
        self,
        receiver: str,
        output: GroupOutput,
        roster: Roster,
        retries: RetryPolicy,
        *,
        is_asked_for: Callable[[], bool],
        on_arrived: Callable[[Lane], None],
        on_heard: Callable[[], None],
    ) -> None:
        self.receiver = receiver
        self.task: asyncio.Task[None] | None = None
        self.is_given_up = False
        self.is_heard = False
        # Whether no way has made it play, or it was lost since.
        self.has_failed = False
        # Whether it plays alone, was lost, and is being connected once more.
        self.is_rejoining = False
        self._session_address = ""
        self._checked: frozenset[str] = frozenset()
        self._output = output
        self._lanes = output.lanes
        self._changes = output.changes
        self._roster = roster
        self._retries = retries
        self._is_asked_for = is_asked_for
        self._on_arrived = on_arrived
        self._on_heard = on_heard
        self._is_hurried = False
        self._was_there = True
        self._is_climbing = False
        self._error: RaopError = ReceiverUnreachableError("the connection was closed")

    def hurry(self) -> None:
        """Retry at once, if the member is missing."""
        self._retries.was_seen()
        self._is_hurried = True
        self._changes.notify()

    def lost(self, error: RaopError) -> None:
        """Record why its session ended.

        A receiver that plays alone is tried once more if it may be at another address,
        or if it ended the session because of a request that is left out from now on.
        """
        self._error = error
        is_gone = isinstance(error, ReceiverUnreachableError)
        is_climbing = self._lanes.proof.is_climbing_on(self.receiver)
        can_return = self.is_heard and (is_climbing or (is_gone and self._is_elsewhere))
        verdict = self._retries.verdict(error, time.monotonic())
        self.is_rejoining = self._is_alone and can_return and not verdict

    async def run(self) -> RaopError:
        """Keep the member connected; return the error that ended its retries."""
        while member := self._roster.member_for(self.receiver):
            was_lost = self._error if self.is_rejoining else None
            try:
                lane = await self._connect(member)
                self.is_rejoining, was_lost = False, None
                await self._follow(lane)
            except RaopError as err:
                self._error = err
            self.is_heard = False
            await self._take_out()
            if self._is_alone:
                if self.is_rejoining and not was_lost:
                    continue
                self.is_given_up = self.is_rejoining
                return was_lost or self._error
            if self._lanes.proof.tries_again(self.receiver) or self._is_climbing:
                self._is_climbing = False
                continue
            self.has_failed = True
            self._changes.notify()
            verdict = self._verdict(self._error)
            if verdict:
                self.is_given_up = True
                return verdict
            _LOGGER.debug("%s: lost: %s", member.name, self._error)
            is_unreachable = isinstance(self._error, ReceiverUnreachableError)
            if is_unreachable and await self._is_back():
                continue
            await self._wait(self._retries.next_wait_s())
        return self._error

    @property
    def _is_alone(self) -> bool:
        return not self._roster.is_group

    def _verdict(self, error: RaopError) -> RaopError | None:
        self._retries.missed(time.monotonic())
        if self._is_asked_for():
            return error
        self._lanes.reporter.member(self.receiver, MemberState.LOST, error)
        return self._retries.verdict(error, time.monotonic())

    async def _connect(self, member: Member) -> Lane:
        """Return its session once it plays."""
        lane = self._lanes.lane_for(self.receiver)
        if lane is None or not lane.is_open:
            if not self._was_there:
                await self._knock(member)
            connector = self._output.connector
            if error := connector.failures.pop(self.receiver, None):
                raise error
            lane = await connector.arrive(member)
            self._on_arrived(lane)
        await self._hear(lane)
        return lane

    async def _hear(self, lane: Lane) -> None:
        """Wait for its first frame's instant and for evidence."""
        late_ns: int | None = None
        while True:
            heard_ns, now_ns = self._heard_ns(lane), clock.now_ns()
            is_time = heard_ns is not None and now_ns >= heard_ns
            if is_time and lane.is_proven:
                break
            self._check(lane)
            if is_time and late_ns is None:
                late_ns = now_ns + round(
                    self._lanes.proof.patience_for_s(lane) * SECOND_NS
                )
            is_late = late_ns is not None and now_ns >= late_ns
            if is_late and not self._is_alone and not lane.accept_silence():
                error = ReceiverSilentError(SILENT)
                self._is_climbing = self._lanes.proof.fail(lane, error)
                raise error
            until_ns = late_ns if is_time else heard_ns
            await self._changes.wait(None if is_late else until_ns)
        lane.mark_heard()
        self._was_there = True
        self._sounds(lane)

    async def _follow(self, lane: Lane) -> None:
        """Return when it no longer plays and does not recover."""
        liveness = Liveness()
        while self._is_standing(lane):
            self._is_hurried = False
            if self._has_moved(lane):
                await lane.check(_MOVED_S)
                self._is_hurried = True
            elif self._is_silent(lane, liveness) and not self._is_alone:
                self._drop_out(ReceiverSilentError(_MUTE))
                await self._await_sound(lane, liveness)
                # The gap says nothing about its usual request interval.
                liveness = Liveness()
                self._sounds(lane)
            else:
                await self._changes.wait(self._silent_ns(liveness))
        await self._lanes.explained(self.receiver)
        self._drop_out(self._error)

    def _has_moved(self, lane: Lane) -> bool:
        """Whether it announces other addresses than its session's; once for each change.

        A record may lack an address for a moment, so the session decides.
        """
        here = self._addresses
        if here == self._checked:
            return False
        self._checked = here
        return bool(here) and without_scope(lane.connection.remote) not in here

    @property
    def _addresses(self) -> frozenset[str]:
        member = self._roster.member_for(self.receiver)
        return peers_of(member.host, member.addresses) if member else frozenset()

    @property
    def _is_elsewhere(self) -> bool:
        """Whether it has an address other than that of its session."""
        return bool(self._addresses - {self._session_address})

    def _sounds(self, lane: Lane) -> None:
        self.is_heard, self.has_failed = True, False
        self._session_address = without_scope(lane.connection.remote)
        if not self._is_alone:
            self._lanes.keep_level(self.receiver)
        self._retries.came_back()
        self._lanes.proof.sounds(lane)
        self._on_heard()

    async def _await_sound(self, lane: Lane, liveness: Liveness) -> None:
        """Keep sending to a silent receiver while its connection is open."""
        since_s, knock_ns = time.monotonic(), _knock_ns()
        lane.connection.endure()
        while self._is_silent(lane, liveness):
            await self._changes.wait(knock_ns)
            self._check(lane)
            is_back, self._is_hurried = self._is_hurried, False
            if not is_back and clock.now_ns() < knock_ns:
                continue
            is_back = is_back or await self._is_back()
            knock_ns = _knock_ns()
            if is_back:
                # After a restart it has lost the session.
                await lane.check()
                if not self._is_standing(lane):
                    self._is_hurried = True
                    raise ReceiverUnreachableError("the receiver has lost the session")
            if not self._was_there:
                since_s = time.monotonic()
            elif time.monotonic() - since_s > _MUTE_S:
                raise ReceiverSilentError(_MUTE)

    async def _wait(self, wait_s: float) -> None:
        """Wait for a retry interval, or until the receiver is back on the network."""
        until_s = time.monotonic() + wait_s
        while (left_s := until_s - time.monotonic()) > 0:
            if self._was_there:
                await self._pause(left_s)
                return
            if await self._pause(min(left_s, _KNOCK_S)) or await self._is_back():
                return

    async def _is_back(self) -> bool:
        """Return whether it is reachable now and was not before."""
        member = self._roster.member_for(self.receiver)
        if member is None:
            return True
        was_there, self._was_there = self._was_there, await is_reachable(member)
        return self._was_there and not was_there

    async def _knock(self, member: Member) -> None:
        self._was_there = await is_reachable(member)
        if not self._was_there:
            raise ReceiverUnreachableError(f"{member.host} does not answer")

    async def _pause(self, wait_s: float) -> bool:
        """Wait; return True, and early, if a retry was requested."""
        until_ns = clock.now_ns() + round(wait_s * SECOND_NS)
        if not await self._changes.wait_for(lambda: self._is_hurried, until_ns):
            return False
        self._is_hurried = False
        return True

    async def _take_out(self) -> None:
        """Release the session of an attempt that failed or has ended."""
        if not self._is_alone:
            await self._lanes.drop(self.receiver)

    def _drop_out(self, error: RaopError) -> None:
        self._error = error
        self.is_heard = False
        self._retries.dropped_out(time.monotonic())
        if self._is_alone:
            return
        self._lanes.drop_outs[self.receiver] = self._retries.drop_outs
        self._lanes.reporter.member(self.receiver, MemberState.LOST, error)

    def _is_standing(self, lane: Lane) -> bool:
        return lane.is_open and self._lanes.lane_for(self.receiver) is lane

    def _check(self, lane: Lane) -> None:
        if not self._is_standing(lane):
            raise self._error

    def _is_silent(self, lane: Lane, liveness: Liveness) -> bool:
        if self._output.line is None or lane.last_evidence_ns is None:
            return False
        liveness.asked(lane.last_evidence_ns / SECOND_NS)
        return liveness.is_silent(clock.now_ns() / SECOND_NS)

    def _silent_ns(self, liveness: Liveness) -> int | None:
        """Return when a group member counts as silent without a new request."""
        silent_s = liveness.silent_at_s
        if self._is_alone or self._output.line is None or silent_s is None:
            return None
        return round(silent_s * SECOND_NS) + _ROUNDING_NS

    def _heard_ns(self, lane: Lane) -> int | None:
        transmitter, outlet = self._output.transmitter, lane.outlet
        if transmitter is None or outlet is None:
            return None
        return transmitter.heard_ns(outlet)


def _knock_ns() -> int:
    """Return the time of the next reachability check."""
    return clock.now_ns() + round(_KNOCK_S * SECOND_NS)
