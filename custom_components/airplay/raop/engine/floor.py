"""Who may speak on a stream, and on what: the line of its music, or one of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from ..messages import Member, Target
from ..session.timeline import SECOND_NS
from .members import all_of, tear_down
from .sessions import Sessions
from .transmitter import Transmitter

# Until the last frame has left the receiver's own output buffer.
_TAIL_S = 0.25


class Music(Protocol):
    """What a voice needs to know of the music on its stream."""

    @property
    def members(self) -> tuple[Member, ...]:
        """The receivers of what plays or is paused."""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing plays or is about to."""

    async def settle(self) -> None:
        """Let an end that has begun be over."""

    def keep(self) -> None:
        """Leave what is paused as it is, for as long as there is a voice."""

    async def rest(self) -> None:
        """Be paused again, or idle."""


class Floor:
    """Lets one voice at a time speak; afterwards all is as it was before."""

    def __init__(self, sessions: Sessions, music: Music) -> None:
        self._sessions = sessions
        self._music = music
        self._turn = asyncio.Lock()
        self._voices: set[asyncio.Task[None]] = set()

    @property
    def is_taken(self) -> bool:
        """Whether somebody speaks, or is about to."""
        return bool(self._voices)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Have the floor; the task that has it is cancelled by `clear`."""
        async with self._turn:
            voice = asyncio.current_task()
            assert voice is not None
            self._voices.add(voice)
            try:
                yield
            finally:
                self._voices.discard(voice)
                await self._leave()

    async def open(self, target: Target, lead_in_ms: int) -> Transmitter:
        """Return what a voice can be heard on: what plays, or else a silent line."""
        sessions = self._sessions
        async with sessions.gate:
            await self._music.settle()
            self._music.keep()
            wanted = self._music.members or (target.member,)
            if sessions.transmitter is None:
                sessions.members.want(wanted)
                lanes = await sessions.members.connect(wanted)
                await sessions.record(lanes, target.depth_ms)
            elif sessions.is_hushed:
                await sessions.reopen(wanted, _do_nothing)
            if sessions.is_hushed:
                await sessions.wake(lead_in_ms)
            assert sessions.transmitter is not None
            return sessions.transmitter

    async def clear(self) -> None:
        """Let nobody speak any more."""
        voices = tuple(self._voices)
        for voice in voices:
            voice.cancel()
        if voices:
            await asyncio.wait(voices)

    async def restore_volume(self, member: Member) -> None:
        """Set a receiver's level, in a session of its own if there is none."""
        sessions = self._sessions
        async with sessions.gate:
            await self._music.settle()
            if lane := sessions.members.find(member.receiver):
                if member.volume is not None:
                    lane.set_volume(member.volume, is_muted=member.muted)
                return
            sessions.members.want([member])
            lanes = await sessions.members.connect([member])
            try:
                silent = sessions.make_transmitter(1000)
                await all_of(lane.record(silent) for lane in lanes)
            finally:
                await tear_down(lanes)

    async def _leave(self) -> None:
        """Give the line back; music that plays is left alone."""
        if not self._may_rest():
            return
        transmitter = self._sessions.transmitter
        lag_s = transmitter.lag_ns / SECOND_NS if transmitter else 0
        await asyncio.sleep(_TAIL_S + lag_s)
        async with self._sessions.gate:
            await self._music.settle()
            if self._may_rest() and self._sessions.transmitter:
                await self._music.rest()

    def _may_rest(self) -> bool:
        return self._music.is_quiet and not self._voices


def _do_nothing() -> None:
    """Tell nobody: a voice changes no state."""
