"""What a player has to play, and where it stands in it."""

from dataclasses import dataclass, field
from random import Random

from ..media.play_queue import PlayQueue
from .commands import Intent


@dataclass(slots=True)
class QueueState:
    """The queue of a player, and what is remembered of its current item."""

    items: PlayQueue = field(default_factory=lambda: PlayQueue(Random()))
    # The playlist or folder that the items came from.
    playlist: str | None = None
    # The start that is under way, though something else may be wanted by now.
    start: Intent | None = None
    # Where the current item goes on when it is played next.
    kept_position_ms: int = 0
    # Whether the position was changed while it was paused.
    is_moved: bool = False
