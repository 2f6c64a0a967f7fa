"""How often the title of media may change."""

from ...audio.pcm import RATE
from ...media import Tags


class TitlePace:
    """Lets tags change at most once a second of sound; the last ones are never lost.

    A radio can send titles without end. Each becomes a state of Home Assistant, which is
    recorded, and a message to each receiver.
    """

    def __init__(self) -> None:
        """Show the first tags at once."""
        self._shown: Tags | None = None
        self._next_at = 0

    def shown(self, latest: Tags, at_frame: int) -> Tags:
        """Return the tags to show from this frame of the media on."""
        if self._shown is None or (latest != self._shown and at_frame >= self._next_at):
            self._shown = latest
            self._next_at = at_frame + RATE
        return self._shown
