"""One stream: a timeline with media at one end and receivers at the other."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import logging

from ...errors import NoStreamError, RaopError, ReceiverSilentError
from ...messages import EndReason, Media, Pause, Play, Resume
from ...session.timeline import frames_of_ms
from ..net import clock
from .context import StreamContext
from .item import MediaItem
from .output import SILENT
from .playback import Playback
from .states import StreamTrigger

_LOGGER = logging.getLogger(__name__)


class Stream:
    """Runs the commands that play one item after another on the same receivers."""

    def __init__(
        self, name: str, context: StreamContext, on_idle: Callable[[Stream], None]
    ) -> None:
        self.name = name
        self._playback = Playback(name, context, lambda: on_idle(self))
        self._status = self._playback.status
        self._reporter = self._playback.reporter
        self._pacer = context.pacer
        self.output = self._playback.output
        self.tracker = self._playback.tracker
        self.turns = self._playback.turns
        self.membership = self._playback.membership

    @property
    def is_idle(self) -> bool:
        """Whether it has no session, no media, and nothing to resume."""
        return self._playback.is_idle

    @property
    def is_live(self) -> bool:
        """Whether the current media is live and cannot be paused."""
        return self._playback.is_live

    async def play(self, command: Play) -> None:
        """Play media; return when it plays.

        On the same receivers, the current media plays until the new one is ready, and
        continues if the new one cannot be played. On others it ends first.

        Raises RaopError: the media cannot be played, or no receiver can play it.
        """
        playback = self._playback
        await playback.wait_idle()
        item = playback.items.make(command.media, command)
        try:
            if self.membership.can_take(command):
                await item.buffer()
            async with self.output.gate:
                await playback.wait_idle()
                # The previous media may have ended while the new one was opened.
                if self.membership.can_take(command):
                    # An announcement may have opened the session meanwhile.
                    await item.buffer()
                    await self._change_media(command, item)
                else:
                    await self._connect_and_begin(command, item)
        except asyncio.CancelledError:
            self._give_up(command, item)
            raise
        except Exception as err:
            self._give_up(command, item)
            is_over = self.output.is_hushed or not playback.items.present
            if is_over and not self._status.is_quiet:
                await playback.end_with(err)
            raise
        await self._wait_heard(command)

    async def pause(self, command: Pause) -> None:
        """Silence the receivers and remember the frame that played."""
        playback = self._playback
        async with self.output.gate:
            if self._status.command is None:
                return
            playback.keep_s = command.keep_s
            with self._status.pausing():
                position_ms = await self._fall_silent(self._status.command)
            self._reporter.change(StreamTrigger.PAUSE, position_ms)
            self.tracker.stop()
            await self.membership.rest()
            self.membership.pause()
            playback.keep()
            if self.output.transmitter and not self.turns.is_taken:
                playback.release_later()

    async def resume(self, command: Resume) -> None:
        """Continue from the frame that played at the pause.

        Raises NoStreamError: nothing is paused.
        Raises RaopError: see `play`.
        """
        paused = self._status.command
        if not self._status.is_paused or paused is None:
            error = NoStreamError("nothing is paused")
            async with self.output.gate:
                if paused and not self.output.line:
                    # The command that was superseded had not begun to play.
                    await self._playback.end_with(error)
            raise error
        self._playback.keep()
        self.output.lanes.renew(self.membership.members)
        async with self.output.gate:
            # If the receivers were freed meanwhile, the command has a new position.
            paused = self._status.command or paused
            position_ms = self._playback.paused_ms
            is_resumed = await self._resume(paused, command.lead_ms)
        again = replace(paused, lead_ms=command.lead_ms)
        if not is_resumed:
            return await self.play(again)
        media = replace(paused.media, position_ms=position_ms)
        return await self._wait_heard(replace(again, media=media, start_at=None))

    async def queue(self, media: Media | None, crossfade_ms: int | None) -> None:
        """Open the next item in the background, or remove it if `media` is None."""
        items = self._playback.items
        transmitter, command = self.output.transmitter, self._status.command
        if transmitter and command and items.present:
            if crossfade_ms is not None:
                command = replace(command, crossfade_ms=crossfade_ms)
            await items.queue(media, command, transmitter)

    async def stop(self) -> None:
        """End the media and all announcements, and free the receivers."""
        await self.turns.clear()
        async with self.output.gate:
            await self._playback.wait_idle()
            await self._playback.end(EndReason.STOPPED)

    async def _connect_and_begin(self, command: Play, item: MediaItem) -> None:
        """Connect the receivers while the media is opened, and begin."""
        playback = self._playback
        await playback.close()
        self._adopt(command)
        playback.failure = None
        self._reporter.change(StreamTrigger.CONNECT, command.media.position_ms)
        async with playback.ended_by_errors():
            with self._status.changing():
                await self.output.prepare(
                    self.membership.members,
                    command.depth_ms,
                    command.patience_s,
                    item.buffer,
                )
            await self._begin(command, item)

    async def _change_media(self, command: Play, item: MediaItem) -> None:
        """Change the media within the open sessions, or reconnect if that fails."""
        self._playback.keep()
        self._playback.items.drop_next()
        self._adopt(command)
        try:
            with self._status.changing():
                await self.membership.free_others()
                await self.output.flush()
                await self._begin(command, item)
        except RaopError as err:
            _LOGGER.debug("%s: reconnecting: %s", self.name, err)
            await self._connect_and_begin(command, item)

    async def _resume(self, command: Play, lead_ms: int | None) -> bool:
        """Resume within the open sessions; return whether there are any."""
        playback, transmitter = self._playback, self.output.transmitter
        if transmitter is None or playback.items.present is None:
            return False
        position_ms = playback.paused_ms
        try:
            self.membership.adopt(command)
            await self.output.reopen(
                self.membership.members,
                lambda: self._reporter.change(StreamTrigger.CONNECT, position_ms),
                absent=self.membership.missing,
            )
        except RaopError:
            self._reporter.change(StreamTrigger.PAUSE, position_ms)
            raise
        await self.output.get_ready()
        now_ns = clock.now_ns()
        soon_ns = self.output.start_ns(now_ns, lead_ms)
        at_ns = await self.output.set_line(
            lambda: transmitter.resume(soon_ns, now_ns), now_ns
        )
        await self._line_set(command, at_ns, position_ms)
        return True

    async def _begin(self, command: Play, item: MediaItem) -> None:
        """Set the line on which an item plays."""
        transmitter = self.output.transmitter
        assert transmitter is not None
        self._playback.items.begin(item)
        await self.output.get_ready()
        now_ns = clock.now_ns()
        at = command.start_at
        wanted_ns = self.output.start_ns(
            now_ns,
            command.lead_ms,
            None if at is None else clock.of_unix(at),
            least_lead_ms=item.least_lead_ms(command.depth_ms),
        )
        position = frames_of_ms(command.media.position_ms)

        def begin() -> int:
            self._pacer.add(transmitter)
            return transmitter.begin(item.source, wanted_ns, now_ns, position)

        at_ns = await self.output.set_line(begin, now_ns)
        await self._line_set(command, at_ns, command.media.position_ms)
        self.tracker.publish(item)

    async def _line_set(self, command: Play, at_ns: int, position_ms: int) -> None:
        """Report when the first frame plays, and follow the line from now on."""
        self._playback.check_alive()
        transmitter = self.output.transmitter
        assert transmitter is not None
        first_ns = await self._pacer.run(lambda: transmitter.first_packet_ns)
        self._playback.check_alive()
        self._reporter.change(StreamTrigger.SET_LINE, position_ms, at_ns)
        due_ns = at_ns - command.depth_ms * 1_000_000
        self._reporter.started(at_ns, first_ns or due_ns)
        self.tracker.start(at_ns)
        self.membership.begin()

    def _give_up(self, command: Play, item: MediaItem) -> None:
        """Discard the item of a failed command, unless it has taken over."""
        if self._playback.items.present is not item:
            item.close()
        self.membership.give_up(command)

    def _adopt(self, command: Play) -> None:
        self.membership.adopt(command)
        self._status.command = command

    async def _fall_silent(self, command: Play) -> int:
        """Hold the media; return its position."""
        playback = self._playback
        if playback.items.present is None:
            return command.media.position_ms
        if self.output.is_hushed and not self._status.is_paused:
            # Not started yet: a resume begins at the original position.
            await playback.close()
            return command.media.position_ms
        if self.output.line:
            await self.output.pause()
        return playback.paused_ms

    async def _wait_heard(self, command: Play) -> None:
        """Wait for the first frame's instant and for evidence that it plays.

        Without evidence the command is repeated by another way.
        """
        if self.output.line is None:
            return
        if await self._playback.wait_heard():
            self.output.lanes.mark_heard()
            self.tracker.update()
            await self._playback.finish()
        elif self._climbs():
            async with self.output.gate:
                await self._playback.close()
            await self.play(command)
        else:
            error = ReceiverSilentError(SILENT)
            await self._playback.end(EndReason.FAILED, error)
            raise error

    def _climbs(self) -> bool:
        """Whether what does not play has another way that starts anew.

        In a group the members have tried theirs, unless the media was over before.
        """
        lanes = self.output.lanes
        if self.membership.is_group and not self._playback.has_run_out:
            return False
        error = ReceiverSilentError(SILENT)
        # Each is to fail, so that none is tried again by the same way.
        is_left = [lanes.proof.fail(each, error) for each in lanes.lanes]
        return lanes.proof.is_climbing(self.membership.members) or any(is_left)
