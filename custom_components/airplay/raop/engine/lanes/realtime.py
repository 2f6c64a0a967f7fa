"""The realtime lane of AirPlay 2: packets over UDP, like RAOP's but sealed."""

import logging
from typing import override

from ...receiver import LaneKind as Kind
from ...session.airplay2 import REALTIME, AirPlay2Session
from ...session.backlog import Format
from ...session.lead import PtpStartEvidence, RaopStartEvidence, StartEvidence
from ...session.timeline import delay_frames, time_announce
from ...wire.codec import Codec
from ..net.connection import Connection
from ..pacing.udp_outlet import LineStatement, UdpOutlet, sync
from .airplay2 import AirPlay2Lane

_LOGGER = logging.getLogger(__name__)

# Nothing is sent meanwhile, and whoever pressed pause or play waits for the answer.
_FLUSH_S = 1.0


class RealtimeLane(AirPlay2Lane[UdpOutlet]):
    """Sends packets when they are due, and states the line on the control port."""

    kind = Kind.AIRPLAY2_REALTIME

    @property
    @override
    def timing_replies(self) -> int:
        """How often the receiver was seen to follow our clock."""
        if self._peer:
            return int(self._peer.has_evidence)
        return self._outlet.timing_replies if self._outlet else 0

    @property
    @override
    def evidence(self) -> StartEvidence:
        """What the receiver has shown of how soon it can be heard."""
        if self._peer:
            return PtpStartEvidence(self._peer.lead_ms)
        return RaopStartEvidence(0, self.timing_replies, self.resent, self._was_heard)

    @property
    @override
    def minds_flush(self) -> bool:
        """Whether the receiver must not be made to drop what it holds.

        Apple's make a noise of a tenth of a second then (reported for tvOS 27); new
        sound and silence follow what they hold instead, so much later.
        """
        return self.receiver.manufacturer == "Apple"

    @override
    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver now; the given packet comes next."""
        steps = self._open_session.flush(sequence, frame)
        await self._perform(steps, timeout_s=_FLUSH_S)

    @override
    async def _prepare_outlet(self, connection: Connection) -> None:
        if self._ptp_problem:
            _LOGGER.warning(
                "%s is played to without PTP, and may stay silent or out of step: %s",
                self.member.name,
                self._ptp_problem,
            )
        keys = self._context.keys
        # A receiver without PTP tells streams apart by what is 0 for all others.
        ssrc = 0 if self._peer else keys.connection_id
        self.shape = Format(Codec.ALAC, keys.seal, self.member.channel, ssrc=ssrc)
        self._outlet = UdpOutlet(
            connection.local, connection.remote, self.shape, self._state_line
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
        """Write the packet about the line by the receiver's clock; pacing thread."""
        peer = self._peer
        if peer is None:
            return sync(statement)
        clock_id = peer.grandmaster_id
        announce = time_announce(
            statement.line,
            statement.now_ns,
            self._context.ptp.clock_id if clock_id is None else clock_id,
            peer.timeline_ns,
            delay_frames=statement.delay_frames,
            is_first=statement.is_first,
        )
        return announce.build()
