"""The realtime lane of AirPlay 2: sealed packets over UDP, otherwise like RAOP."""

from typing import override

from ...session.airplay2 import REALTIME, AirPlay2Session
from ...session.backlog import Format
from ...session.climbing.extras import Extra
from ...session.lead import PtpStartEvidence, RaopStartEvidence, StartEvidence
from ...session.timeline import delay_frames, time_announce
from ...wire.codec import Codec
from ..net.connection import Connection
from ..pacing.udp_outlet import LineStatement, UdpOutlet, sync
from .airplay2 import AirPlay2Lane

# No audio is sent meanwhile, and a pause or play command waits for the answer.
_FLUSH_S = 1.0


class RealtimeLane(AirPlay2Lane[UdpOutlet]):
    """Sends packets when they are due, and announces the line on the control port."""

    @property
    @override
    def timing_replies(self) -> int:
        """Evidence that the receiver follows our clock; 0 or 1 with PTP."""
        if self._peer:
            is_sent = self._outlet is None or self._outlet.sending.problem is None
            return int(self._peer.has_evidence and is_sent)
        return self._outlet.timing_replies if self._outlet else 0

    @property
    @override
    def evidence(self) -> StartEvidence:
        """The receiver's evidence of how soon it can play."""
        if self._peer:
            return PtpStartEvidence(
                self._peer.lead_ms, self.least_depth_ms, self.starts.learned
            )
        return RaopStartEvidence(
            timing_replies=self.timing_replies, least_depth_ms=self.least_depth_ms
        )

    @property
    @override
    def minds_flush(self) -> bool:
        """Whether FLUSH must be avoided on the receiver.

        Apple's receivers make a noise of 0.1 s on FLUSH (reported for tvOS 27); new
        sound and silence follow their buffered audio instead, and come that much later.
        """
        return self.receiver.is_apples or super().minds_flush

    @override
    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver with FLUSH, which it may refuse."""
        steps = self._open_session.flush(sequence, frame)
        await self._offer(Extra.FLUSH, steps, _FLUSH_S)

    @override
    async def _prepare_outlet(self, connection: Connection) -> None:
        keys = self._context.keys
        # A receiver without PTP identifies the stream by its SSRC; for others it is 0.
        ssrc = 0 if self._peer else keys.connection_id
        self.shape = Format(Codec.ALAC, keys.seal, self.member.channel, ssrc=ssrc)
        self._outlet = UdpOutlet(
            connection.local,
            connection.remote,
            self.shape,
            self._state_line,
            peers=connection.peers,
        )
        self._outlet.tune(delay_frames(self.member.delay_ms), self.member.channel)
        await self._plug(self._outlet)

    @property
    @override
    def _timing_port(self) -> int:
        assert self._outlet is not None
        return self._outlet.timing_port

    @override
    async def _connect_stream(
        self, connection: Connection, session: AirPlay2Session
    ) -> None:
        outlet = self._outlet
        assert outlet is not None
        ports = await self._set_up_stream(
            connection, session, REALTIME, outlet.control_port
        )
        assert ports.control is not None
        outlet.connect(ports.audio, ports.control)

    def _state_line(self, statement: LineStatement) -> bytes:
        """Return the packet that announces the line; pacing thread."""
        peer = self._peer
        if peer is None:
            return sync(statement)
        timeline = peer.timeline
        announce = time_announce(
            statement.line,
            statement.now_ns,
            timeline.clock_id,
            timeline.map.timeline_ns,
            delay_frames=statement.delay_frames,
            is_first=statement.is_first,
        )
        return announce.build()
