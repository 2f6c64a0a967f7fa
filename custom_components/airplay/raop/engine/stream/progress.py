"""Follows the playback of a stream, for its owner and the receivers' displays."""

import asyncio
from collections.abc import Callable

from ...messages import Tags
from ...session.timeline import SECOND_NS, frames_of_ms, ms_of_frames
from ..lanes.lane import Lane
from ..lanes.show import Show
from ..net import clock
from ..pacing.feed import Pcm, Segment
from .item import MediaItem, over
from .item_queue import ItemQueue
from .output import GroupOutput
from .reports import StreamReporter
from .states import StreamTrigger

_REPORT_NS = SECOND_NS
# A start has more urgent work than reports.
_FIRST_REPORT_NS = SECOND_NS // 4
# A shorter underrun is not reported as a stall.
_STALL_NS = SECOND_NS // 4


class ProgressTracker:
    """Derives states, positions, and metadata from the frame that plays."""

    def __init__(
        self,
        output: GroupOutput,
        items: ItemQueue,
        reporter: StreamReporter,
        *,
        on_item: Callable[[MediaItem], None],
    ) -> None:
        self._output = output
        self._items = items
        self._reporter = reporter
        self._on_item = on_item
        self._following: asyncio.Task[None] | None = None
        self._artwork: tuple[str, bytes] | None = None
        self.heard_ns = 0

    def start(self, heard_ns: int) -> None:
        """Follow a line whose new content plays from an instant on."""
        self.heard_ns = heard_ns
        if self._following is None:
            self._following = asyncio.create_task(self._follow())
        self._output.changes.notify()

    def stop(self) -> None:
        """Stop following the line."""
        if self._following and self._following is not asyncio.current_task():
            self._following.cancel()
        self._following = None

    def update(self) -> None:
        """Derive the state from the frame that plays now."""
        transmitter, line = self._output.transmitter, self._output.line
        if transmitter is None or line is None:
            return
        if not self._output.lanes.proof.is_there:
            return
        now_ns = clock.now_ns()
        if now_ns < max(line.at_ns, self.heard_ns):
            return
        segment, frame = self._heard(now_ns)
        self.hand_over(segment.source)
        if segment.sounds or transmitter.feed.end_frame is not None:
            trigger = StreamTrigger.SOUND
        elif now_ns >= line.time_of(segment.frame) + _STALL_NS:
            trigger = StreamTrigger.SILENCE
        else:
            return
        self._reporter.change(trigger, ms_of_frames(segment.position_at(frame)), now_ns)

    def hand_over(self, source: Pcm | None) -> None:
        """Report the next item when it plays."""
        item = self._items.hand_over(source)
        transmitter = self._output.transmitter
        if item is None or transmitter is None:
            return
        self._on_item(item)
        self.publish(item)
        line = transmitter.line
        segment = transmitter.feed.segment_of(item.source)
        at_ns = line.time_of(segment.frame) if line else None
        self._reporter.change(StreamTrigger.NEXT_ITEM, item.media.position_ms, at_ns)

    def publish(self, item: MediaItem) -> None:
        """Report an item, now and whenever its tags change."""
        item.publish()
        item.on_retitled = self.show
        self.show()

    def show_tags(self, tags: Tags) -> None:
        """Replace the tags on the receivers' displays."""
        if item := self._items.present:
            item.tags = over(tags, item.tags)
            self.show()

    def show_artwork(self, content_type: str, picture: bytes) -> None:
        """Show a picture on receivers that support it."""
        self._artwork = (content_type, picture)
        frame = self._shown_frame()
        self._output.lanes.show_artwork(content_type, picture, frame)

    def measure(self) -> None:
        """Report now, with figures of each link, which are expensive."""
        self._report(clock.now_ns(), is_measured=True)

    async def _follow(self) -> None:
        """Update whenever another segment plays, and report once a second."""
        report_ns = clock.now_ns() + _FIRST_REPORT_NS
        while True:
            now_ns = clock.now_ns()
            self.update()
            if now_ns >= report_ns:
                report_ns = now_ns + _REPORT_NS
                self._report(now_ns)
            await self._output.changes.wait(self._next_ns(now_ns, report_ns))

    def _next_ns(self, now_ns: int, report_ns: int) -> int:
        """Return when the state may change next, as far as the timeline is known."""
        transmitter, line = self._output.transmitter, self._output.line
        if transmitter is None or line is None:
            return report_ns
        begun_ns = max(line.at_ns, self.heard_ns)
        if now_ns < begun_ns:
            return min(begun_ns, report_ns)
        for segment in transmitter.feed.segments:
            plays_ns = line.time_of(segment.frame)
            plays_ns += 0 if segment.sounds else _STALL_NS
            if now_ns < plays_ns:
                return min(plays_ns, report_ns)
        return report_ns

    def _heard(self, now_ns: int) -> tuple[Segment, int]:
        transmitter = self._output.transmitter
        frame = transmitter.heard_frame(now_ns) if transmitter else None
        if transmitter is None or frame is None:
            return Segment(0, 0, None, sounds=False), 0
        return transmitter.feed.segment_at(frame), frame

    def _report(self, now_ns: int, *, is_measured: bool = False) -> None:
        """Report the position at an instant."""
        transmitter, item = self._output.transmitter, self._items.present
        if transmitter is None or transmitter.line is None or item is None:
            return
        self._output.lanes.proof.judge_starts(now_ns)
        segment, frame = self._heard(now_ns)
        self._reporter.progress(
            ms_of_frames(segment.position_at(frame)),
            now_ns,
            buffered_frames=item.source.buffered_frames,
            feed=transmitter.feed,
            worst_lateness_ns=transmitter.worst_lateness_ns,
            members=self._output.lanes.progress(is_measured=is_measured),
        )

    def _shown_frame(self) -> int:
        """Return the frame from which the current item plays."""
        transmitter, item = self._output.transmitter, self._items.present
        if transmitter is None or item is None:
            return 0
        return transmitter.feed.segment_of(item.source).frame

    def show(self) -> None:
        """Send the current metadata to the receivers."""
        if show := self._shown():
            self._output.lanes.show(show)

    def show_to(self, lane: Lane) -> None:
        """Send the current metadata to a receiver that has joined."""
        if show := self._shown():
            lane.show(show)
            if self._artwork:
                lane.show_artwork(*self._artwork, self._shown_frame())

    def _shown(self) -> Show | None:
        item, transmitter = self._items.present, self._output.transmitter
        if item is None or transmitter is None or transmitter.line is None:
            return None
        segment = transmitter.feed.segment_of(item.source)
        start = segment.frame - segment.position
        end = start + frames_of_ms(item.duration_ms or 0)
        now = max(segment.frame, transmitter.line.frame_at(clock.now_ns()))
        return Show(item.tags, item.duration_ms, start, now, end)
