"""The announcements that are under way, and commands about them."""

import asyncio
from collections.abc import Callable

from ...audio.decoder_pool import DecoderPool
from ...messages import Announce, CancelAnnouncement, Event, RestoreVolume
from ..pacing.pacer import Pacer
from ..stream.registry import StreamRegistry
from .announcement import Announcement


class AnnouncementDesk:
    """Runs what does not change the media of a stream: voices, and their volumes."""

    def __init__(
        self,
        streams: StreamRegistry,
        pacer: Pacer,
        decoders: DecoderPool,
        emit: Callable[[Event], None],
    ) -> None:
        self._streams = streams
        self._pacer = pacer
        self._decoders = decoders
        self._emit = emit
        self._announcements: dict[str, Announcement] = {}

    async def run(self, command: Announce | CancelAnnouncement | RestoreVolume) -> None:
        """Run a command.

        Raises RaopError: no speaker could be reached.
        """
        match command:
            case Announce():
                await self._announce(command)
            case CancelAnnouncement():
                if announcement := self._announcements.get(command.announcement):
                    announcement.cancel()
            case RestoreVolume():
                stream = self._streams.named(command.stream)
                try:
                    await stream.turns.restore_volume(command.member)
                finally:
                    self._streams.forget(stream)

    async def stop(self) -> None:
        """End all announcements."""
        announcements = self._announcements.values()
        await asyncio.gather(*(each.stop() for each in announcements))

    async def _announce(self, command: Announce) -> None:
        streams = {
            each.stream: self._streams.named(each.stream) for each in command.targets
        }
        announcement = Announcement(
            command,
            streams,
            decoders=self._decoders,
            pacer=self._pacer,
            emit=self._emit,
        )
        self._announcements[command.announcement] = announcement
        try:
            await announcement.run()
        finally:
            self._announcements.pop(command.announcement, None)
            for stream in streams.values():
                self._streams.forget(stream)
