"""The RAOP lane: an AirPlay 1 session with one receiver."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace
import logging
import os
import secrets
from typing import ClassVar, override

from ...messages import Member
from ...session.backlog import Format
from ...session.climbing.extras import Extra
from ...session.ladder import Attempt, Ladder
from ...session.lead import LEAST_LEAD_MS, RaopStartEvidence, depth_of_latency_ms
from ...session.raop import RaopSession, RaopTerms
from ...session.timeline import delay_frames
from ..net import clock
from ..net.connection import STEP_S, Connection
from ..net.open_way import OpenedWay
from ..pacing.transmitter import Transmitter
from ..pacing.udp_outlet import UdpOutlet
from .context import LaneContext, network_errors
from .lane import Lane

_LOGGER = logging.getLogger(__name__)

_KEEP_ALIVE_S = 20
# No audio is sent meanwhile, and a pause or play command waits for the answer.
_FLUSH_S = 1.0


class RaopLane(Lane[RaopSession, UdpOutlet]):
    """Connects, starts, and silences one session."""

    SIGN_OF_LIFE: ClassVar[Extra] = Extra.KEEP_ALIVE

    def __init__(
        self, ladder: Ladder, attempt: Attempt, member: Member, context: LaneContext
    ) -> None:
        super().__init__(ladder, attempt, member, context)
        way = attempt.way
        key = context.keys.aes if way.encrypts else None
        self.shape = Format(way.codec, key, member.channel)

    @property
    @override
    def timing_replies(self) -> int:
        """How often the receiver asked for the time, as evidence that it plays."""
        return self._outlet.timing_replies if self._outlet else 0

    @property
    @override
    def last_evidence_ns(self) -> int | None:
        """The session time of its last request, or None before any."""
        return self._outlet.last_evidence_ns if self._outlet else None

    @property
    @override
    def evidence(self) -> RaopStartEvidence:
        """The receiver's evidence of how soon it can play."""
        outlet = self._outlet
        return RaopStartEvidence(
            own_latency_frames=self._own_latency_frames,
            kind_lead_ms=LEAST_LEAD_MS if self.receiver.starts_soon else 0,
            timing_replies=self.timing_replies,
            packets=self.packets,
            resent=self.resent,
            spread_us=outlet.timing.spread_us(clock.now_ns()) if outlet else None,
            least_depth_ms=self.least_depth_ms,
            learned=self.starts.learned,
        )

    @override
    async def record(self, transmitter: Transmitter) -> None:
        """Start the session at the timeline's entry, at the wanted volume."""
        session, outlet = self._open_session, self._outlet
        assert outlet is not None
        lead_ns = self.evidence.joining_ms * 1_000_000
        delay = outlet.delay_frames
        sequence = await self._pacer.run(
            lambda: transmitter.entry(clock.now_ns(), lead_ns, delay_frames=delay)
        )
        frame = transmitter.backlog.frame_of(sequence)
        self._own_latency_frames = await self._perform(session.record(sequence, frame))
        self.least_depth_ms = max(
            self.least_depth_ms, depth_of_latency_ms(self._own_latency_frames)
        )
        least_depth_ms = self.least_depth_ms
        lead_ns = self.evidence.joining_ms * 1_000_000
        await self.volume.begin()
        self._end_start()
        self._transmitter = transmitter

        def attach() -> None:
            transmitter.deepen(least_depth_ms)
            now_ns = clock.now_ns()
            transmitter.attach(outlet, sequence, now_ns=now_ns, lead_ns=lead_ns)

        await self._pacer.run(attach)
        self._background.start(self._keep_alive())

    @override
    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver with FLUSH, which it may refuse."""
        steps = self._open_session.flush(sequence, frame)
        await self._offer(Extra.FLUSH, steps, _FLUSH_S)

    @override
    async def _negotiate(self, opened: OpenedWay) -> None:
        pacer, connection = self._pacer, opened.connection
        with network_errors(self.member.host), ExitStack() as undo:
            outlet = UdpOutlet(
                connection.local, connection.remote, self.shape, peers=connection.peers
            )
            undo.callback(pacer.post, lambda: outlet.unplug(pacer))
            await self._plug(outlet)
            session = RaopSession(self._terms(connection, outlet))
            encrypted = replace(self.shape, key=self._context.keys.aes)
            ports = await opened.set_up(session, encrypted)
            if self.attempt.way.encrypts:
                self.shape = outlet.shape = encrypted
            outlet.connect(ports.audio, ports.control)
            undo.pop_all()
        self._connection, self._outlet, self._session = connection, outlet, session
        # Safe on the event loop, as nothing is sent yet.
        outlet.tune(delay_frames(self.member.delay_ms), self.member.channel)
        if session.is_genuine is False:
            _LOGGER.debug("%s: its Apple-Response is not genuine", self.member.name)

    def _terms(self, connection: Connection, outlet: UdpOutlet) -> RaopTerms:
        way, identity = self.attempt.way, self._context.identity
        return RaopTerms(
            receiver=self.receiver,
            local=connection.local,
            remote=connection.remote,
            session_id=secrets.randbelow(1 << 32),
            dacp_id=identity.dacp_id,
            active_remote=self.active_remote,
            client_name=identity.client_name,
            shape=self.shape,
            control_port=outlet.control_port,
            timing_port=outlet.timing_port,
            challenge=os.urandom(16),
            password=self.member.password,
            uses_auth_setup=way.uses_auth_setup,
            digest=way.digest,
        )

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_ALIVE_S)
            steps = self._open_session.keep_alive()
            self._try(self.SIGN_OF_LIFE, steps, STEP_S)
