"""The realtime lane of AirPlay 2: packets over UDP, like RAOP's but sealed."""

from typing import override

from ..messages import Member
from ..receiver import Codec
from ..session.airplay2 import REALTIME, AirPlay2Session
from ..session.backlog import Format
from ..session.lead import Evidence, Following, Shown
from ..session.timeline import time_announce
from .airplay2_lane import AirPlay2Lane
from .connection import Connection
from .means import Means
from .outlet import Moment, Outlet, sync
from .ptp_service import PtpPeer

# Nothing is sent meanwhile, and whoever pressed pause or play waits for the answer.
_FLUSH_S = 1.0


class RealtimeLane(AirPlay2Lane[Outlet]):
    """Sends packets when they are due, and tells the line on the control port."""

    def __init__(self, member: Member, means: Means) -> None:
        super().__init__(member, means)
        self._unopened: Outlet | None = None

    @property
    @override
    def timing_replies(self) -> int:
        """How often the receiver was seen to follow our clock."""
        if self._peer:
            return int(self._peer.has_evidence)
        return self._outlet.timing_replies if self._outlet else 0

    @property
    @override
    def evidence(self) -> Shown:
        """What the receiver has shown of how soon it can be heard."""
        if self._peer:
            return Following(self._peer.lead_ms)
        return Evidence(0, self.timing_replies, self.resent, self._was_heard)

    @override
    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver now; the given packet comes next."""
        steps = self._open_session.flush(sequence, frame)
        await self._perform(steps, timeout_s=_FLUSH_S)

    @override
    def _timing_port(self, connection: Connection) -> int:
        return self._make_outlet(connection).timing_port

    @override
    async def _open_stream(
        self, connection: Connection, session: AirPlay2Session
    ) -> None:
        outlet = self._make_outlet(connection)
        ports = await self._set_up_stream(
            connection, session, REALTIME, outlet.control_port
        )
        assert ports.control is not None
        outlet.connect(ports.audio, ports.control)
        self._outlet = outlet
        await self._plug(outlet)
