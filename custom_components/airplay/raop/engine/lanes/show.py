"""The metadata of the playing media for a receiver's display."""

from collections.abc import Iterable
from dataclasses import dataclass

from ...messages import Tags
from ...receiver import Receiver
from ...session.climbing.extras import Extra
from ...session.control import ControlSession
from ...wire.handshake import Handshake


@dataclass(frozen=True, slots=True)
class Show:
    """Tags, and timeline frames: the media's start, the current frame, its end."""

    tags: Tags
    duration_ms: int | None
    start: int
    now: int
    end: int

    def steps(
        self, session: ControlSession, receiver: Receiver
    ) -> Iterable[tuple[Extra, Handshake[None]]]:
        """Yield the requests for what a receiver can show."""
        if receiver.takes_text:
            yield Extra.TEXT, session.text(self.tags, self.duration_ms, self.now)
        if receiver.takes_progress and self.duration_ms:
            yield Extra.PROGRESS, session.progress(self.start, self.now, self.end)
