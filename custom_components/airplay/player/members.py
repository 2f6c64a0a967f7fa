"""The speakers of a stream, and the parts of them that a player uses."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from homeassistant.core import CALLBACK_TYPE, callback

from ..helpers.listeners import Listeners
from ..helpers.settings import Settings
from ..raop.api import Join, Leave, Member, RaopError, Receiver
from ..sender.sender import Sender
from .group_volume import GroupVolume
from .origin import Origin


class MemberVolume(Protocol):
    """The volume of a member, from 0 to 1."""

    @property
    def level(self) -> float:
        """Return the volume, muted or not."""

    @property
    def maximum(self) -> float:
        """Return the maximum volume."""

    @property
    def is_muted(self) -> bool:
        """Whether it is muted."""

    async def async_set(self, level: float, *, is_muted: bool, origin: Origin) -> None:
        """Set the volume at once."""

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever the volume or the muting changes."""


class MemberUse(Protocol):
    """Whether a member plays for another sender."""

    @property
    def is_in_use(self) -> bool:
        """Whether it is in use elsewhere."""

    async def async_wait(self) -> None:
        """Wait until its record announces that it is free, or until a timeout."""


class MemberDevice(Protocol):
    """The receiver or stereo pair of a member."""

    @property
    def receiver(self) -> Receiver:
        """Return the receiver; that of a pair is the leader."""

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """Return the receiver, or both receivers of the pair."""

    @callback
    def async_failed(self, error: RaopError) -> None:
        """Handle the error of a stream that it could not play."""


class PlayerMember(Protocol):
    """The part of a speaker that a player uses."""

    @property
    def entry_id(self) -> str:
        """Return the ID of its config entry."""

    @property
    def entity_id(self) -> str:
        """Return the entity ID of its player."""

    @property
    def name(self) -> str:
        """Return the name that users see."""

    @property
    def settings(self) -> Settings:
        """Return its stream settings."""

    @property
    def device(self) -> MemberDevice:
        """Return its receiver or stereo pair."""

    @property
    def volume(self) -> MemberVolume:
        """Return its volume."""

    @property
    def in_use(self) -> MemberUse:
        """Return its use by other senders."""

    @property
    def has_own_session(self) -> bool:
        """Whether the sender holds it in a short session, apart from the stream."""

    @property
    def members(self) -> tuple[Member, ...]:
        """Return it as members of a stream, at its own volume."""


class PlayerMembers:
    """The speakers that play a stream: the leader first, whose settings apply to all.

    There is always one: a player without speakers keeps its last one.
    """

    def __init__(self, sender: Sender, owner: PlayerMember) -> None:
        """Initialize with one speaker and its own stream."""
        self._sender = sender
        self._group_volume = GroupVolume()
        self.stream = sender.free_name(owner.entry_id)
        self.speakers = [owner]
        self.leader = owner
        self._listeners = Listeners[[]]()
        self._followed: dict[str, CALLBACK_TYPE] = {}
        self._async_follow(owner)

    @callback
    def async_release(self) -> None:
        """Stop following volumes; may be called twice."""
        while self._followed:
            self._followed.popitem()[1]()

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever a speaker is added or removed, or changes its volume."""
        return self._listeners.async_add(listener)

    @callback
    def _async_follow(self, speaker: PlayerMember) -> None:
        self._followed[speaker.entry_id] = speaker.volume.async_listen(
            self._listeners.async_notify
        )

    @property
    def name(self) -> str:
        """Return the name for logs and errors."""
        return self.leader.name

    @property
    def is_group(self) -> bool:
        """Whether several speakers play together."""
        return len(self.speakers) > 1

    @property
    def shows_pictures(self) -> bool:
        """Whether any of the speakers has a display."""
        return any(speaker.device.receiver.takes_artwork for speaker in self.speakers)

    @property
    def level(self) -> float:
        """Return the volume of the loudest member, muted or not."""
        return max(speaker.volume.level for speaker in self.speakers)

    @property
    def audible_level(self) -> float:
        """Return the volume of the loudest unmuted member, or of all if all are muted."""
        volumes = [speaker.volume for speaker in self.speakers]
        audible = [each.level for each in volumes if not each.is_muted]
        return max(audible, default=self.level)

    async def async_set_level(self, level: float, origin: Origin) -> None:
        """Change the volume of all members by the same factor; muted ones stay muted.

        Raises the first error of a member; the others are still set.
        """
        volumes = {speaker.entry_id: speaker.volume for speaker in self.speakers}
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
    def async_admit(self, speaker: PlayerMember, *, is_leader: bool = False) -> None:
        """Add a speaker, from the next start on."""
        if speaker not in self.speakers:
            self.speakers.insert(0 if is_leader else len(self.speakers), speaker)
            self.leader = self.speakers[0]
            self._async_follow(speaker)
            self._listeners.async_notify()

    @callback
    def async_dismiss(self, speaker: PlayerMember) -> None:
        """Remove a speaker, from the next start on; the last one stays."""
        if self.is_group and speaker in self.speakers:
            self.speakers.remove(speaker)
            self.leader = self.speakers[0]
            if forget := self._followed.pop(speaker.entry_id, None):
                forget()
            self._listeners.async_notify()

    @callback
    def async_failed(self, error: RaopError) -> None:
        """Handle the error of a stream; group members get their own errors separately."""
        if not self.is_group:
            self.leader.device.async_failed(error)

    async def async_join(self, speaker: PlayerMember) -> None:
        """Add a member to the running stream; return when it plays.

        Raises RaopError: when it cannot join.
        """
        await self._sender.async_request_each(
            Join(stream=self.stream, member=each) for each in speaker.members
        )

    async def async_leave(self, speaker: PlayerMember) -> None:
        """Release a speaker; the others continue.

        Raises RaopError: when it cannot be released.
        """
        await self._sender.async_request_each(
            Leave(stream=self.stream, receiver=each.id)
            for each in speaker.device.receivers
        )
