"""The group features of a player."""

from typing import override

from homeassistant.components.media_player import MediaPlayerEntity

from ..entity import AirPlayEntity


class GroupEntity(AirPlayEntity, MediaPlayerEntity):
    """Shows and changes the group members."""

    @property
    @override
    def group_members(self) -> list[str]:
        """Return the players of the group, the leader first; none without a group."""
        return self.group_entity_ids if self.player.members.is_group else []

    @override
    async def async_join_players(self, group_members: list[str]) -> None:
        """Add other players to the group of this one."""
        await self.async_check_control(group_members)
        await self.groups.async_join(self.speaker, group_members)

    @override
    async def async_unjoin_player(self) -> None:
        """Leave the group; the other members continue."""
        await self.groups.async_unjoin(self.speaker)
