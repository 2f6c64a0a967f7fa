"""The sender's playback commands for one speaker or a group."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum

from homeassistant.core import callback

from ..helpers.settings import BUSY_WAIT, PATIENCE_S
from ..media.media import Playable
from ..raop.api import Media, NoStreamError, Pause, Play, Queue, RaopError, Resume, Stop
from ..sender.errors import SenderGoneError
from ..sender.sender import Sender
from .members import PlayerMembers
from .reported import PlayerState, ReportedState

# Nothing is paused, maybe because the process that paused it has ended.
_NOTHING_PAUSED = (NoStreamError, SenderGoneError)
_PLAY_S = 60.0


class Aim(StrEnum):
    """The goal of a user's request."""

    PLAY = "play"
    PAUSE = "pause"
    STOP = "stop"


class Intent:
    """A user's request, until another one replaces it."""

    def __init__(self, aim: Aim) -> None:
        """Initialize as the current request, in progress."""
        self._aim = aim
        self._is_replaced = False
        self._is_done = False
        self._waiting: asyncio.Timeout | None = None

    def is_current(self) -> bool:
        """Whether no other request has followed."""
        return not self._is_replaced

    def is_under_way(self, aim: Aim) -> bool:
        """Whether this is the aim, and the sender has not responded yet."""
        return self._aim is aim and not self._is_done

    @callback
    def async_done(self) -> None:
        """Record that the sender has responded."""
        self._is_done = True

    @callback
    def async_replace(self) -> None:
        """Record that another request followed; end `async_wait`."""
        self._is_replaced = True
        if self._waiting:
            # A time in the past: it ends now.
            self._waiting.reschedule(0)

    async def async_wait(self, until: Awaitable[None]) -> None:
        """Wait for an awaitable, but only while this request is current."""
        try:
            async with asyncio.timeout(None) as self._waiting:
                await until
        except TimeoutError:
            pass
        finally:
            self._waiting = None


class StreamCommands:
    """Plays on one or several speakers; the last command wins."""

    def __init__(
        self, sender: Sender, members: PlayerMembers, reported: ReportedState
    ) -> None:
        """Initialize without requests."""
        self._sender = sender
        self._members = members
        self._reported = reported
        self._intent = Intent(Aim.STOP)
        self._intent.async_done()

    @property
    def is_pausing(self) -> bool:
        """Whether a pause is in progress and the latest request."""
        return self._intent.is_under_way(Aim.PAUSE)

    @property
    def is_stopping(self) -> bool:
        """Whether a stop is in progress and the latest request."""
        return self._intent.is_under_way(Aim.STOP)

    @callback
    def async_intend(self, aim: Aim) -> Intent:
        """Return a new request for a command in preparation; it replaces the previous one."""
        self._intent.async_replace()
        self._intent = Intent(aim)
        return self._intent

    async def async_play(self, intent: Intent, playable: Playable) -> None:
        """Play media unless another command has followed; return when it plays.

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
            media=self._leveled(playable.media),
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
        """Queue media to follow without a gap, or clear it.

        Raises RaopError: when the sender does not respond.
        """
        if playable:
            self._reported.async_expect_behind(playable)
        await self._sender.async_request(
            Queue(
                stream=self._members.stream,
                media=self._leveled(playable.media) if playable else None,
                crossfade_ms=self._members.leader.settings.crossfade_ms,
            )
        )

    async def async_pause(self) -> None:
        """Pause at once, and keep the receiver for the configured time.

        Raises RaopError: when the sender does not respond.
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
            # The pause came before the stream existed.
            reported.async_hold(pending)

    async def async_resume(self) -> bool:
        """Resume; return whether a paused stream existed.

        Raises RaopError: when it can no longer be played.
        """
        try:
            with self._reported.expecting(None), self._reporting_errors():
                await self._sender.async_request(Resume(stream=self._members.stream))
        except _NOTHING_PAUSED:
            return False
        return True

    async def async_stop(self) -> None:
        """Stop, including pending starts and announcements; release the receiver.

        Raises RaopError: when the sender does not respond.
        """
        members, reported = self._members, self._reported
        with self._intending(Aim.STOP) as intent:
            if not reported.is_idle or any(
                each.has_own_session for each in members.speakers
            ):
                await self._sender.async_request(Stop(stream=members.stream))
        if intent.is_current() and reported.state is not PlayerState.IDLE:
            # The sender reports no end of a stream that did not exist yet.
            reported.async_end()
            reported.async_notify()

    def _leveled(self, media: Media) -> Media:
        """Return media with the loudness that the user wants of the leader."""
        return replace(media, loudness=self._members.leader.settings.loudness)

    @contextmanager
    def _intending(self, aim: Aim) -> Iterator[Intent]:
        """Yield a request that is in progress until the end of the block."""
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
