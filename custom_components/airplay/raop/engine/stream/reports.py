"""What a stream tells its owner: each state once, and progress."""

from collections.abc import Callable
import time

from ...errors import RaopError
from ...messages import Event, MemberProgress, Progress, Started, StreamChanged
from ...session.timeline import ms_of_frames
from ..net import clock
from ..pacing.feed import PcmFeed


class StreamReporter:
    """Writes a stream's events and remembers the state that it told last."""

    def __init__(self, stream: str, emit: Callable[[Event], None]) -> None:
        self._stream = stream
        self._emit = emit
        self.state = ""

    @property
    def is_paused(self) -> bool:
        """Whether the stream waits to be resumed."""
        return self.state == "paused"

    def change(
        self, state: str, position_ms: int = 0, at_ns: int | None = None
    ) -> None:
        """Tell a state, and the position that is heard at a session time."""
        self.state = state
        at = clock.to_unix(clock.now_ns() if at_ns is None else at_ns)
        self._emit(
            StreamChanged(
                stream=self._stream, state=state, position_ms=position_ms, at=at
            )
        )

    def end(
        self, reason: str, error: RaopError | None = None, receiver: str | None = None
    ) -> None:
        """Tell why the stream ended, unless it never began or was told already."""
        if self.state in ("", "ended"):
            return
        self.state = "ended"
        self._emit(
            StreamChanged(
                stream=self._stream,
                state="ended",
                at=time.time(),
                reason=reason,
                code=error.code if error else None,
                text=str(error) if error else "",
                status=error.status if error else None,
                receiver=receiver,
            )
        )

    def started(self, at_ns: int, first_packet_ns: int) -> None:
        """Tell when the first frame is heard and when its first packet went out."""
        self._emit(
            Started(
                stream=self._stream,
                at=clock.to_unix(at_ns),
                first_packet_at=clock.to_unix(first_packet_ns),
            )
        )

    def progress(
        self,
        position_ms: int,
        at_ns: int,
        *,
        buffered_frames: int,
        feed: PcmFeed,
        worst_lateness_ns: int,
        members: tuple[MemberProgress, ...],
    ) -> None:
        """Tell how far the stream is at a session time, and what its wires show."""
        self._emit(
            Progress(
                stream=self._stream,
                position_ms=position_ms,
                at=clock.to_unix(at_ns),
                buffered_ms=ms_of_frames(buffered_frames),
                silence_ms=ms_of_frames(feed.silence_frames),
                worst_lateness_us=worst_lateness_ns // 1000,
                members=members,
            )
        )
