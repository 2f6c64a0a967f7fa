"""The RAOP lane: one receiver's AirPlay 1 session, seen from its stream."""

import asyncio
from collections.abc import Coroutine
import contextlib
from dataclasses import replace
import logging
import os
import secrets

from ..errors import (
    RaopError,
    ReceiverRefusedError,
    ReceiverUnreachableError,
    UnsupportedReceiverError,
)
from ..messages import Channel, Identity, Member
from ..receiver import Receiver, Service, merge
from ..session.approach import Approach
from ..session.backlog import AudioKey, Format
from ..session.handshake import Handshake
from ..session.lead import Evidence
from ..session.link_quality import LinkQuality
from ..session.raop import RaopSession, Terms
from ..session.timeline import delay_frames
from . import clock, outlet as udp
from .connection import Connection
from .entrance import enter
from .lane import Show
from .pacer import Pacer
from .transmitter import Transmitter

_LOGGER = logging.getLogger(__name__)

_KEEP_ALIVE_S = 20
_TEARDOWN_S = 1.0
# Nothing is sent meanwhile, and whoever pressed pause or play waits for the answer.
_FLUSH_S = 1.0
_TEXT_S = 5.0
_GET_S = 1.0
_CHECK_S = 1.0
_ARTWORK_S = 15.0
_VOLUME_GAP_S = 0.1
_VOLUME_S = 1.0
# Where a level was raised and nobody knows what it was before.
_MODEST_PERCENT = 20.0


def receiver_of(member: Member) -> Receiver:
    """Return what is known of a member; without TXT a classic AirPlay 1 receiver."""
    raop = Service(f"{member.receiver}@{member.name}", member.host, member.port)
    raop = Service(raop.instance, raop.host, raop.port, member.txt)
    airplay = None
    if member.airplay_txt:
        port = member.airplay_port or member.port
        airplay = Service(member.name, member.host, port, member.airplay_txt)
    return merge(raop, airplay)


