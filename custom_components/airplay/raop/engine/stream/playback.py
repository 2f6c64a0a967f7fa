"""The playback of a stream: its parts, its end, and its idle state."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from ...errors import RaopError, ReceiverSilentError, ReceiverUnreachableError
from ...messages import EndReason
from ...session.timeline import SECOND_NS, ms_of_frames
from ..net import clock
from ..pacing.change_signal import ChangeSignal
from ..pacing.feed import Pcm
from .context import StreamContext
from .item import MediaItem
from .item_queue import ItemQueue
from .lanes import Lanes
from .membership import Membership
from .output import SILENT, GroupOutput
from .progress import ProgressTracker
from .reports import StreamReporter
from .speaking_turns import SpeakingTurns
from .states import StreamStatus

# How long a group may take to find a way that plays.
_LONGEST_S = 12.0


class Playback:
    """The parts of a stream, connected to each other."""

    def __init__(
        self, name: str, context: StreamContext, on_idle: Callable[[], None]
    ) -> None:
        self._on_idle = on_idle
        self.status = StreamStatus()
        self.reporter = StreamReporter(name, self.status, context.emit)
        self.items = ItemQueue(
            name, context.decoders, pacer=context.pacer, emit=context.emit
        )
        changes = ChangeSignal()
        self._lanes = Lanes(
            name, context, self.reporter, changes, on_lost=self._handle_lost
        )
        self.output = GroupOutput(
            self._lanes,
            context.pacer,
            changes,
            on_switch=self.items.switched,
            on_end=self._handle_end,
        )
        self.tracker = ProgressTracker(
            self.output, self.items, self.reporter, on_item=self._now_at
        )
        self.membership = Membership(
            self.output,
            self.status,
            on_arrived=self.tracker.show_to,
            on_all_lost=self._fail,
        )
        self.turns = SpeakingTurns(
            self.output,
            self.membership,
            self.status,
            wait_idle=self.wait_idle,
            keep=self.keep,
            rest=self._rest,
        )
        self.failure: RaopError | None = None
        # How long the sessions of paused playback are kept.
        self.keep_s = 0.0
        # Whether a command waits for evidence that its media plays, and whether the
        # media has ended meanwhile.
        self._is_awaited = self.has_run_out = False
        self._release: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it has no session, no media, and nothing to resume."""
        return (
            not self._lanes
            and not self.output.are_ending
            and not self.turns.is_taken
            and self.items.present is None
            and not self.status.is_paused
        )

    @property
    def is_live(self) -> bool:
        """Whether the current media is live and cannot be paused."""
        present = self.items.present
        return present is not None and present.is_live

    @property
    def paused_ms(self) -> int:
        """The position at which playback was paused."""
        transmitter = self.output.transmitter
        return ms_of_frames(transmitter.feed.paused_position) if transmitter else 0

    def check_alive(self) -> None:
        """Check that the stream has not ended while a command was at work on it.

        Raises RaopError: the error that ended it.
        """
        is_there = self._lanes or self._is_climbing
        if not (is_there or self.membership.has_hope):
            raise self.failure or ReceiverUnreachableError(
                "the receiver closed the connection"
            )

    async def wait_heard(self) -> bool:
        """Wait for the first frame's instant; return whether a receiver plays it.

        Return False if the receiver is silent, or was lost and has another way.
        Raises RaopError: the stream has ended meanwhile.
        """
        self._is_awaited, self.has_run_out = True, False
        heard_ns = self.tracker.heard_ns
        try:
            while clock.now_ns() < heard_ns and not (
                self.has_run_out or self._is_over()
            ):
                await self.output.changes.wait(heard_ns)
            await self._wait_for_evidence()
            self._lanes.proof.accept_silence()
            return self._lanes.proof.is_there
        finally:
            self._is_awaited = False

    async def _wait_for_evidence(self) -> None:
        """Wait until a receiver shows that it plays, or none will.

        In a group, each member has its own patience, and its own ways.
        """
        begun_ns, proof = clock.now_ns(), self._lanes.proof
        while not (proof.is_there or self._is_over()):
            is_trying = self.membership.is_trying and not self.has_run_out
            patience_s = _LONGEST_S if is_trying else proof.patience_s
            until_ns = begun_ns + round(patience_s * SECOND_NS)
            if clock.now_ns() >= until_ns:
                return
            await self.output.changes.wait(until_ns)

    async def finish(self) -> None:
        """End the stream if its media ended while a command waited for evidence."""
        if self.has_run_out:
            await self.end(EndReason.FINISHED)

    def keep(self) -> None:
        """Keep the sessions of paused playback without a limit."""
        if self._release and self._release is not asyncio.current_task():
            self._release.cancel()
        self._release = None

    def release_later(self) -> None:
        """Keep the sessions of paused playback for `keep_s`, then free them."""
        self.keep()
        self._release = asyncio.create_task(self._let_go_later(self.paused_ms))

    async def wait_idle(self) -> None:
        """Wait until an end in progress is over, which may include a TEARDOWN."""
        if self._ending:
            await asyncio.wait([self._ending])

    @asynccontextmanager
    async def ended_by_errors(self) -> AsyncIterator[None]:
        """End the stream on any error; on cancellation only close it."""
        try:
            yield
        except asyncio.CancelledError:
            await self.close()
            raise
        except Exception as err:
            await self.end_with(err)
            raise

    async def end_with(self, err: Exception) -> None:
        """End the stream because of an error."""
        error = err if isinstance(err, RaopError) else RaopError(repr(err))
        await self.end(EndReason.FAILED, error)

    async def end(
        self,
        reason: EndReason,
        error: RaopError | None = None,
        receiver: str | None = None,
    ) -> None:
        """Free the receivers and report the reason; an announcement keeps its own."""
        self.failure = error
        is_stopped = reason is EndReason.STOPPED
        self.membership.end(error, is_final=is_stopped)
        command = self.status.command
        self.keep()
        if self.turns.is_taken and self._lanes and not is_stopped:
            await self._leave_to_voice()
        else:
            await self.close()
        if self.status.command is not command:
            return  # A newer command has taken over meanwhile.
        self.status.command = None
        # Callers may have joined while the receivers were freed.
        self.membership.end(error, is_final=is_stopped)
        self.reporter.end(reason, error, receiver)
        if not self.turns.is_taken:
            # The announcement may have ended while the media was closed.
            await self.close()
        self._on_idle()

    async def close(self) -> None:
        """Free the receivers and close the media."""
        try:
            await self._leave()
        finally:
            await self.output.end()

    async def _rest(self) -> None:
        """Return to the paused or idle state after an announcement."""
        if self.items.present:
            await self.output.pause()
            self.release_later()
        else:
            await self.close()
            self._on_idle()

    async def _leave_to_voice(self) -> None:
        """Close the media, and leave the sessions to an announcement."""
        await self._leave()
        if self.output.transmitter:
            await self.output.pacer.run(self.output.transmitter.clear)

    async def _leave(self) -> None:
        self.items.close()
        self.tracker.stop()
        await self.membership.rest()

    async def _let_go_later(self, position_ms: int) -> None:
        """Free the receivers of a stream that stays paused."""
        await asyncio.sleep(self.keep_s)
        async with self.output.gate:
            self._release = None
            if self.status.command and self.items.present:
                media = replace(self.items.present.media, position_ms=position_ms)
                self.status.command = replace(
                    self.status.command, media=media, start_at=None
                )
            await self.close()

    @property
    def _is_climbing(self) -> bool:
        """Whether a single receiver was lost before sound, and has another way."""
        membership = self.membership
        is_climbing = self._lanes.proof.is_climbing(membership.members)
        return is_climbing and not membership.is_group

    def _is_over(self) -> bool:
        self.check_alive()
        return self._is_climbing

    def _now_at(self, item: MediaItem) -> None:
        """Restart from this item if the stream has to start again."""
        if self.status.command:
            self.status.command = replace(self.status.command, media=item.media)

    async def _handle_lost(self, receiver: str, error: RaopError) -> None:
        await self.membership.lost(receiver, error)

    async def _fail(self, receiver: str, error: RaopError) -> None:
        """End the stream, as no receiver is left."""
        await self.end(EndReason.FAILED, error, receiver)

    def _handle_end(self, source: Pcm) -> None:
        """End the stream after its last frame, unless the source was replaced."""
        self.tracker.hand_over(source)
        item = self.items.present
        if item is None or item.source is not source or self.status.is_changing:
            return
        error: RaopError | None = item.error
        if error is None and not self._lanes.proof.is_there:
            if self._is_awaited:
                # The command handles it.
                self.has_run_out = True
                self.output.changes.notify()
                return
            self._lanes.proof.accept_silence()
            if not self._lanes.proof.is_there:
                error = ReceiverSilentError(SILENT)
        reason = EndReason.FAILED if error else EndReason.FINISHED
        self._ending = asyncio.create_task(self.end(reason, error))
