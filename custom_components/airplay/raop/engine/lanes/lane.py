"""A lane: one session with one receiver, independent of the protocol."""

from abc import ABC, abstractmethod
import asyncio
import contextlib
from dataclasses import replace
import logging
import secrets
from typing import ClassVar

from ...errors import RaopError, ReceiverUnreachableError
from ...messages import Channel, Identity, Member
from ...receiver import LaneKind as Kind
from ...session.backlog import Format
from ...session.control import ControlSession
from ...session.lead import StartEvidence
from ...session.link_quality import LinkQuality
from ...session.timeline import delay_frames
from ...wire.handshake import Handshake
from ...wire.parameters import Volume
from ..net import clock
from ..net.connection import Connection
from ..pacing.outlet import Outlet
from ..pacing.pacer import Pacer
from ..pacing.transmitter import Transmitter
from .background import BackgroundTasks
from .context import receiver_of
from .show import Show
from .volume import LaneVolume

_LOGGER = logging.getLogger(__name__)

_TEARDOWN_S = 1.0
_TEXT_S = 5.0
_GET_S = 1.0
_CHECK_S = 1.0
_ARTWORK_S = 15.0


class Lane[S: ControlSession = ControlSession, O: Outlet = Outlet](ABC):
    """One receiver's session, from the connection to TEARDOWN.

    Call `prepare`, `record`, any other methods, then `teardown` or `release`; a lane is
    not reusable. All methods run on the event loop, never on the pacing thread: work of
    the outlet is posted to that thread. The counters are those of the outlet, which the
    pacing thread updates without a lock.

    A method that names no error raises none: failures of secondary work are logged, and
    only `closed` reports the end of a session.
    """

    kind: ClassVar[Kind]

    def __init__(self, member: Member, identity: Identity, pacer: Pacer) -> None:
        self.member = member
        self.receiver = receiver_of(member)
        self._identity = identity
        self._pacer = pacer
        self.shape = Format(self.receiver.codec)
        self._connection: Connection | None = None
        self._session: S | None = None
        self._outlet: O | None = None
        self._transmitter: Transmitter | None = None
        self._background = BackgroundTasks()
        self._volume = LaneVolume(
            member, send=self._send_volume, read=self._read_volume
        )
        self._volume_task: asyncio.Task[None] | None = None
        self._own_latency_frames = 0
        self._was_heard = False
        self.active_remote = secrets.randbelow(1 << 32)

    @property
    def outlet(self) -> O | None:
        """The outlet that sends its packets, from `prepare` to the session's end."""
        return self._outlet

    @property
    def packets(self) -> int:
        """The number of audio packets sent."""
        return self._outlet.packets if self._outlet else 0

    @property
    def resent(self) -> int:
        """The number of retransmitted packets."""
        return self._outlet.resent if self._outlet else 0

    @property
    @abstractmethod
    def timing_replies(self) -> int:
        """How often the receiver has shown that it follows our clock."""

    @property
    @abstractmethod
    def last_evidence_ns(self) -> int | None:
        """The session time of the last packet from the receiver, or None before any."""

    @property
    @abstractmethod
    def evidence(self) -> StartEvidence:
        """The evidence of how soon after a command it can play."""

    @property
    def link(self) -> LinkQuality:
        """The quality of the network path since the last call."""
        return self._outlet.link(clock.now_ns()) if self._outlet else LinkQuality()

    @property
    def minds_flush(self) -> bool:
        """Whether FLUSH must be avoided on the receiver."""
        return False

    @property
    def is_open(self) -> bool:
        """Whether the session is open."""
        return self._connection is not None and not self._connection.closed.done()

    @property
    def has_hung_up(self) -> bool:
        """Whether the receiver closed the session."""
        return self._connection is not None and self._connection.has_hung_up

    @property
    def local_address(self) -> str:
        """Our address toward the receiver, or empty before `prepare`."""
        return self._connection.local if self._connection else ""

    @property
    def remote_address(self) -> str:
        """The receiver's address, also for DACP requests; empty before `prepare`."""
        return self._connection.remote if self._connection else ""

    @property
    def volume(self) -> Volume:
        """The volume while it is not raised, as far as it is known."""
        return self._volume.usual

    @property
    def found_volume_percent(self) -> float | None:
        """The volume that `record` found, if none was wanted."""
        return self._volume.found_percent

    @abstractmethod
    async def prepare(self) -> None:
        """Connect and negotiate, once, without sound.

        On failure nothing stays open; on cancellation the caller tears the lane down.
        Raises RaopError: the receiver is unreachable, refuses, or requires something
        that we do not have.
        """

    @abstractmethod
    async def record(self, transmitter: Transmitter) -> None:
        """Start the session on a timeline, once, at the wanted volume.

        It begins at the timeline's `entry`, as music may already play.
        Raises RaopError: the receiver refuses or is lost; the caller tears it down.
        """

    @abstractmethod
    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver now; the given packet, with its frame, is the next one.

        Repeatable. Raises RaopError: there is no session, or the receiver refuses, or
        does not answer within 1 s.
        """

    def set_volume(self, volume: Volume) -> None:
        """Set the volume soon, also before the session; the last of several counts."""
        self._volume.set(volume)
        self._send_volume_soon()

    async def raise_volume(self, percent: float) -> None:
        """Try another volume until `lower_volume` or `set_volume`."""
        await self._volume.raise_to(percent)

    async def lower_volume(self) -> None:
        """Restore the previous volume, if it is still raised."""
        await self._volume.lower()

    def tune(self, delay_ms: int, channel: Channel) -> None:
        """Set the delay and the channel, now or when the session begins."""
        self.member = replace(self.member, delay_ms=delay_ms, channel=channel)
        if outlet := self._outlet:
            transmitter, frames = self._transmitter, delay_frames(delay_ms)

            def tune() -> None:
                if transmitter:
                    transmitter.tune(outlet, frames, channel)
                else:
                    outlet.tune(frames, channel)

            self._pacer.post(tune)

    def mark_heard(self) -> None:
        """Record that it plays; the first time, set the volume once more.

        Some receivers forget a volume from before the first sound. Later calls do not
        send it, as that would undo a change made at the receiver.
        """
        if not self._was_heard and self._volume.is_set:
            self._send_volume_soon()
        self._was_heard = True

    def show(self, show: Show) -> None:
        """Send metadata to the receiver's display, after all urgent requests."""
        session = self._session
        if session is None or not self.is_open:
            return
        if self.receiver.takes_text:
            text = session.text(show.tags, show.duration_ms, show.now)
            self._background.start(self._try(text, _TEXT_S))
        if self.receiver.takes_progress and show.duration_ms:
            progress = session.progress(show.start, show.now, show.end)
            self._background.start(self._try(progress, _TEXT_S))

    def show_artwork(self, content_type: str, picture: bytes, frame: int) -> None:
        """Send a picture to the receiver's display, after all urgent requests."""
        session = self._session
        if session and self.is_open and self.receiver.takes_artwork:
            steps = session.artwork(content_type, picture, frame)
            self._background.start(self._try(steps, _ARTWORK_S))

    async def check(self, timeout_s: float = _CHECK_S) -> None:
        """Check whether the session is still alive, and close it if not."""
        try:
            steps = self._open_session.keep_alive()
            await self._perform(steps, timeout_s=timeout_s)
        except RaopError:
            if self._connection:
                self._connection.abort()
            self.release()

    def endure(self) -> None:
        """Keep the session through a silence of up to 2 minutes."""
        if self._connection:
            self._connection.endure()

    async def closed(self) -> RaopError:
        """Wait, after `prepare`, until the session ends; return the reason."""
        assert self._connection is not None
        return await asyncio.shield(self._connection.closed)

    async def teardown(self) -> None:
        """End the session, even if the receiver does not answer.

        Repeatable; also before `prepare` has returned.
        """
        self._background.cancel()
        try:
            if self._session and self.is_open:
                with contextlib.suppress(RaopError):
                    await self.lower_volume()
                    steps = self._session.teardown()
                    await self._perform(steps, timeout_s=_TEARDOWN_S)
        finally:
            # A newer command may cancel the wait for the answer.
            self.release()

    def release(self) -> None:
        """Free everything at once, without a request; may be called again."""
        self._background.cancel()
        if self._connection:
            self._connection.close()
        if outlet := self._outlet:
            self._outlet = None
            transmitter, pacer = self._transmitter, self._pacer

            def unplug() -> None:
                if transmitter:
                    transmitter.detach(outlet)
                outlet.unplug(pacer)

            pacer.post(unplug)

    async def _plug(self, outlet: Outlet) -> None:
        pacer = self._pacer
        await pacer.run(lambda: outlet.plug(pacer))

    @property
    def _open_session(self) -> S:
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

    def _send_volume_soon(self) -> None:
        if self.is_open and (self._volume_task is None or self._volume_task.done()):
            self._volume_task = self._background.start(
                self._volume.send_until_current()
            )

    async def _send_volume(
        self, percent: float, *, is_muted: bool, timeout_s: float
    ) -> None:
        steps = self._open_session.volume(percent, is_muted=is_muted)
        await self._perform(steps, timeout_s=timeout_s)

    async def _read_volume(self) -> float | None:
        if self.receiver.is_first_express:
            # A request for its volume makes it hang.
            return None
        steps = self._open_session.read_volume()
        return await self._perform(steps, timeout_s=_GET_S)

    async def _try(self, steps: Handshake[None], timeout_s: float) -> None:
        """Run background steps; log a failure for debugging only."""
        try:
            await self._perform(steps, timeout_s=timeout_s, is_urgent=False)
        except RaopError as err:
            _LOGGER.debug("%s: %s", self.member.name, err)
