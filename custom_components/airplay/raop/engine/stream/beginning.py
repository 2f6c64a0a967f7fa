"""How music begins: on new sessions, on those that stand, or where it was paused."""

import logging

from ...errors import RaopError
from ...messages import Play
from ...session.timeline import frames_of_ms
from ..net import clock
from .item import MediaItem
from .playback import Playback

_LOGGER = logging.getLogger(__name__)


class Beginning:
    """Sets the line on which music is heard, and tells the owner when it is."""

    def __init__(self, name: str, music: Playback) -> None:
        self._name = name
        self._music = music
        self._output = music.output
        self._pacer = music.output.pacer

    async def anew(self, command: Play, playback: MediaItem) -> None:
        """Connect the receivers while the media is opened, and begin."""
        music = self._music
        await music.close()
        music.membership.adopt(command)
        music.command = command
        music.failure = None
        music.reporter.change("connecting", command.media.position_ms)
        connecting = self._output.prepare(
            music.members, command.depth_ms, command.patience_s, playback.buffer
        )
        music.is_gathering = music.membership.is_group
        try:
            await connecting
            music.is_gathering = False
            await self._begin(command, playback)
        except BaseException as err:
            music.is_gathering = False
            await music.end_with(err)
            raise

    async def within(self, command: Play, playback: MediaItem) -> None:
        """Change to other media within the sessions, or begin anew where that fails."""
        music = self._music
        music.keep()
        music.items.drop_next()
        music.membership.adopt(command)
        music.command = command
        music.is_switching = True
        try:
            await music.membership.free_others()
            await self._output.flush()
            await self._begin(command, playback)
        except RaopError as err:
            _LOGGER.debug("%s: connecting anew: %s", self._name, err)
            await self.anew(command, playback)
        finally:
            music.is_switching = False

    async def go_on(self, command: Play, lead_ms: int | None) -> bool:
        """Go on from a pause within the session; return whether there is one."""
        music, transmitter = self._music, self._output.transmitter
        if transmitter is None or music.items.present is None:
            return False
        position = music.paused_ms
        try:
            music.membership.adopt(command)
            await self._output.reopen(
                music.members,
                lambda: music.reporter.change("connecting", position),
                absent=music.membership.missing,
            )
        except RaopError:
            music.reporter.change("paused", position)
            raise
        now_ns = clock.now_ns()
        soon_ns = self._output.start_ns(now_ns, lead_ms)
        at_ns = await self._pacer.run(lambda: transmitter.resume(soon_ns, now_ns))
        await self._announce(at_ns, position)
        return True

    async def _begin(self, command: Play, playback: MediaItem) -> None:
        transmitter = self._output.transmitter
        assert transmitter is not None
        self._music.items.begin(playback)
        now_ns = clock.now_ns()
        at = command.start_at
        wanted_ns = self._output.start_ns(
            now_ns, command.lead_ms, None if at is None else clock.of_unix(at)
        )
        position = frames_of_ms(command.media.position_ms)

        def begin() -> int:
            self._pacer.add(transmitter)
            return transmitter.begin(playback.source, wanted_ns, now_ns, position)

        at_ns = await self._pacer.run(begin)
        await self._announce(at_ns, command.media.position_ms)
        self._music.tracker.publish(playback)

    async def _announce(self, at_ns: int, position_ms: int) -> None:
        """Tell the owner that the line is set."""
        music = self._music
        music.check_alive()
        transmitter, command = self._output.transmitter, music.command
        assert transmitter is not None
        assert command is not None
        first_ns = await self._pacer.run(lambda: transmitter.first_packet_ns)
        music.check_alive()
        music.reporter.change("buffering", position_ms, at_ns)
        due_ns = at_ns - command.depth_ms * 1_000_000
        music.reporter.started(at_ns, first_ns or due_ns)
        music.tracker.start(at_ns)
        music.membership.begin()
