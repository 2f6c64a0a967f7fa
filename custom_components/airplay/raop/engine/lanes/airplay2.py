"""The common part of both AirPlay 2 lanes."""

from abc import abstractmethod
import asyncio
from contextlib import ExitStack
import logging
import secrets
from typing import ClassVar, override
import uuid

from ...auth.channel import ChannelKeys
from ...errors import RaopError, ReceiverUnreachableError, UnsupportedReceiverError
from ...messages import Member
from ...session.airplay2 import (
    AirPlay2Session,
    AirPlay2Terms,
    SessionClock,
    StreamPorts,
    StreamSetup,
)
from ...session.climbing.extras import Extra
from ...session.control import Caller
from ...session.events import button_of
from ...session.ladder import Attempt, Ladder
from ...session.ptp_readiness import habit_of
from ...session.timeline import SECOND_NS
from ...session.ways import Outcome
from ...wire.rtsp import Call
from ..net import clock
from ..net.connection import Connection
from ..net.event_channel import EventChannel
from ..net.open_way import OpenedWay
from ..pacing.change_signal import ChangeSignal
from ..pacing.outlet import Outlet
from ..pacing.transmitter import Transmitter
from ..ptp.service import PtpPeer
from .context import LaneContext, network_errors
from .lane import Lane

_LOGGER = logging.getLogger(__name__)

_FEEDBACK_S = 2.0
# The first feedback, soon after the start, shows if a buffered stream is understood.
_FIRST_FEEDBACK_S = 0.6
_MISSES = 3
# Apple TVs open no stream before the event channel; others open its port with their
# reply, or seconds later.
_EVENTS_S = 1.0
_EVENTS_SOON_S = 0.1
# shairport-sync answers our clock within milliseconds; others need seconds, which
# their lead covers.
_CLAIM_S = 0.2
# A receiver that keeps its own clock needs anchors in that clock, so wait for it.
_THEIR_CLOCK_S = 3.0


