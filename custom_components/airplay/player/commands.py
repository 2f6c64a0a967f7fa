"""The commands to the sender that play on one speaker or a group."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from homeassistant.core import callback

from ..helpers.settings import BUSY_WAIT, PATIENCE_S
from ..media.media import Playable
from ..raop.api import NoStreamError, Pause, Play, Queue, RaopError, Resume, Stop
from ..sender.errors import SenderGoneError
from ..sender.sender import Sender
from .members import PlayerMembers
from .reported import PlayerState, ReportedState

# Nothing is paused, maybe because the process that paused it is gone.
_NOTHING_PAUSED = (NoStreamError, SenderGoneError)
_PLAY_S = 60.0


class Aim(StrEnum):
    """What a user wants of a player."""

    PLAY = "play"
    PAUSE = "pause"
    STOP = "stop"


class Intent:
    """A request of a user, until another one replaces it."""

    def __init__(self, aim: Aim) -> None:
        """Begin as the current one, on its way."""
        self._aim = aim
        self._is_replaced = False
        self._is_done = False
        self._waiting: asyncio.Timeout | None = None

    def is_current(self) -> bool:
        """Whether no other request came since."""
        return not self._is_replaced

    def is_under_way(self, aim: Aim) -> bool:
        """Whether this is the aim, and the sender has not answered yet."""
        return self._aim is aim and not self._is_done

    @callback
    def async_done(self) -> None:
        """Note that the sender has answered."""
        self._is_done = True

    @callback
    def async_replace(self) -> None:
        """Note that another request came; end what waits for this one."""
        self._is_replaced = True
        if self._waiting:
            self._waiting.reschedule(0)

    async def async_wait(self, until: Awaitable[None]) -> None:
        """Wait for something, but no longer than this request is current."""
        try:
            async with asyncio.timeout(None) as self._waiting:
                await until
        except TimeoutError:
            pass
        finally:
            self._waiting = None


class StreamCommands:
    """Plays on one speaker or on several together; the last command wins."""

    def __init__(
        self, sender: Sender, members: PlayerMembers, reported: ReportedState
    ) -> None:
        """Begin with nothing asked for."""
        self._sender = sender
        self._members = members
        self._reported = reported
        self._intent = Intent(Aim.STOP)
        self._intent.async_done()

    @property
    def is_pausing(self) -> bool:
        """Whether a pause is on its way, and nothing was asked for since."""
        return self._intent.is_under_way(Aim.PAUSE)

    @property
    def is_stopping(self) -> bool:
        """Whether a stop is on its way, and nothing was asked for since."""
        return self._intent.is_under_way(Aim.STOP)

    @callback
    def async_intend(self, aim: Aim) -> Intent:
        """Announce a command that takes time to prepare; it replaces the one before."""
        self._intent.async_replace()
        self._intent = Intent(aim)
        return self._intent

    async def async_play(self, intent: Intent, playable: Playable) -> None:
        """Play media unless another command came since; return when it plays.

        Raises RaopError: when it cannot be played.
        """
        if not intent.is_current():
            return
        leader = self._members.leader
        settings = leader.settings
        if settings.when_busy == BUSY_WAIT and self._reported.is_idle:
            self._reported.async_notify()
            await intent.async_wait(leader.in_use.async_wait())
            if not intent.is_current():
                return
        patience_s = PATIENCE_S.get(settings.when_busy, 0.0)
        command = Play(
            stream=self._members.stream,
            members=tuple(
                each for speaker in self._members.speakers for each in speaker.members
            ),
            media=playable.media,
            depth_ms=settings.depth_ms,
            crossfade_ms=settings.crossfade_ms,
            patience_s=patience_s,
        )
        with self._reported.expecting(playable), self._reporting_errors():
            await self._sender.async_request(
                command,
                within_s=_PLAY_S + patience_s if patience_s else None,
                on_sent=self._reported.async_notify,
            )
        self._reported.async_show(playable)

    async def async_queue(self, playable: Playable | None) -> None:
        """Have media follow without a gap, or nothing.

        Raises RaopError: when the sender does not answer.
        """
        if playable:
            self._reported.async_expect_behind(playable)
        await self._sender.async_request(
            Queue(
                stream=self._members.stream,
                media=playable.media if playable else None,
                crossfade_ms=self._members.leader.settings.crossfade_ms,
            )
        )

    async def async_pause(self) -> None:
        """Fall silent at once, and keep the receiver for a while.

        Raises RaopError: when the sender does not answer.
        """
        reported = self._reported
        with self._intending(Aim.PAUSE) as intent:
            is_paused = reported.state is PlayerState.PAUSED
            if (is_paused and not reported.is_starting) or reported.is_idle:
                return
            pending = reported.next
            keep_s = self._members.leader.settings.keep_paused_s
            await self._sender.async_request(
                Pause(stream=self._members.stream, keep_s=keep_s)
            )
        if intent.is_current() and pending and reported.state is PlayerState.IDLE:
            # It came so early that there was no stream yet.
            reported.async_hold(pending)

    async def async_resume(self) -> bool:
        """Go on where it was paused; return whether there was something to go on.

        Raises RaopError: when it cannot be played any more.
        """
        try:
            with self._reported.expecting(None), self._reporting_errors():
                await self._sender.async_request(Resume(stream=self._members.stream))
        except _NOTHING_PAUSED:
            return False
        return True

    async def async_stop(self) -> None:
        """Stop, also what is still being started or announced; free the receiver.

        Raises RaopError: when the sender does not answer.
        """
        members, reported = self._members, self._reported
        with self._intending(Aim.STOP) as intent:
            if not reported.is_idle or any(
                each.has_own_session for each in members.speakers
            ):
                await self._sender.async_request(Stop(stream=members.stream))
        if intent.is_current() and reported.state is not PlayerState.IDLE:
            # The sender reports no end of a stream that was not there yet.
            reported.async_end()
            reported.async_notify()

    @contextmanager
    def _intending(self, aim: Aim) -> Iterator[Intent]:
        """Request something that is under way until the end of the block."""
        intent = self.async_intend(aim)
        try:
            yield intent
        finally:
            intent.async_done()

    @contextmanager
    def _reporting_errors(self) -> Iterator[None]:
        """Report an error to the speaker, if it plays alone."""
        try:
            yield
        except RaopError as error:
            self._members.async_failed(error)
            raise
