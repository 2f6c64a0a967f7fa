"""The RAOP lane: an AirPlay 1 session with one receiver."""

import asyncio
from contextlib import ExitStack
import logging
import os
import secrets
from typing import override

from ...errors import ReceiverUnreachableError, UnsupportedReceiverError
from ...messages import Identity, Member
from ...receiver import LaneKind as Kind
from ...session.attempts import RaopAttempt
from ...session.backlog import AudioKey, Format
from ...session.lead import RaopStartEvidence
from ...session.raop import RaopSession, RaopTerms
from ...session.timeline import delay_frames
from ..net import clock
from ..net.connection import Connection
from ..net.login import connect_raop
from ..pacing.pacer import Pacer
from ..pacing.transmitter import Transmitter
from ..pacing.udp_outlet import UdpOutlet
from .context import network_errors
from .lane import Lane

_LOGGER = logging.getLogger(__name__)

_KEEP_ALIVE_S = 20
# No audio is sent meanwhile, and a pause or play command waits for the answer.
_FLUSH_S = 1.0


class RaopLane(Lane[RaopSession, UdpOutlet]):
    """Connects, starts, and silences one session."""

    kind = Kind.RAOP

    def __init__(
        self, member: Member, identity: Identity, pacer: Pacer, key: AudioKey
    ) -> None:
        super().__init__(member, identity, pacer)
        self.shape = Format(
            self.receiver.codec,
            key if self.receiver.encrypts else None,
            member.channel,
        )

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
        return RaopStartEvidence(
            self._own_latency_frames, self.timing_replies, self.resent, self._was_heard
        )

    @override
    async def prepare(self) -> None:
        """Connect up to SETUP, without sound."""
        if obstacle := self.receiver.obstacle:
            raise UnsupportedReceiverError(f"cannot play to it: {obstacle}")
        await connect_raop(self.receiver, self.member.credentials, self._negotiate)

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
        await self._volume.begin()
        if self._outlet is None:
            raise ReceiverUnreachableError("the connection was closed")
        self._transmitter = transmitter
        await self._pacer.run(
            lambda: transmitter.attach(
                outlet, sequence, now_ns=clock.now_ns(), lead_ns=lead_ns
            )
        )
        self._background.start(self._keep_alive())

    @override
    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver now; the given packet is the next one."""
        steps = self._open_session.flush(sequence, frame)
        await self._perform(steps, timeout_s=_FLUSH_S)

    async def _negotiate(self, connection: Connection, attempt: RaopAttempt) -> None:
        pacer = self._pacer
        with network_errors(self.member.host), ExitStack() as undo:
            outlet = UdpOutlet(
                connection.local, connection.remote, self.shape, peers=connection.peers
            )
            undo.callback(pacer.post, lambda: outlet.unplug(pacer))
            await self._plug(outlet)
            terms = self._terms(
                connection, outlet, uses_auth_setup=attempt.uses_auth_setup
            )
            session = RaopSession(terms)
            ports = await connection.perform(session.prepare())
            outlet.connect(ports.audio, ports.control)
            undo.pop_all()
        self._connection, self._outlet, self._session = connection, outlet, session
        # Safe on the event loop, as nothing is sent yet.
        outlet.tune(delay_frames(self.member.delay_ms), self.member.channel)
        if session.is_genuine is False:
            _LOGGER.debug("%s: its Apple-Response is not genuine", self.member.name)

    def _terms(
        self, connection: Connection, outlet: UdpOutlet, *, uses_auth_setup: bool
    ) -> RaopTerms:
        return RaopTerms(
            receiver=self.receiver,
            local=connection.local,
            remote=connection.remote,
            session_id=secrets.randbelow(1 << 32),
            dacp_id=self._identity.dacp_id,
            active_remote=self.active_remote,
            client_name=self._identity.client_name,
            shape=self.shape,
            control_port=outlet.control_port,
            timing_port=outlet.timing_port,
            challenge=os.urandom(16),
            password=self.member.password,
            uses_auth_setup=uses_auth_setup,
        )

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_ALIVE_S)
            await self._try(self._open_session.keep_alive(), 5)