class AirPlay2Lane[O: Outlet](Lane[AirPlay2Session, O]):
    """Connects one session, and keeps its event channel and its clock."""

    SIGN_OF_LIFE: ClassVar[Extra] = Extra.FEEDBACK

    def __init__(
        self, ladder: Ladder, attempt: Attempt, member: Member, context: LaneContext
    ) -> None:
        super().__init__(ladder, attempt, member, context)
        self._peer: PtpPeer | None = None
        self._events: EventChannel | None = None
        self._answered_ns: int | None = None
        self._session_id = secrets.randbelow(1 << 32)

    @property
    @override
    def silence(self) -> Outcome:
        """What it means if it never shows that it plays: maybe it wants no PTP."""
        has_no_clock = self._peer is not None and not self._peer.has_evidence
        return Outcome.NO_CLOCK if has_no_clock else Outcome.SILENT

    @property
    def peer(self) -> PtpPeer | None:
        """The receiver on our PTP clock, if the session has one."""
        return self._peer

    @property
    @override
    def last_evidence_ns(self) -> int | None:
        """The session time of its last feedback answer, or None before any."""
        return self._answered_ns

    @override
    async def record(self, transmitter: Transmitter) -> None:
        """Start at the timeline's entry, at the wanted volume."""
        # The volume comes last, as some receivers forget one from before the stream.
        await self.volume.begin()
        self._end_start()
        outlet = self._outlet
        assert outlet is not None
        self._transmitter = transmitter
        lead_ns = self.evidence.joining_ms * 1_000_000

        def attach() -> None:
            transmitter.deepen(self.least_depth_ms)
            now_ns = clock.now_ns()
            delay = outlet.delay_frames
            sequence = transmitter.entry(now_ns, lead_ns, delay_frames=delay)
            transmitter.attach(outlet, sequence, now_ns=now_ns, lead_ns=lead_ns)

        await self._pacer.run(attach)
        if self._peer:
            self._peer.listen(transmitter.on_change)
            self._peer.rest_while(lambda: transmitter.line is None)
        if Extra.FEEDBACK not in self.ladder.omissions:
            self._background.start(self._send_feedback())

    @override
    def release(self) -> None:
        """Free everything without a request to the receiver."""
        super().release()
        if self._events:
            self._events.close()
        if self._peer:
            self._peer.remove()

    @abstractmethod
    async def _prepare_outlet(self, connection: Connection) -> None:
        """Create the outlet, or its format, before the session begins."""

    @abstractmethod
    async def _connect_stream(
        self, connection: Connection, session: AirPlay2Session
    ) -> None:
        """Set up the stream."""

    @property
    @abstractmethod
    def _timing_port(self) -> int:
        """Our port for timing requests from a receiver without PTP."""

    def _handle_rate(self, rate: float | None) -> None:
        """Record the sample rate, in Hz, that the receiver reports in its feedback."""

    @override
    async def _negotiate(self, opened: OpenedWay) -> None:
        connection = self._connection = opened.connection
        with network_errors(self.member.host), ExitStack() as undo:
            undo.callback(self._forget)
            await self._agree_on_clock(connection)
            await self._prepare_outlet(connection)
            session = AirPlay2Session(self._terms(connection))
            setup = await connection.perform(session.set_up())
            await opened.check(session)
            if setup.event_port:
                await self._open_events(opened.secret, setup.event_port)
            await self._offer(Extra.RECORD, session.record())
            await self._share_clock(connection, session, setup.addresses)
            if self._peer:
                self._peer.begin()
            await self._connect_stream(connection, session)
            await self._until_claimed()
            undo.pop_all()
        self._session = session

    def _forget(self) -> None:
        """Free everything of a failed attempt, before another one may follow."""
        self.release()
        self._events = self._peer = None

    async def _agree_on_clock(self, connection: Connection) -> None:
        """Add the receiver to our PTP clock, if the way uses PTP.

        Raises PtpUnavailableError: this machine cannot open the PTP ports.
        """
        if self.attempt.way.is_ptp:
            self._peer = await self._context.ptp().add_peer(
                (connection.remote, *connection.peers), habit_of(self.receiver)
            )

    async def _share_clock(
        self,
        connection: Connection,
        session: AirPlay2Session,
        addresses: tuple[str, ...],
    ) -> None:
        """Exchange clock addresses; the receiver may have several."""
        if self._peer is None:
            return
        remote = connection.remote
        plain, _, scope = remote.partition("%")
        others = [_scoped(each, scope) for each in addresses if each != plain]
        if others:
            known, habit = self._peer, habit_of(self.receiver)
            self._peer = await self._context.ptp().add_peer((remote, *others), habit)
            known.remove()
        local = connection.local.partition("%")[0]
        await self._offer(Extra.PEERS, session.set_peers((plain, local)))

    async def _open_events(self, secret: bytes, port: int) -> None:
        """Open the event channel; play on without it if it does not open at once."""
        assert self._connection is not None
        self._events = EventChannel(
            self._connection.remote,
            port,
            ChannelKeys.events(secret),
            on_call=self._handle_call,
            on_end=self._check_soon,
        )
        is_needed = self.receiver.is_apples
        await self._events.wait_open(_EVENTS_S if is_needed else _EVENTS_SOON_S)

    async def _until_claimed(self) -> None:
        """Wait a moment for evidence that one clock has reached the other side."""
        if self._peer is None:
            return
        peer, claimed = self._peer, ChangeSignal()
        peer.announce()
        peer.listen(claimed.notify_threadsafe)
        wait_s = _THEIR_CLOCK_S if self.receiver.keeps_clock else _CLAIM_S
        until_ns = clock.now_ns() + round(wait_s * SECOND_NS)
        await claimed.wait_for(lambda: peer.has_evidence, until_ns)

    async def _set_up_stream(
        self,
        connection: Connection,
        session: AirPlay2Session,
        kind: int,
        control_port: int | None,
    ) -> StreamPorts:
        keys = self._context.keys
        stream = StreamSetup(
            kind=kind,
            key=keys.seal.key,
            control_port=control_port,
            connection_id=self._session_id if self._peer else keys.connection_id,
        )
        return await connection.perform(session.set_up_stream(stream))

    def _terms(self, connection: Connection) -> AirPlay2Terms:
        identity = self._context.identity
        if self._peer:
            clock = SessionClock(id=self._context.ptp().clock_id)
        else:
            clock = SessionClock(timing_port=self._timing_port)
        return AirPlay2Terms(
            caller=Caller(
                local=connection.local,
                session_id=self._session_id,
                dacp_id=identity.dacp_id,
                active_remote=self.active_remote,
                password=self.member.password,
            ),
            client_name=identity.client_name,
            clock=clock,
            session_uuid=_uuid(),
            group_uuid=self._context.keys.uuid,
            peer_uuid=_uuid(),
        )

    def _handle_call(self, call: Call) -> None:
        if button := button_of(call):
            self._context.on_button(self.member.receiver, button)

    def _check_soon(self) -> None:
        """Check whether the session is still open after its event channel has ended."""
        if self.is_open and self._session:
            self._background.start(self.check())

    async def _send_feedback(self) -> None:
        """Send feedback; a receiver that stops to answer it is lost."""
        misses = 0
        await asyncio.sleep(_FIRST_FEEDBACK_S)
        while True:
            try:
                steps = self._open_session.feedback()
                rate = await self.connection.perform(
                    steps,
                    timeout_s=_FEEDBACK_S,
                    is_urgent=False,
                    extra=Extra.FEEDBACK,
                )
            except ReceiverUnreachableError as err:
                misses += 1
                # One that never answered may not know the request.
                if misses >= _MISSES and self._answered_ns is not None:
                    self._give_up(err)
            except RaopError as err:
                _LOGGER.debug("%s: %s", self.member.name, err)
            else:
                misses = 0
                self.ladder.omissions.answer(Extra.FEEDBACK, is_answered=True)
                self._answered_ns = clock.now_ns()
                self._handle_rate(rate)
                if self._transmitter:
                    self._transmitter.on_change()
            await asyncio.sleep(_FEEDBACK_S)

    def _give_up(self, reason: RaopError) -> None:
        """Close the session of a lost receiver; `closed` returns the reason."""
        if self._connection:
            self._connection.close(reason)

    def _required_peer(self) -> PtpPeer:
        """Return the receiver's PTP peer.

        Raises UnsupportedReceiverError: the session has none.
        """
        if self._peer:
            return self._peer
        raise UnsupportedReceiverError(
            "the receiver does not follow a PTP clock, which a buffered stream requires"
        )


def _scoped(address: str, scope: str) -> str:
    is_link_local = address.lower().startswith("fe80:")
    return f"{address}%{scope}" if scope and is_link_local else address


def _uuid() -> str:
    return str(uuid.uuid4()).upper()
