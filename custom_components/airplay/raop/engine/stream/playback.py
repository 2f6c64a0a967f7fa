"""The music of a stream: what plays and who hears it, until it ends or is let go."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from ...errors import RaopError, ReceiverSilentError, ReceiverUnreachableError
from ...messages import Event, Member, Play
from ...session.timeline import ms_of_frames
from ..pacing.feed import Pcm
from ..pacing.pacer import Pacer
from .confirmation import StartConfirmation
from .item import MediaItem
from .item_queue import ItemQueue
from .lanes import Lanes
from .membership import Membership
from .output import SILENT, GroupOutput
from .progress import ProgressTracker
from .reports import StreamReporter
from .speaking_turns import SpeakingTurns


class Playback:
    """What commands have begun on a stream, and what becomes of it by itself."""

    def __init__(
        self,
        name: str,
        lanes: Lanes,
        *,
        pacer: Pacer,
        emit: Callable[[Event], None],
        on_idle: Callable[[], None],
    ) -> None:
        self._lanes = lanes
        self._pacer = pacer
        self._on_idle = on_idle
        self.items = ItemQueue(name, pacer=pacer, emit=emit)
        self.reporter = StreamReporter(name, emit)
        self.output = GroupOutput(
            lanes, pacer, on_switch=self.items.switched, on_end=self._ran_out
        )
        self.tracker = ProgressTracker(
            self.output, self.items, self.reporter, on_item=self._now_at
        )
        self.turns = SpeakingTurns(self.output, self)
        self.membership = Membership(self.output, self, on_arrived=self.tracker.show_to)
        self.confirmation = StartConfirmation(
            self.output, self.tracker, self.check_alive
        )
        # What plays or is paused, and where it stands if it begins anew.
        self.command: Play | None = None
        self.failure: RaopError | None = None
        # For how long the sessions of what is paused are kept.
        self.keep_s = 0.0
        # Between two items neither the old one's end nor a lost receiver ends the
        # stream: the command at work sees to both.
        self.is_switching = False
        # Those of a group that are on their way may come although others are lost.
        self.is_gathering = False
        self._release: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it holds no session, no media and nothing to go on with."""
        return (
            not self._lanes
            and not self.output.are_ending
            and not self.turns.is_taken
            and self.items.present is None
            and not self.reporter.is_paused
        )

    @property
    def members(self) -> tuple[Member, ...]:
        """The receivers of what plays or is paused."""
        return self.membership.members if self.command else ()

    @property
    def has_command(self) -> bool:
        """Whether something plays or is paused."""
        return self.command is not None

    @property
    def is_changing(self) -> bool:
        """Whether a lost receiver does not end what plays, or nothing does."""
        return self.reporter.is_paused or self.is_switching or self.is_gathering

    @property
    def active(self) -> tuple[Member, ...]:
        """Those of them that were not switched to another source."""
        return self.membership.active if self.command else ()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing plays or is about to."""
        return self.command is None or self.reporter.is_paused

    @property
    def is_live(self) -> bool:
        """Whether what plays cannot wait."""
        present = self.items.present
        return present is not None and present.is_live

    @property
    def paused_ms(self) -> int:
        """The position at which a pause came."""
        transmitter = self.output.transmitter
        return ms_of_frames(transmitter.feed.paused_position) if transmitter else 0

    def check_alive(self) -> None:
        """Raise what ended the stream while a command was at work on it."""
        if not (self._lanes or self.membership.has_hope):
            raise self.failure or ReceiverUnreachableError(
                "the receiver closed the connection"
            )

    def keep(self) -> None:
        """Keep the sessions of what is paused until further notice."""
        if self._release and self._release is not asyncio.current_task():
            self._release.cancel()
        self._release = None

    def release_later(self) -> None:
        """Keep the sessions of what is paused for `keep_s`, then free the receivers."""
        self.keep()
        self._release = asyncio.create_task(self._let_go_later(self.paused_ms))

    async def rest(self) -> None:
        """Be paused again after a voice, or idle."""
        if self.items.present:
            await self.output.pause()
            self.release_later()
        else:
            await self.close()
            self._on_idle()

    async def wait_idle(self) -> None:
        """Let an end that has begun be over: it may wait for a TEARDOWN's answer."""
        if self._ending:
            await asyncio.wait([self._ending])

    async def fail(self, receiver: str, error: RaopError) -> None:
        """End, as nobody is left to hear it."""
        await self.end(reason="failed", error=error, receiver=receiver)

    async def end_with(self, err: BaseException) -> None:
        """End because of an error; whoever cancelled us says what comes instead."""
        if not isinstance(err, Exception):
            return await self.close()
        error = err if isinstance(err, RaopError) else RaopError(repr(err))
        return await self.end(reason="failed", error=error)

    async def end(
        self,
        *,
        reason: str,
        error: RaopError | None = None,
        receiver: str | None = None,
    ) -> None:
        """Free the receivers and tell why; a voice keeps those that it needs."""
        self.failure = error
        self.membership.end(error, is_final=reason == "stopped")
        command = self.command
        self.keep()
        if self.turns.is_taken and self._lanes and reason != "stopped":
            await self._leave_to_voice()
        else:
            await self.close()
        if self.command is not command:
            return  # A newer command has taken the stream meanwhile.
        self.command = None
        self.reporter.end(reason, error, receiver)
        if not self.turns.is_taken:
            # The voice may have ended while the music was left.
            await self.close()
        self._on_idle()

    async def close(self) -> None:
        """Free the receivers and leave the media."""
        await self._leave()
        await self.output.end()

    async def _leave_to_voice(self) -> None:
        """Leave the media, and the sessions to a voice."""
        await self._leave()
        if self.output.transmitter:
            await self._pacer.run(self.output.transmitter.clear)

    async def _leave(self) -> None:
        self.items.close()
        self.tracker.stop()
        await self.membership.rest()

    async def _let_go_later(self, position_ms: int) -> None:
        """Free the receivers of a stream that stays paused."""
        await asyncio.sleep(self.keep_s)
        async with self.output.gate:
            self._release = None
            if self.command and self.items.present:
                media = replace(self.items.present.media, position_ms=position_ms)
                self.command = replace(self.command, media=media, start_at=None)
            await self.close()

    def _now_at(self, item: MediaItem) -> None:
        """Go on from the next item when it comes to that."""
        if self.command:
            self.command = replace(self.command, media=item.media)

    def _ran_out(self, source: Pcm) -> None:
        """Everything was heard, unless other media took the source's place."""
        self.tracker.hand_over(source)
        playback = self.items.present
        if playback is None or playback.source is not source or self.is_switching:
            return
        error: RaopError | None = playback.error
        if error is None and not self._lanes.have_evidence:
            if self.confirmation.handle_end():
                return
            error = ReceiverSilentError(SILENT)
        reason = "failed" if error else "finished"
        self._ending = asyncio.create_task(self.end(reason=reason, error=error))
