"""The group that a player is in."""

from typing import override

from homeassistant.components.media_player import MediaPlayerEntity

from ..entity import AirPlayEntity


class GroupEntity(AirPlayEntity, MediaPlayerEntity):
    """Shows who plays the same, and changes that."""

    @property
    @override
    def group_members(self) -> list[str]:
        """Return the players of the group, the leader first; none while alone."""
        members = self.player.members
        speakers = members.speakers if members.is_group else []
        return [speaker.entity_id for speaker in speakers if speaker.entity_id]

    @override
    async def async_join_players(self, group_members: list[str]) -> None:
        """Have other players hear what this one does."""
        await self.groups.async_join(self.speaker, group_members)

    @override
    async def async_unjoin_player(self) -> None:
        """Leave the group; the others play on."""
        await self.groups.async_unjoin(self.speaker)
