"""The speakers that hear one stream together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from homeassistant.core import callback

from ..helpers.settings import Settings
from ..raop.api import Join, Leave
from ..sender.sender import Sender
from ..speaker.volume_owner import Origin
from .group_volume import GroupVolume

if TYPE_CHECKING:
    from ..speaker.speaker import Speaker


class PlayerMembers:
    """Who hears a stream: the leader first, whose settings hold for all.

    There is always one; of a player that nobody hears it is who heard it last.
    """

    def __init__(self, sender: Sender, owner: Speaker) -> None:
        """Begin with one speaker and a stream of its own."""
        self._sender = sender
        self.stream = sender.free_name(owner.entry_id)
        self.members = [owner]
        self._group_volume = GroupVolume()
        self._calls: set[str] = set()

    @property
    def leader(self) -> Speaker:
        """Return the speaker whose settings hold for all."""
        return self.members[0]

    @property
    def name(self) -> str:
        """Return what logs and errors call it."""
        return self.leader.name

    @property
    def settings(self) -> Settings:
        """Return how the stream is sent."""
        return self.leader.settings

    @property
    def is_group(self) -> bool:
        """Whether several speakers play together."""
        return len(self.members) > 1

    @property
    def shows_pictures(self) -> bool:
        """Whether any of the speakers has a display."""
        return any(speaker.device.receiver.takes_artwork for speaker in self.members)

    @property
    def level(self) -> float:
        """Return the level of the loudest member, muted or not."""
        return max(speaker.volume.level for speaker in self.members)

    @property
    def audible_level(self) -> float:
        """Return the level of the loudest that is not muted, or of all where all are."""
        volumes = [speaker.volume for speaker in self.members]
        audible = [each.level for each in volumes if not each.is_muted]
        return max(audible, default=self.level)

    async def async_set_level(self, level: float, origin: Origin) -> None:
        """Make all louder or quieter, each by the same factor; muted ones stay so."""
        volumes = {speaker.entry_id: speaker.volume for speaker in self.members}
        levels = self._group_volume.spread(
            {name: volume.level for name, volume in volumes.items()},
            {name: volume.maximum for name, volume in volumes.items()},
            level,
        )
        results = await asyncio.gather(
            *(
                volume.async_set(levels[name], is_muted=volume.is_muted, origin=origin)
                for name, volume in volumes.items()
            ),
            return_exceptions=True,
        )
        for failure in results:
            if failure:
                raise failure

    @callback
    def async_admit(self, speaker: Speaker, *, is_leader: bool = False) -> None:
        """Let one more speaker hear it from the next start on."""
        if speaker not in self.members:
            self.members.insert(0 if is_leader else len(self.members), speaker)

    @callback
    def async_dismiss(self, speaker: Speaker) -> None:
        """Go on without a speaker, from the next start on; the last one stays."""
        if self.is_group and speaker in self.members:
            self.members.remove(speaker)

    async def async_once(
        self, call: str, action: Callable[[], Awaitable[None]]
    ) -> None:
        """Do once what one call asks of several members at the same time."""
        if call in self._calls:
            return
        self._calls.add(call)
        try:
            await action()
        finally:
            # The others are asked in this turn of the loop, also where it is done.
            asyncio.get_running_loop().call_soon(self._calls.discard, call)

    async def async_join(self, speaker: Speaker) -> None:
        """Let a member hear what plays now; return when it does."""
        await self._sender.async_request_each(
            Join(stream=self.stream, member=each) for each in speaker.members
        )

    async def async_leave(self, speaker: Speaker) -> None:
        """Free a speaker; the others play on."""
        await self._sender.async_request_each(
            Leave(stream=self.stream, receiver=each.id)
            for each in speaker.device.receivers
        )

    @callback
    def async_notify(self) -> None:
        """Tell all who hear it that something has changed."""
        for speaker in self._hearers:
            speaker.async_notify()

    @property
    def _hearers(self) -> list[Speaker]:
        """Return the members; none while the only one sits elsewhere."""
        return [speaker for speaker in self.members if speaker.player is self]
