"""The reports of a stream to its owner: each state once, and progress."""

from collections.abc import Callable
import time

from ...errors import RaopError
from ...messages import (
    EndReason,
    Event,
    MemberChanged,
    MemberProgress,
    MemberState,
    Progress,
    Started,
    StreamChanged,
    VolumeFound,
)
from ...session.timeline import ms_of_frames
from ..net import clock
from ..pacing.feed import PcmFeed
from .states import StreamStatus, StreamTrigger

_ONCE = (MemberState.LOST, MemberState.LEFT, MemberState.PLAYING)


class StreamReporter:
    """Changes the states of a stream and its members, and emits each change."""

    def __init__(
        self, stream: str, status: StreamStatus, emit: Callable[[Event], None]
    ) -> None:
        self._stream = stream
        self._status = status
        self._emit = emit
        # The last state of each member, and the way by which it plays.
        self._members: dict[str, tuple[MemberState, str | None]] = {}
        # The error of each missing member.
        self.errors: dict[str, RaopError] = {}

    def change(
        self, trigger: StreamTrigger, position_ms: int, at_ns: int | None = None
    ) -> None:
        """Apply a trigger; `position_ms` plays at a session time, by default now."""
        if not self._status.apply(trigger):
            return
        at = clock.to_unix(clock.now_ns() if at_ns is None else at_ns)
        self._emit(
            StreamChanged(
                stream=self._stream,
                state=self._status.state,
                position_ms=position_ms,
                at=at,
            )
        )

    def end(
        self,
        reason: EndReason,
        error: RaopError | None = None,
        receiver: str | None = None,
    ) -> None:
        """Report why the stream ended, unless it never began or has already ended."""
        if not self._status.apply(StreamTrigger.END):
            return
        self._emit(
            StreamChanged(
                stream=self._stream,
                state=self._status.state,
                at=time.time(),
                reason=reason,
                code=error.code if error else None,
                text=str(error) if error else "",
                status=error.status if error else None,
                receiver=receiver,
            )
        )

    def started(self, at_ns: int, first_packet_ns: int) -> None:
        """Report when the first frame plays and when its first packet was sent."""
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
        """Report the position at a session time, and the counters of all members."""
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

    def member(
        self,
        receiver: str,
        state: MemberState,
        error: RaopError | None = None,
        *,
        local: str | None = None,
        remote: str | None = None,
        lane: str | None = None,
        way: str | None = None,
        is_confirmed: bool = True,
    ) -> None:
        """Report a member's state, or another way, unless it is known already."""
        if error:
            self.errors[receiver] = error
        if state in _ONCE and self._members.get(receiver) == (state, way):
            return
        self._members[receiver] = state, way
        self._emit(
            MemberChanged(
                stream=self._stream,
                receiver=receiver,
                state=state,
                code=error.code if error else None,
                text=str(error) if error else "",
                status=error.status if error else None,
                local=local,
                remote=remote,
                lane=lane,
                way=way,
                is_confirmed=is_confirmed,
            )
        )

    def volume_found(self, receiver: str, percent: float) -> None:
        """Report the volume at which a member was found."""
        self._emit(VolumeFound(stream=self._stream, receiver=receiver, volume=percent))
