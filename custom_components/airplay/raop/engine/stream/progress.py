"""Follows what is heard of a stream: tells its owner and shows it on its receivers."""

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

_WATCH_S = 0.25
_PROGRESS_NS = SECOND_NS


class ProgressTracker:
    """Derives states, positions and what is shown from the frame that is heard."""

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
        self._watch: asyncio.Task[None] | None = None
        self._artwork: tuple[str, bytes] | None = None
        self.heard_ns = 0

    def start(self, heard_ns: int) -> None:
        """Watch a line, on which what is new is heard from an instant on."""
        self.heard_ns = heard_ns
        if self._watch is None:
            self._watch = asyncio.create_task(self._observe())

    def stop(self) -> None:
        """Watch no more."""
        if self._watch and self._watch is not asyncio.current_task():
            self._watch.cancel()
        self._watch = None

    def update(self) -> None:
        """Derive the state from what is heard now."""
        transmitter, line = self._output.transmitter, self._output.line
        if transmitter is None or line is None:
            return
        if not self._output.lanes.have_evidence:
            return
        now_ns = clock.now_ns()
        if now_ns < max(line.at_ns, self.heard_ns):
            return
        segment, frame = self._heard(now_ns)
        self.hand_over(segment.source)
        is_over = transmitter.feed.end_frame is not None
        state = "playing" if segment.sounds or is_over else "buffering"
        if state != self._reporter.state:
            position_ms = ms_of_frames(segment.position_at(frame))
            self._reporter.change(state, position_ms, now_ns)

    def hand_over(self, source: Pcm | None) -> None:
        """Tell of the next item when it is heard."""
        item = self._items.hand_over(source)
        transmitter = self._output.transmitter
        if item is None or transmitter is None:
            return
        self._on_item(item)
        self.publish(item)
        line = transmitter.line
        segment = transmitter.feed.segment_of(item.source)
        at_ns = line.time_of(segment.frame) if line else None
        self._reporter.change("playing", item.media.position_ms, at_ns)

    def publish(self, item: MediaItem) -> None:
        """Tell of an item, now and whenever its words change."""
        item.publish()
        item.on_retitled = self.show
        self.show()

    def show_tags(self, tags: Tags) -> None:
        """Replace what the receivers show."""
        if playback := self._items.present:
            playback.tags = over(tags, playback.tags)
            self.show()

    def show_artwork(self, content_type: str, picture: bytes) -> None:
        """Show a picture on receivers that can."""
        self._artwork = (content_type, picture)
        frame = self._shown_frame()
        self._output.lanes.show_artwork(content_type, picture, frame)

    def measure(self) -> None:
        """Report now, with figures of each link, which take their time."""
        self._report(clock.now_ns(), is_measured=True)

    async def _observe(self) -> None:
        """Look often, and report once a second."""
        next_ns = 0
        while True:
            await asyncio.sleep(_WATCH_S)
            self.update()
            now_ns = clock.now_ns()
            if now_ns >= next_ns:
                next_ns = now_ns + _PROGRESS_NS
                self._report(now_ns)

    def _heard(self, now_ns: int) -> tuple[Segment, int]:
        transmitter = self._output.transmitter
        frame = transmitter.heard_frame(now_ns) if transmitter else None
        if transmitter is None or frame is None:
            return Segment(0, 0, None, sounds=False), 0
        return transmitter.feed.segment_at(frame), frame

    def _report(self, now_ns: int, *, is_measured: bool = False) -> None:
        """Tell the position at an instant, which is told with it."""
        transmitter, playback = self._output.transmitter, self._items.present
        if transmitter is None or transmitter.line is None or playback is None:
            return
        segment, frame = self._heard(now_ns)
        self._reporter.progress(
            ms_of_frames(segment.position_at(frame)),
            now_ns,
            buffered_frames=playback.source.buffered_frames,
            feed=transmitter.feed,
            worst_lateness_ns=transmitter.worst_lateness_ns,
            members=self._output.lanes.progress(is_measured=is_measured),
        )

    def _shown_frame(self) -> int:
        """Return the frame from which on the present item is heard."""
        transmitter, playback = self._output.transmitter, self._items.present
        if transmitter is None or playback is None:
            return 0
        return transmitter.feed.segment_of(playback.source).frame

    def show(self) -> None:
        """Tell the receivers what plays."""
        if show := self._shown():
            self._output.lanes.show(show)

    def show_to(self, lane: Lane) -> None:
        """Tell a receiver that has joined what plays."""
        if show := self._shown():
            lane.show(show)
            if self._artwork:
                lane.show_artwork(*self._artwork, self._shown_frame())

    def _shown(self) -> Show | None:
        playback, transmitter = self._items.present, self._output.transmitter
        if playback is None or transmitter is None or transmitter.line is None:
            return None
        segment = transmitter.feed.segment_of(playback.source)
        start = segment.frame - segment.position
        end = start + frames_of_ms(playback.duration_ms or 0)
        now = max(segment.frame, transmitter.line.frame_at(clock.now_ns()))
        return Show(playback.tags, playback.duration_ms, start, now, end)