class RaopLane:
    """Connects, starts, controls and ends one session."""

    def __init__(
        self, member: Member, identity: Identity, pacer: Pacer, key: AudioKey
    ) -> None:
        self.member = member
        self.receiver = receiver_of(member)
        self._identity = identity
        self._pacer = pacer
        self.shape = Format(
            self.receiver.codec,
            key if self.receiver.encrypts else None,
            member.channel,
        )
        self._connection: Connection | None = None
        self._session: RaopSession | None = None
        self._outlet: udp.Outlet | None = None
        self._transmitter: Transmitter | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._volume = (member.volume, member.muted)
        self._raised: float | None = None
        self._volume_task: asyncio.Task[None] | None = None
        self._own_latency_frames = 0
        self._was_heard = False
        self.found_volume: float | None = None
        self.active_remote = secrets.randbelow(1 << 32)

    @property
    def outlet(self) -> udp.Outlet | None:
        """What sends it its packets, while there is a session."""
        return self._outlet

    @property
    def packets(self) -> int:
        """How many audio packets were sent."""
        return self._outlet.packets if self._outlet else 0

    @property
    def resent(self) -> int:
        """How many packets were sent again."""
        return self._outlet.resent if self._outlet else 0

    @property
    def timing_replies(self) -> int:
        """How often the receiver asked for the time, the evidence that it plays."""
        return self._outlet.timing_replies if self._outlet else 0

    @property
    def last_evidence_ns(self) -> int | None:
        """The session time of its last question; None before any."""
        return self._outlet.last_evidence_ns if self._outlet else None

    @property
    def link(self) -> LinkQuality:
        """How good the way to the receiver is; asked for once in a while."""
        return self._outlet.link(clock.now_ns()) if self._outlet else LinkQuality()

    @property
    def evidence(self) -> Evidence:
        """What the receiver has shown of how soon it can be heard."""
        return Evidence(
            self._own_latency_frames, self.timing_replies, self.resent, self._was_heard
        )

    @property
    def is_open(self) -> bool:
        """Whether the session stands."""
        return self._connection is not None and not self._connection.closed.done()

    @property
    def local_address(self) -> str:
        """Our address towards the receiver."""
        return self._connection.local if self._connection else ""

    @property
    def remote_address(self) -> str:
        """The receiver's address, from which it also calls back."""
        return self._connection.remote if self._connection else ""

    async def prepare(self) -> None:
        """Connect and go up to SETUP; nothing sounds yet."""
        if obstacle := self.receiver.obstacle:
            raise UnsupportedReceiverError(f"cannot play to it: {obstacle}")
        await enter(self.receiver, self.member.credentials, self._negotiate)

    async def record(self, transmitter: Transmitter) -> None:
        """Start the session at the timeline's entry, at the wanted level."""
        session, outlet = self._open_session, self._outlet
        assert outlet is not None
        lead_ns = self.evidence.joining_ms * 1_000_000
        delay = outlet.delay_frames
        sequence = await self._pacer.run(
            lambda: transmitter.entry(clock.now_ns(), lead_ns, delay_frames=delay)
        )
        frame = transmitter.backlog.frame_of(sequence)
        self._own_latency_frames = await self._perform(session.record(sequence, frame))
        await self._settle_first_volume()
        if self._outlet is None:
            raise ReceiverUnreachableError("the connection was closed")
        self._transmitter = transmitter
        await self._pacer.run(
            lambda: transmitter.attach(
                outlet, sequence, now_ns=clock.now_ns(), lead_ns=lead_ns
            )
        )
        self._spawn(self._keep_alive())

    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver now; the given packet comes next."""
        steps = self._open_session.flush(sequence, frame)
        await self._perform(steps, timeout_s=_FLUSH_S)

    def set_volume(self, percent: float | None, *, is_muted: bool) -> None:
        """Set the level soon; of several in a row the last one counts."""
        self._volume, self._raised = (percent, is_muted), None
        self._send_volume_soon()

    def _send_volume_soon(self) -> None:
        if self.is_open and (self._volume_task is None or self._volume_task.done()):
            self._volume_task = self._spawn(self._settle_volume())

    @property
    def level(self) -> tuple[float | None, bool]:
        """The level in percent at which it plays, if known, and whether it is muted."""
        percent, is_muted = self._volume
        return (self.found_volume if percent is None else percent), is_muted

    async def raise_volume(self, percent: float) -> None:
        """Play at another level for a while, until `lower_volume` or `set_volume`."""
        self._raised = percent
        await self._try_volume()

    async def lower_volume(self) -> None:
        """Go back to the level from before, unless another one was set meanwhile."""
        if self._raised is None:
            return
        percent, is_muted = self.level
        if percent is None:
            self._volume = (min(self._raised, _MODEST_PERCENT), is_muted)
        self._raised = None
        await self._try_volume()

    def tune(self, delay_ms: int, channel: Channel) -> None:
        """Set when it is heard, and what of the music, at once and for later."""
        self.member = replace(self.member, delay_ms=delay_ms, channel=channel)
        if outlet := self._outlet:
            transmitter, frames = self._transmitter, delay_frames(delay_ms)
            self._pacer.post(lambda: _tune(transmitter, outlet, frames, channel))

    def heard(self) -> None:
        """Take note that it is heard; the first time, set the level once more.

        Some receivers forget what they are told before the first sound. Never again
        later, as that would undo what somebody set at the receiver.
        """
        if not self._was_heard and self._volume[0] is not None:
            self._send_volume_soon()
        self._was_heard = True

    def show(self, show: Show) -> None:
        """Tell the receiver what plays, behind everything that is urgent."""
        session = self._session
        if session is None or not self.is_open:
            return
        if self.receiver.takes_text:
            text = session.text(show.tags, show.duration_ms, show.now)
            self._spawn(self._tell(text, _TEXT_S))
        if self.receiver.takes_progress and show.duration_ms:
            progress = session.progress(show.start, show.now, show.end)
            self._spawn(self._tell(progress, _TEXT_S))

    def show_artwork(self, content_type: str, picture: bytes, frame: int) -> None:
        """Show a picture."""
        session = self._session
        if session and self.is_open and self.receiver.takes_artwork:
            picture_steps = session.artwork(content_type, picture, frame)
            self._spawn(self._tell(picture_steps, _ARTWORK_S))

    async def check(self) -> None:
        """Find out whether the session still stands; it is closed if it does not."""
        try:
            steps = self._open_session.keep_alive()
            await self._perform(steps, timeout_s=_CHECK_S)
        except RaopError:
            self.release()

    async def closed(self) -> RaopError:
        """Wait until the receiver is gone and return why."""
        assert self._connection is not None
        return await asyncio.shield(self._connection.closed)

    async def teardown(self) -> None:
        """End the session; a receiver that does not answer is left behind."""
        for task in tuple(self._background):
            task.cancel()
        try:
            if self._session and self.is_open:
                with contextlib.suppress(RaopError):
                    await self.lower_volume()
                    steps = self._session.teardown()
                    await self._perform(steps, timeout_s=_TEARDOWN_S)
        finally:
            # A newer command may not want to wait for the answer.
            self.release()

    def release(self) -> None:
        """Let go of everything without a word to the receiver."""
        for task in tuple(self._background):
            task.cancel()
        if self._connection:
            self._connection.close()
        if outlet := self._outlet:
            self._outlet = None
            transmitter, pacer = self._transmitter, self._pacer
            pacer.post(lambda: _unplug(pacer, transmitter, outlet))

    async def _negotiate(self, connection: Connection, approach: Approach) -> None:
        outlet: udp.Outlet | None = None
        try:
            outlet = udp.Outlet(connection.local, connection.remote, self.shape)
            await self._pacer.run(lambda: _plug(self._pacer, outlet))
            terms = self._terms(
                connection, outlet, uses_auth_setup=approach.uses_auth_setup
            )
            session = RaopSession(terms)
            ports = await connection.perform(session.open())
            outlet.connect(ports.audio, ports.control)
        except BaseException as err:
            if outlet:
                pacer, left = self._pacer, outlet
                pacer.post(lambda: _unplug(pacer, None, left))
            if isinstance(err, OSError):
                reason = err.strerror or str(err)
                raise ReceiverUnreachableError(f"{self.member.host}: {reason}") from err
            raise
        self._connection, self._outlet, self._session = connection, outlet, session
        # Nothing is sent yet.
        outlet.tune(delay_frames(self.member.delay_ms), self.member.channel)
        if session.is_genuine is False:
            _LOGGER.debug("%s: its Apple-Response is not genuine", self.member.name)

    def _terms(
        self, connection: Connection, outlet: udp.Outlet, *, uses_auth_setup: bool
    ) -> Terms:
        return Terms(
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

    @property
    def _open_session(self) -> RaopSession:
        if self._session is None:
            raise ReceiverUnreachableError("there is no session")
        return self._session

    async def _perform[T](
        self, steps: Handshake[T], *, timeout_s: float = 5, is_urgent: bool = True
    ) -> T:
        if self._connection is None:
            raise ReceiverUnreachableError("there is no connection")
        return await self._connection.perform(
            steps, timeout_s=timeout_s, is_urgent=is_urgent
        )

    @property
    def _wanted_volume(self) -> tuple[float | None, bool]:
        return self.level if self._raised is None else (self._raised, False)

    async def _try_volume(self) -> None:
        try:
            await self._send_volume(_VOLUME_S)
        except RaopError as err:
            _LOGGER.debug("%s: volume: %s", self.member.name, err)

    async def _send_volume(self, timeout_s: float = 5) -> None:
        percent, is_muted = self._wanted_volume
        if percent is None:
            return
        try:
            steps = self._open_session.volume(percent, is_muted=is_muted)
            await self._perform(steps, timeout_s=timeout_s)
        except ReceiverRefusedError as err:
            _LOGGER.debug("%s refuses the volume: %s", self.member.name, err)

    async def _settle_first_volume(self) -> None:
        """Set the level that is wanted, or learn the one at which it stands.

        The first AirPort Express hangs when it is asked.
        """
        if self._volume[0] is not None:
            return await self._send_volume()
        if self.receiver.is_first_express:
            return None
        try:
            steps = self._open_session.read_volume()
            self.found_volume = await self._perform(steps, timeout_s=_GET_S)
        except RaopError as err:
            _LOGGER.debug("%s tells no volume: %s", self.member.name, err)
        return None

    async def _settle_volume(self) -> None:
        sent: tuple[float | None, bool] | None = None
        while sent != self._wanted_volume:
            sent = self._wanted_volume
            await self._try_volume()
            await asyncio.sleep(_VOLUME_GAP_S)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_ALIVE_S)
            await self._tell(self._open_session.keep_alive(), 5)

    async def _tell(self, steps: Handshake[None], timeout_s: float) -> None:
        """Do something that nobody waits for; what fails is not worth a word."""
        try:
            await self._perform(steps, timeout_s=timeout_s, is_urgent=False)
        except RaopError as err:
            _LOGGER.debug("%s: %s", self.member.name, err)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


def _plug(pacer: Pacer, outlet: udp.Outlet | None) -> None:
    assert outlet is not None
    pacer.listen(outlet.timing, outlet.answer_timing)
    pacer.listen(outlet.control, outlet.take_requests)


def _tune(
    transmitter: Transmitter | None, outlet: udp.Outlet, frames: int, channel: Channel
) -> None:
    if transmitter:
        transmitter.tune(outlet, frames, channel)
    else:
        outlet.tune(frames, channel)


def _unplug(pacer: Pacer, transmitter: Transmitter | None, outlet: udp.Outlet) -> None:
    if transmitter:
        transmitter.detach(outlet)
    pacer.forget(outlet.timing)
    pacer.forget(outlet.control)
    outlet.close()
