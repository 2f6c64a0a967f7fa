"""One stream: a timeline with sources at one end and receivers at the other."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import logging

from ..buttons import Button
from ..errors import (
    NoStreamError,
    RaopError,
    ReceiverSilentError,
    ReceiverUnreachableError,
)
from ..messages import Event, Identity, Media, Member, Pause, Play, Resume
from ..session.remote import Remotes
from ..session.timeline import SECOND_NS, frames_of_ms, ms_of_frames
from . import clock
from .company import Company
from .floor import Floor
from .follower import Follower
from .herald import Herald
from .items import Items
from .lanes import Ways
from .members import Members, ignore_button
from .pacer import Pacer
from .playback import Playback
from .ptp_service import PtpService
from .sessions import SILENT, Sessions
from .supply import Pcm

_LOGGER = logging.getLogger(__name__)


class Stream:
    """Plays one item after another on the same receivers."""

    def __init__(
        self,
        name: str,
        *,
        pacer: Pacer,
        identity: Identity,
        emit: Callable[[Event], None],
        on_idle: Callable[[Stream], None],
        remotes: Remotes | None = None,
        ptp: PtpService | None = None,
        ways: Ways | None = None,
        on_button: Callable[[str, Button], None] = ignore_button,
    ) -> None:
        self.name = name
        self._pacer = pacer
        self._on_idle = on_idle
        self._lanes = Members(
            name,
            pacer=pacer,
            identity=identity,
            emit=emit,
            on_lost=self._lost,
            remotes=remotes,
            ptp=ptp,
            ways=ways,
            on_button=on_button,
        )
        self._items = Items(name, pacer=pacer, emit=emit)
        self._herald = Herald(name, emit)
        self.sessions = Sessions(
            self._lanes, pacer, on_switch=self._items.switched, on_end=self._ran_out
        )
        self.follower = Follower(
            self.sessions, self._items, self._herald, on_item=self._now_at
        )
        self.floor = Floor(self.sessions, self)
        self.company = Company(self.sessions, self, on_arrived=self.follower.show_to)
        self._command: Play | None = None
        self._release: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._failure: RaopError | None = None
        self._keep_s = 0.0
        # Between two items neither the old one's end nor a lost receiver ends the
        # stream: the command at work sees to both.
        self._is_switching = False
        # Those of a group that are on their way may come although others are lost.
        self._is_gathering = False
        # A command waits for evidence, and sees to media that ends before there is any.
        self._is_listening = False
        self._has_run_out = False

    @property
    def is_idle(self) -> bool:
        """Whether it holds no session, no media and nothing to go on with."""
        return (
            not self._lanes
            and not self.sessions.are_ending
            and not self.floor.is_taken
            and self._items.present is None
            and not self._herald.is_paused
        )

    @property
    def members(self) -> tuple[Member, ...]:
        """The receivers of what plays or is paused."""
        return self.company.members if self._command else ()

    @property
    def has_command(self) -> bool:
        """Whether something plays or is paused."""
        return self._command is not None

    @property
    def is_changing(self) -> bool:
        """Whether a lost receiver does not end what plays, or nothing does."""
        return self._herald.is_paused or self._is_switching or self._is_gathering

    @property
    def active(self) -> tuple[Member, ...]:
        """Those of them that were not switched to another source."""
        return self.company.active if self._command else ()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing plays or is about to."""
        return self._command is None or self._herald.is_paused

    @property
    def is_live(self) -> bool:
        """Whether what plays cannot wait."""
        present = self._items.present
        return present is not None and present.is_live

    async def play(self, command: Play) -> None:
        """Play media; return when it is heard, raise what stands in the way.

        Running music goes on until the new media is ready, and if that cannot be
        played it goes on altogether.
        """
        await self.settle()
        playback = self._items.make(command.media, command)
        try:
            if self.company.can_take(command):
                await playback.buffer()
            async with self.sessions.gate:
                await self.settle()
                # What played may have come to its end while the media was opened.
                if self.company.can_take(command):
                    await self._switch(command, playback)
                else:
                    await self._start(command, playback)
        except BaseException as err:
            if self._items.present is not playback:
                playback.close()
            self.company.give_up(command)
            if self._is_silenced and isinstance(err, Exception):
                await self._end_with(err)
            raise
        await self._until_heard(command)

    async def pause(self, command: Pause) -> None:
        """Silence the receivers and remember the frame that was heard."""
        async with self.sessions.gate:
            if self._command is None:
                return
            self._keep_s = command.keep_s
            position = await self._fall_silent(self._command)
            if not self._herald.is_paused:
                self._herald.change("paused", position)
            self.follower.stop()
            await self.company.rest()
            self.company.pause()
            self.keep()
            if self.sessions.transmitter and not self.floor.is_taken:
                self._keep_for_a_while()

    async def _fall_silent(self, command: Play) -> int:
        """Hold the music; return the position at which it stands."""
        if self._items.present is None:
            return command.media.position_ms
        if self.sessions.is_hushed and not self._herald.is_paused:
            # Still on its way: it begins where it was to begin, when it is resumed.
            await self._close()
            return command.media.position_ms
        if self.sessions.line:
            await self.sessions.pause()
        return self._paused_ms

    @property
    def _paused_ms(self) -> int:
        transmitter = self.sessions.transmitter
        return ms_of_frames(transmitter.supply.paused_position) if transmitter else 0

    async def resume(self, command: Resume) -> None:
        """Go on from the frame that was heard at the pause."""
        if not self._herald.is_paused or self._command is None:
            raise NoStreamError("nothing is paused")
        self.keep()
        async with self.sessions.gate:
            is_resumed = await self._go_on(self._command, command.lead_ms)
        if is_resumed:
            return await self._until_heard()
        return await self.play(replace(self._command, lead_ms=command.lead_ms))

    async def _go_on(self, command: Play, lead_ms: int | None) -> bool:
        """Go on within the session; return whether there is one."""
        transmitter = self.sessions.transmitter
        if transmitter is None or self._items.present is None:
            return False
        position = self._paused_ms
        try:
            self.company.adopt(command)
            await self.sessions.reopen(
                self.members,
                lambda: self._herald.change("connecting", position),
                absent=self.company.missing,
            )
        except RaopError:
            self._herald.change("paused", position)
            raise
        now_ns = clock.now_ns()
        soon_ns = self.sessions.start_ns(now_ns, lead_ms)
        at_ns = await self._pacer.run(lambda: transmitter.resume(soon_ns, now_ns))
        await self._announce(at_ns, position)
        return True

    async def queue(self, media: Media | None, crossfade_ms: int | None) -> None:
        """Open what shall follow; return at once."""
        transmitter, command = self.sessions.transmitter, self._command
        if transmitter and command and self._items.present:
            if crossfade_ms is not None:
                command = replace(command, crossfade_ms=crossfade_ms)
            await self._items.queue(media, command, transmitter)

    async def stop(self) -> None:
        """End the sessions, also what is announced, and free the receivers."""
        await self.floor.clear()
        async with self.sessions.gate:
            await self.settle()
            await self._end(reason="stopped")

    async def settle(self) -> None:
        """Let an end that has begun be over: it may wait for a TEARDOWN's answer."""
        if self._ending:
            await asyncio.wait([self._ending])

    def keep(self) -> None:
        """Keep the sessions of what is paused until further notice."""
        if self._release and self._release is not asyncio.current_task():
            self._release.cancel()
        self._release = None

    async def rest(self) -> None:
        """Be paused again after a voice, or idle."""
        if self._items.present:
            await self.sessions.pause()
            self._keep_for_a_while()
        else:
            await self._close()
            self._on_idle(self)

    @property
    def _is_silenced(self) -> bool:
        """Whether the old media was silenced for new media."""
        return self.sessions.is_hushed and not self.is_quiet

    async def _start(self, command: Play, playback: Playback) -> None:
        """Connect the receivers while the media is opened, and begin."""
        await self._close()
        self.company.adopt(command)
        self._command = command
        self._failure = None
        self._herald.change("connecting", command.media.position_ms)
        connecting = self.sessions.open(
            self.members, command.depth_ms, command.patience_s, playback.buffer
        )
        self._is_gathering = self.company.is_group
        try:
            await connecting
            self._is_gathering = False
            await self._begin(command, playback)
        except BaseException as err:
            self._is_gathering = False
            await self._end_with(err)
            raise

    async def _switch(self, command: Play, playback: Playback) -> None:
        """Change to other media within the sessions."""
        self.keep()
        self._items.drop_next()
        self.company.adopt(command)
        self._command = command
        self._is_switching = True
        try:
            await self.company.free_others()
            await self.sessions.flush()
            await self._begin(command, playback)
        except RaopError as err:
            _LOGGER.debug("%s: connecting anew: %s", self.name, err)
            await self._start(command, playback)
        finally:
            self._is_switching = False

    async def _begin(self, command: Play, playback: Playback) -> None:
        transmitter = self.sessions.transmitter
        assert transmitter is not None
        self._items.begin(playback)
        now_ns = clock.now_ns()
        at = command.start_at
        wanted_ns = self.sessions.start_ns(
            now_ns, command.lead_ms, None if at is None else clock.of_unix(at)
        )
        position = frames_of_ms(command.media.position_ms)

        def begin() -> int:
            self._pacer.add(transmitter)
            return transmitter.begin(playback.source, wanted_ns, now_ns, position)

        at_ns = await self._pacer.run(begin)
        await self._announce(at_ns, command.media.position_ms)
        self.follower.publish(playback)

    async def _announce(self, at_ns: int, position_ms: int) -> None:
        """Tell the owner that the line is set."""
        self._check_alive()
        transmitter, command = self.sessions.transmitter, self._command
        assert transmitter is not None
        assert command is not None
        first_ns = await self._pacer.run(lambda: transmitter.first_packet_ns)
        self._check_alive()
        self._herald.change("buffering", position_ms, at_ns)
        due_ns = at_ns - command.depth_ms * 1_000_000
        self._herald.started(at_ns, first_ns or due_ns)
        self.follower.start(at_ns)
        self.company.begin()

    def _keep_for_a_while(self) -> None:
        self.keep()
        self._release = asyncio.create_task(self._let_go_later(self._paused_ms))

    async def _let_go_later(self, position_ms: int) -> None:
        """Free the receivers of a stream that stays paused."""
        await asyncio.sleep(self._keep_s)
        async with self.sessions.gate:
            self._release = None
            if self._command and self._items.present:
                media = replace(self._items.present.media, position_ms=position_ms)
                self._command = replace(self._command, media=media, start_at=None)
            await self._close()

    async def _until_heard(self, command: Play | None = None) -> None:
        """Wait for the first frame's instant and for evidence that it sounds.

        Where there is none a command to play is begun anew by another way.
        """
        if self.sessions.line is None:
            return
        if await self._listen():
            self._lanes.heard()
            self.follower.look()
        elif command and self._has_another_way():
            async with self.sessions.gate:
                await self._close()
            await self.play(command)
        else:
            error = ReceiverSilentError(SILENT)
            await self._end(reason="failed", error=error)
            raise error

    async def _listen(self) -> bool:
        self._is_listening, self._has_run_out = True, False
        try:
            heard_ns = self.follower.heard_ns
            while (now_ns := clock.now_ns()) < heard_ns:
                await asyncio.sleep(min((heard_ns - now_ns) / SECOND_NS, 0.5))
                self._check_alive()
            return await self.sessions.have_evidence(self._is_over)
        finally:
            self._is_listening = False

    def _is_over(self) -> bool:
        self._check_alive()
        return self._has_run_out

    def _has_another_way(self) -> bool:
        """Give up the way to a lone receiver; return whether another can be tried."""
        if self.company.is_group or self.floor.is_taken:
            return False
        return any(self._lanes.shun(lane) for lane in self._lanes.lanes)

    def _check_alive(self) -> None:
        """Raise what ended the stream while a command was at work on it."""
        if not (self._lanes or self.company.has_hope):
            raise self._failure or ReceiverUnreachableError(
                "the receiver closed the connection"
            )

    async def _lost(self, receiver: str, error: RaopError) -> None:
        await self.company.lost(receiver, error)

    async def fail(self, receiver: str, error: RaopError) -> None:
        """End, as nobody is left to hear it."""
        await self._end(reason="failed", error=error, receiver=receiver)

    def _now_at(self, item: Playback) -> None:
        """Go on from the next item when it comes to that."""
        if self._command:
            self._command = replace(self._command, media=item.media)

    def _ran_out(self, source: Pcm) -> None:
        """Everything was heard, unless other media took the source's place."""
        self.follower.hand_over(source)
        playback = self._items.present
        if playback is None or playback.source is not source or self._is_switching:
            return
        error: RaopError | None = playback.error
        if error is None and not self._lanes.have_evidence:
            if self._is_listening:
                self._has_run_out = True
                return
            error = ReceiverSilentError(SILENT)
        reason = "failed" if error else "finished"
        self._ending = asyncio.create_task(self._end(reason=reason, error=error))

    async def _end_with(self, err: BaseException) -> None:
        """End because of an error; whoever cancelled us says what comes instead."""
        if not isinstance(err, Exception):
            return await self._close()
        error = err if isinstance(err, RaopError) else RaopError(repr(err))
        return await self._end(reason="failed", error=error)

    async def _end(
        self,
        *,
        reason: str,
        error: RaopError | None = None,
        receiver: str | None = None,
    ) -> None:
        self._failure = error
        self.company.end(error, is_final=reason == "stopped")
        command = self._command
        self.keep()
        if self.floor.is_taken and self._lanes and reason != "stopped":
            await self._leave_music()
        else:
            await self._close()
        if self._command is not command:
            return  # A newer command has taken the stream meanwhile.
        self._command = None
        self._herald.end(reason, error, receiver)
        if not self.floor.is_taken:
            # The voice may have ended while the music was left.
            await self._close()
        self._on_idle(self)

    async def _leave_music(self) -> None:
        """Keep the sessions for a voice."""
        self._items.close()
        self.follower.stop()
        await self.company.rest()
        if self.sessions.transmitter:
            await self._pacer.run(self.sessions.transmitter.clear)

    async def _close(self) -> None:
        """Free the receivers and leave the media."""
        self._items.close()
        self.follower.stop()
        await self.company.rest()
        await self.sessions.end()
