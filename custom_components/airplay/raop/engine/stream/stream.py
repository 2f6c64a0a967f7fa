"""One stream: a timeline with sources at one end and receivers at the other."""

from collections.abc import Callable
from dataclasses import replace

from ...buttons import Button
from ...errors import NoStreamError, RaopError, ReceiverSilentError
from ...messages import Event, Identity, Media, Pause, Play, Resume
from ...session.remote import Remotes
from ..lanes.choice import LaneChoice
from ..pacing.pacer import Pacer
from ..ptp.service import PtpService
from .beginning import Beginning
from .lanes import Lanes, ignore_button
from .output import SILENT
from .playback import Playback


class Stream:
    """Takes the commands that play one item after another on the same receivers."""

    def __init__(
        self,
        name: str,
        *,
        pacer: Pacer,
        identity: Identity,
        emit: Callable[[Event], None],
        on_idle: Callable[[Stream], None],
        remotes: Remotes | None = None,
        ptp: PtpService,
        choice: LaneChoice | None = None,
        on_button: Callable[[str, Button], None] = ignore_button,
    ) -> None:
        self.name = name
        self._lanes = Lanes(
            name,
            pacer=pacer,
            identity=identity,
            emit=emit,
            on_lost=self._lost,
            remotes=remotes,
            ptp=ptp,
            choice=choice,
            on_button=on_button,
        )
        self._music = Playback(
            name, self._lanes, pacer=pacer, emit=emit, on_idle=lambda: on_idle(self)
        )
        self._beginning = Beginning(name, self._music)
        self.output = self._music.output
        self.tracker = self._music.tracker
        self.turns = self._music.turns
        self.membership = self._music.membership

    @property
    def is_idle(self) -> bool:
        """Whether it holds no session, no media and nothing to go on with."""
        return self._music.is_idle

    @property
    def is_live(self) -> bool:
        """Whether what plays cannot wait."""
        return self._music.is_live

    async def play(self, command: Play) -> None:
        """Play media; return when it is heard, raise what stands in the way.

        Running music goes on until the new media is ready, and if that cannot be
        played it goes on altogether.
        """
        music = self._music
        await music.wait_idle()
        playback = music.items.make(command.media, command)
        try:
            if self.membership.can_take(command):
                await playback.buffer()
            async with self.output.gate:
                await music.wait_idle()
                # What played may have come to its end while the media was opened.
                if self.membership.can_take(command):
                    await self._beginning.within(command, playback)
                else:
                    await self._beginning.anew(command, playback)
        except BaseException as err:
            if music.items.present is not playback:
                playback.close()
            self.membership.give_up(command)
            is_silenced = self.output.is_hushed and not music.is_quiet
            if is_silenced and isinstance(err, Exception):
                await music.end_with(err)
            raise
        await self._until_heard(command)

    async def pause(self, command: Pause) -> None:
        """Silence the receivers and remember the frame that was heard."""
        music = self._music
        async with self.output.gate:
            if music.command is None:
                return
            music.keep_s = command.keep_s
            position = await self._fall_silent(music.command)
            if not music.reporter.is_paused:
                music.reporter.change("paused", position)
            self.tracker.stop()
            await self.membership.rest()
            self.membership.pause()
            music.keep()
            if self.output.transmitter and not self.turns.is_taken:
                music.release_later()

    async def resume(self, command: Resume) -> None:
        """Go on from the frame that was heard at the pause."""
        music = self._music
        if not music.reporter.is_paused or music.command is None:
            raise NoStreamError("nothing is paused")
        music.keep()
        async with self.output.gate:
            is_resumed = await self._beginning.go_on(music.command, command.lead_ms)
        if is_resumed:
            return await self._until_heard()
        return await self.play(replace(music.command, lead_ms=command.lead_ms))

    async def queue(self, media: Media | None, crossfade_ms: int | None) -> None:
        """Open what shall follow; return at once."""
        items = self._music.items
        transmitter, command = self.output.transmitter, self._music.command
        if transmitter and command and items.present:
            if crossfade_ms is not None:
                command = replace(command, crossfade_ms=crossfade_ms)
            await items.queue(media, command, transmitter)

    async def stop(self) -> None:
        """End the sessions, also what is announced, and free the receivers."""
        await self.turns.clear()
        async with self.output.gate:
            await self._music.wait_idle()
            await self._music.end(reason="stopped")

    async def _fall_silent(self, command: Play) -> int:
        """Hold the music; return the position at which it stands."""
        music = self._music
        if music.items.present is None:
            return command.media.position_ms
        if self.output.is_hushed and not music.reporter.is_paused:
            # Still on its way: it begins where it was to begin, when it is resumed.
            await music.close()
            return command.media.position_ms
        if self.output.line:
            await self.output.pause()
        return music.paused_ms

    async def _until_heard(self, command: Play | None = None) -> None:
        """Wait for the first frame's instant and for evidence that it sounds.

        Where there is none a command to play is begun anew by another way.
        """
        if self.output.line is None:
            return
        if await self._music.confirmation.listen():
            self._lanes.mark_heard()
            self.tracker.update()
        elif command and self._has_another_way():
            async with self.output.gate:
                await self._music.close()
            await self.play(command)
        else:
            error = ReceiverSilentError(SILENT)
            await self._music.end(reason="failed", error=error)
            raise error

    def _has_another_way(self) -> bool:
        """Give up the way to a lone receiver; return whether another can be tried."""
        if self.membership.is_group or self.turns.is_taken:
            return False
        return any(self._lanes.shun(lane) for lane in self._lanes.lanes)

    async def _lost(self, receiver: str, error: RaopError) -> None:
        await self.membership.lost(receiver, error)
