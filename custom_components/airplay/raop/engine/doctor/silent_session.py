"""A session that sends silence, and leaves out a few packets on purpose."""

import asyncio
import secrets

from ...diagnosis import LinkFinding
from ...session.lead import SILENT_PACKETS, deep_lead_ms
from ..lanes.lane import Lane
from ..net import clock
from ..pacing.change_signal import ChangeSignal
from ..pacing.pacer import Pacer
from ..pacing.transmitter import Transmitter
from ..pacing.udp_outlet import UdpOutlet
from .figures import Counters, link_of

SESSION_S = 5.0
_DEPTH_MS = 1000
_MS_NS = 1_000_000
# A receiver that gets the packets around one that is missing asks for it. The first
# ones of a session are played before some have set up what they need to ask.
_GAPS_S = (1.6, 2.2, 2.8, 3.4)


class SilentSession:
    """Begins a lane that has been prepared, watches it, and ends it; event loop."""

    def __init__(self, lane: Lane, pacer: Pacer) -> None:
        self.lane = lane
        self._pacer = pacer
        self._changes = ChangeSignal()
        self._gaps = 0
        self._at_ns = 0
        self._transmitter = Transmitter(
            sequence=secrets.randbelow(1 << 16),
            frame=secrets.randbelow(1 << 32),
            ssrc=secrets.randbelow(1 << 32),
            depth_ms=_DEPTH_MS,
            on_switch=lambda _: None,
            on_end=lambda _: None,
            on_change=self._changes.notify_threadsafe,
        )

    async def open(self) -> None:
        """Connect, negotiate, and begin with silence.

        Raises RaopError: see `Lane.prepare` and `Lane.record`; `close` it then, too.
        """
        lane, transmitter = self.lane, self._transmitter
        await lane.prepare()
        await lane.record(transmitter)
        lane.connection.closed.add_done_callback(lambda _: self._changes.notify())
        lead_ms = max(lane.evidence.lead_ms, deep_lead_ms(lane.least_depth_ms))
        now_ns = clock.now_ns()
        self._at_ns = now_ns + lead_ms * _MS_NS

        def begin() -> None:
            transmitter.wake(self._at_ns, now_ns, SILENT_PACKETS)
            transmitter.commit()
            self._pacer.add(transmitter)

        await self._pacer.run(begin)

    async def watch(self, evidence_s: float) -> LinkFinding:
        """Send silence for 5 s and return the figures.

        Without evidence that the receiver plays `evidence_s` after the first frame's
        instant it ends then, and so it does when the connection ends.
        """
        lane, since = self.lane, Counters.of(self.lane)
        loop = asyncio.get_running_loop()
        timers = [loop.call_later(each, self._leave_out) for each in _GAPS_S]
        try:
            last_ns = self._at_ns + round(evidence_s * 1e9)
            await self._changes.wait_for(
                lambda: lane.is_proven or not lane.is_open, last_ns
            )
            if not lane.is_proven and lane.is_open:
                lane.accept_silence()
            if lane.is_proven:
                until_ns = since.at_ns + round(SESSION_S * 1e9)
                await self._changes.wait_for(lambda: not lane.is_open, until_ns)
        finally:
            for timer in timers:
                timer.cancel()
        return link_of(lane, since, self._gaps)

    async def close(self) -> None:
        """End the session, even if the receiver does not answer; repeatable."""
        transmitter, pacer = self._transmitter, self._pacer
        try:
            await self.lane.teardown()
        finally:
            pacer.post(lambda: pacer.remove(transmitter))

    def _leave_out(self) -> None:
        """Skip the next packet; it is sent if the receiver asks for it."""
        outlet = self.lane.outlet
        if not isinstance(outlet, UdpOutlet):
            return
        self._gaps += 1

        def skip() -> None:
            if outlet.cursor is not None:
                outlet.cursor += 1

        self._pacer.post(skip)
