"""The state of a player's queue."""

from dataclasses import dataclass, field
from random import Random

from ..media.play_queue import PlayQueue
from .commands import Intent


@dataclass(slots=True)
class QueueState:
    """The queue of a player, and the kept position in its current item."""

    items: PlayQueue = field(default_factory=lambda: PlayQueue(Random()))
    # The playlist or folder that the items came from.
    playlist: str | None = None
    # The start in progress, even if another request has followed.
    start: Intent | None = None
    # Where the current item continues at its next playback.
    kept_position_ms: int = 0
    # Whether the position was changed while it was paused.
    is_moved: bool = False
