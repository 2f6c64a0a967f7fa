"""A player whose line follows the PTP clock."""

from typing import override

from tests.virtual_receiver.playback.player import RESYNC_NS, Line, Player
from tests.virtual_receiver.raop.packets import SyncPacket

from .follower import Follower


class AnchoredPlayer(Player):
    """Play by a clock that another object measures."""

    def follow(self, follower: Follower) -> None:
        """Set the clock; before the first packet."""
        self.offsets = follower.estimator

    @override
    def measured(self, now: int) -> None:
        """Follow the sender's clock, unless it was just forgotten."""
        if self.offsets.is_known:
            super().measured(now)

    @override
    def sync(self, packet: SyncPacket, now: int) -> bool:
        """Refuse the sync packets of NTP."""
        return False

    def anchor(self, line: Line, now: int) -> None:
        """Set the line on which every frame plays from now on."""
        self.advance(now)
        self._line = line
        self._offset_ns = self.offsets.offset_at(now)
        self._skip_overdue(now, RESYNC_NS if self._has_played else 0)
