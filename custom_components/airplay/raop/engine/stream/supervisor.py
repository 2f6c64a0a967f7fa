"""Supervises the members of a stream: late ones, and those that drop out."""

import asyncio
from collections.abc import Callable
import logging

from ...errors import RaopError
from ...messages import Member
from ...session.retry_policy import RetryPolicy
from ...session.roster import Roster
from ..lanes.lane import Lane
from .output import GroupOutput
from .reconnect import ReconnectLogic

_LOGGER = logging.getLogger(__name__)

# As long as a router needs to restart, and as long as a listener waits for music.
_HOPE_S = 60.0


class MemberSupervisor:
    """Runs one reconnect logic for each member while a line runs."""

    def __init__(
        self,
        output: GroupOutput,
        roster: Roster,
        *,
        on_arrived: Callable[[Lane], None],
        on_hopeless: Callable[[str, RaopError], None],
    ) -> None:
        self._output = output
        self._roster = roster
        self._on_arrived = on_arrived
        self._on_hopeless = on_hopeless
        self._policies: dict[str, RetryPolicy] = {}
        self._logics: dict[str, ReconnectLogic] = {}
        self._awaited: dict[str, asyncio.Future[None]] = {}
        self._giving_up: asyncio.TimerHandle | None = None
        self._is_running = False
        # The members that did not play when the line ended.
        self.missing: frozenset[str] = frozenset()

    @property
    def has_hope(self) -> bool:
        """Whether playback continues although no member plays: one may come back."""
        is_expected = self._roster.is_group or any(
            logic.is_rejoining for logic in self._logics.values()
        )
        return self._is_running and is_expected and bool(self._roster.active)

    @property
    def is_trying(self) -> bool:
        """Whether a member that does not play has ways that were not tried yet."""
        logics = self._logics.values()
        return any(not (each.is_heard or each.has_failed) for each in logics)

    def is_trying_on(self, receiver: str) -> bool:
        """Whether a member does not play, and is being tried, maybe another way."""
        logic = self._logics.get(receiver)
        return logic is not None and not (logic.is_heard or logic.has_failed)

    def start(self) -> None:
        """Supervise all active members."""
        self._is_running = True
        for member in self._roster.active:
            self._supervise(member.receiver)

    async def rest(self) -> None:
        """Stop all supervision, as when a line ends."""
        if self._is_running:
            logics = self._logics.items()
            self.missing = frozenset(name for name, it in logics if not it.is_heard)
        self._is_running = False
        self._give_up_later(None)
        await asyncio.gather(*(self._stop_logic(name) for name in (*self._logics,)))
        await self._output.connector.clear()

    def dismiss(self, error: RaopError | None = None) -> None:
        """Release all joining callers, with an error or without."""
        for name in (*self._awaited,):
            self._answer(name, error)

    async def joined(self, receiver: str) -> None:
        """Wait until a member plays.

        Raises RaopError: it cannot play and is no longer a member.
        """
        logic = self._logics.get(receiver)
        if logic and logic.is_heard:
            return
        answer = self._awaited.get(receiver)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            self._awaited[receiver] = answer
        if self._is_running:
            self._supervise(receiver)
            self._logics[receiver].hurry()
        await asyncio.shield(answer)

    async def leave(self, receiver: str) -> None:
        """Stop supervising a member."""
        self._policies.pop(receiver, None)
        await self._stop_logic(receiver)
        self._answer(receiver, None)

    def seen(self, member: Member) -> None:
        """Retry a missing member at once, maybe at another address."""
        if not self._roster.seen(member):
            return
        self._output.lanes.seen(member)
        if logic := self._logics.get(member.receiver):
            logic.hurry()

    def lost(self, receiver: str, error: RaopError) -> None:
        """Record a lost session; if none is left, limit the wait for a return."""
        if logic := self._logics.get(receiver):
            logic.lost(error)
        if self.has_hope and not self._output.lanes and self._giving_up is None:
            self._give_up_later(lambda: self._on_hopeless(receiver, error))

    def _supervise(self, receiver: str) -> None:
        if receiver in self._logics:
            return
        policy = self._policies.setdefault(receiver, RetryPolicy())
        logic = ReconnectLogic(
            receiver,
            self._output,
            self._roster,
            policy,
            is_asked_for=lambda: receiver in self._awaited,
            on_arrived=self._on_arrived,
            on_heard=lambda: self._heard(receiver),
        )
        self._logics[receiver] = logic
        logic.task = asyncio.create_task(self._run(logic))

    async def _run(self, logic: ReconnectLogic) -> None:
        try:
            error = await logic.run()
        except Exception as err:
            _LOGGER.exception("Unexpected error while supervising a member")
            error = RaopError(repr(err))
            self._answer(logic.receiver, error)
        receiver = logic.receiver
        if self._logics.get(receiver) is not logic:
            return
        del self._logics[receiver]
        if not logic.is_given_up:
            return
        is_group = self._roster.is_group
        if is_group:
            self._policies.pop(receiver, None)
            self._roster.remove(receiver)
            await self._output.lanes.leave(receiver, error)
        self._output.changes.notify()
        self._answer(receiver, error)
        if not (is_group and self._roster.active):
            self._on_hopeless(receiver, error)

    def _heard(self, receiver: str) -> None:
        self._give_up_later(None)
        self._answer(receiver, None)

    def _answer(self, receiver: str, error: RaopError | None) -> None:
        answer = self._awaited.pop(receiver, None)
        if answer is None or answer.done():
            return
        if error:
            answer.set_exception(error)
            # The caller may no longer wait.
            answer.exception()
        else:
            answer.set_result(None)

    async def _stop_logic(self, receiver: str) -> None:
        logic = self._logics.pop(receiver, None)
        if logic and logic.task and logic.task is not asyncio.current_task():
            logic.task.cancel()
            await asyncio.gather(logic.task, return_exceptions=True)

    def _give_up_later(self, then: Callable[[], None] | None) -> None:
        if self._giving_up:
            self._giving_up.cancel()
            self._giving_up = None
        if then:
            loop = asyncio.get_running_loop()
            self._giving_up = loop.call_later(_HOPE_S, then)
