"""The sessions of one stream and the transmitter that feeds them."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
import logging
import secrets

from ...errors import RaopError
from ...messages import Member
from ...session.lead import SILENT_PACKETS, deep_lead_ms
from ...session.timeline import SECOND_NS, Line, frames_of_ms
from ...wire.rtp import FRAMES_PER_PACKET, SAMPLE_RATE
from ..net import clock
from ..pacing.change_signal import ChangeSignal
from ..pacing.feed import Pcm
from ..pacing.pacer import Pacer
from ..pacing.transmitter import Transmitter
from .connecting import Connector
from .lanes import Lanes
from .parallel import all_of, whole

_LOGGER = logging.getLogger(__name__)

# The lead must exceed the receiver's own output buffer.
_SHORTEST_LEAD_NS = 300_000_000
# The same for a line that begins with silence: more than the longest buffer that was
# measured.
_WAKING_NS = 400_000_000

# How long to wait for the first request for the time; the usual lead needs none.
_FIRST_REQUEST_NS = 60_000_000

SILENT = (
    "the receiver accepted the stream but never asked for the time; "
    "its UDP packets do not reach this machine"
)


class GroupOutput:
    """Opens, silences, and ends the lanes of a stream.

    Callers hold the `gate` meanwhile.
    """

    def __init__(
        self,
        lanes: Lanes,
        pacer: Pacer,
        changes: ChangeSignal,
        *,
        on_switch: Callable[[Pcm], None],
        on_end: Callable[[Pcm], None],
    ) -> None:
        self.lanes = lanes
        self.pacer = pacer
        # Wakes all coroutines that wait for a fact of the stream.
        self.changes = changes
        self.transmitter: Transmitter | None = None
        self.gate = asyncio.Lock()
        self.connector = Connector(lanes, changes, lambda: self.transmitter)
        self._endings = 0
        self._on_switch = on_switch
        self._on_end = on_end

    @property
    def line(self) -> Line | None:
        """The line on which sound or silence is sent, or None."""
        return self.transmitter.line if self.transmitter else None

    @property
    def is_hushed(self) -> bool:
        """Whether sessions are open, but nothing is sent."""
        return self.transmitter is not None and self.transmitter.line is None

    @property
    def are_ending(self) -> bool:
        """Whether receivers are still being freed."""
        return self._endings > 0

    def can_take(self, members: Iterable[Member]) -> bool:
        """Whether one of these receivers can play in its open session."""
        wanted = tuple(members)
        is_there = len(self.lanes.missing(wanted)) < len(wanted)
        return self.transmitter is not None and is_there

    def make_transmitter(self, depth_ms: int) -> Transmitter:
        """Return a transmitter without outlets, which reports to the event loop."""
        loop = asyncio.get_running_loop()
        return Transmitter(
            sequence=secrets.randbelow(1 << 16),
            frame=secrets.randbelow(1 << 32),
            ssrc=secrets.randbelow(1 << 32),
            depth_ms=depth_ms,
            on_switch=lambda source: _call(loop, self._on_switch, source),
            on_end=lambda source: _call(loop, self._on_end, source),
            on_change=self.changes.notify_threadsafe,
        )

    async def prepare(
        self,
        members: Iterable[Member],
        depth_ms: int,
        patience_s: float,
        buffer: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        """Open sessions on a new transmitter while media is buffered.

        Receivers that fail, or are not ready in time, are left out if another is ready.
        RECORD waits for the media.

        Raises RaopError: all receivers fail (the first error), or the media does.
        """
        self.transmitter = self.make_transmitter(depth_ms)
        is_media_ready = asyncio.Event()

        async def get_media() -> None:
            await buffer()
            is_media_ready.set()

        gathering = self.connector.gather(
            members, patience_s=patience_s, is_media_ready=is_media_ready
        )
        await all_of([gathering, get_media()])

    async def reopen(
        self,
        wanted: Iterable[Member],
        on_missing: Callable[[], None],
        *,
        absent: frozenset[str] = frozenset(),
    ) -> None:
        """Reopen sessions that receivers closed after a long silence.

        If another is open, do not wait for members that were `absent` before.
        """
        await self.lanes.check()
        missing = self.lanes.missing(wanted)
        if self.lanes.stand:
            missing = [each for each in missing if each.receiver not in absent]
        if missing:
            on_missing()
            await self.connector.gather(missing)

    async def wake(self, lead_in_ms: int) -> None:
        """Send silence, long enough for an amplifier to wake up."""
        transmitter = self.transmitter
        assert transmitter is not None
        packets = _silent_packets(lead_in_ms)
        heard_ns = max(_WAKING_NS, self._shortest_ns) + silence_ns(lead_in_ms)
        now_ns = clock.now_ns()

        def wake() -> None:
            at_ns = now_ns + heard_ns + transmitter.reach_ns
            transmitter.wake(at_ns, now_ns, packets)
            self.pacer.add(transmitter)

        await self.pacer.run(wake)
        self.changes.notify()

    async def flush(self) -> None:
        """Silence the receivers for new sound; a voice continues."""
        if transmitter := self.transmitter:
            is_silent = transmitter.line is None
            transmitter.is_unbroken = self.lanes.mind_flush
            silence = self._silence(transmitter.hush, is_needed=not is_silent)
            await whole(silence)

    async def pause(self) -> None:
        """Hold the media and silence the receivers; an announcement continues."""
        if (transmitter := self.transmitter) is None:
            return
        transmitter.is_unbroken = self.lanes.mind_flush
        try:
            await whole(self._silence(transmitter.pause))
        except RaopError as err:
            _LOGGER.debug("Paused without FLUSH: %s", err)

    async def _silence(
        self, stop: Callable[[int], tuple[int, int] | None], *, is_needed: bool = True
    ) -> None:
        """Stop the packets, and send FLUSH from where they stopped."""
        point = await self.pacer.run(lambda: stop(clock.now_ns()))
        try:
            # FLUSH first: whoever waits for a fact of the stream can wait for it.
            if point and is_needed:
                await self.lanes.flush(*point)
        finally:
            self.changes.notify()

    async def end(self) -> None:
        """Free the receivers."""
        transmitter, self.transmitter = self.transmitter, None
        self.changes.notify()
        self._endings += 1
        try:
            # A newer command may cut either, and leaves neither out.
            try:
                await self.connector.clear()
            finally:
                await self.lanes.tear_down()
        finally:
            self._endings -= 1
            if transmitter:
                pacer = self.pacer
                pacer.post(lambda: pacer.remove(transmitter))

    async def get_ready(self) -> None:
        """Learn from the last start, and wait for what a short lead depends on.

        That is the first request for the time, milliseconds after a SETUP.
        """
        self.lanes.proof.judge_starts(clock.now_ns())
        waiting = [each for each in self.lanes.lanes if each.starts.learned.ms]
        if any(not each.timing_replies for each in waiting):
            await self.changes.wait_for(
                lambda: all(each.timing_replies for each in waiting),
                clock.now_ns() + _FIRST_REQUEST_NS,
            )

    async def set_line(self, begin: Callable[[], int], now_ns: int) -> int:
        """Have the pacing thread begin at `now_ns`; return when the first frame plays.

        On a new line all receivers start, and their starts are watched.
        """
        transmitter = self.transmitter
        reach_ns = transmitter.reach_ns if transmitter else 0
        is_new = self.is_hushed
        at_ns = await self.pacer.run(begin)
        if is_new:
            lead_ms = (at_ns - now_ns - reach_ns) // 1_000_000
            self.lanes.proof.watch_starts(at_ns, lead_ms)
        return at_ns

    def start_ns(
        self,
        now_ns: int,
        lead_ms: int | None,
        wanted_ns: int | None = None,
        *,
        least_lead_ms: int = 0,
    ) -> int:
        """Return when a first frame plays: as soon as possible, or as wanted.

        The lead is that of the earliest receiver, `least_lead_ms` that of the media.
        """
        reach_ns = self.transmitter.reach_ns if self.transmitter else 0
        if wanted_ns is not None:
            return max(wanted_ns, now_ns + self._shortest_ns + reach_ns)
        if lead_ms is None:
            lead_ms = max(self.lanes.lead_ms, least_lead_ms)
        return now_ns + max(lead_ms * 1_000_000, self._shortest_ns) + reach_ns

    @property
    def _shortest_ns(self) -> int:
        """The shortest lead, longer for receivers that hold packets for long."""
        leads_ms = [deep_lead_ms(lane.least_depth_ms) for lane in self.lanes.lanes]
        return max(_SHORTEST_LEAD_NS, *(each * 1_000_000 for each in leads_ms), 0)


def silence_ns(lead_in_ms: int) -> int:
    """Return how long a receiver gets silence before anything else."""
    frames = _silent_packets(lead_in_ms) * FRAMES_PER_PACKET
    return frames * SECOND_NS // SAMPLE_RATE


def _silent_packets(lead_in_ms: int) -> int:
    return max(SILENT_PACKETS, frames_of_ms(lead_in_ms) // FRAMES_PER_PACKET + 1)


def _call(
    loop: asyncio.AbstractEventLoop, listener: Callable[[Pcm], None], source: Pcm
) -> None:
    loop.call_soon_threadsafe(listener, source)
