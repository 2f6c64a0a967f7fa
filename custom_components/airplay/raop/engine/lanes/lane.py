"""A lane: one session with one receiver, independent of the protocol."""

from abc import ABC, abstractmethod
import contextlib
from dataclasses import replace
import logging
import secrets
from typing import ClassVar

from ...errors import RaopError, ReceiverUnreachableError
from ...messages import Channel, Member
from ...receiver import Receiver
from ...session.backlog import Format
from ...session.climbing.extras import Extra
from ...session.climbing.way import Way
from ...session.control import ControlSession
from ...session.ladder import Attempt, Ladder
from ...session.lead import StartEvidence, StartWatch
from ...session.link_quality import LinkQuality
from ...session.timeline import delay_frames
from ...session.ways import Outcome
from ...wire.handshake import Handshake
from ..net import clock
from ..net.connection import Connection
from ..net.extras import ExtraRequests
from ..net.open_way import OpenedWay, Secrets, open_way
from ..pacing.outlet import Outlet
from ..pacing.transmitter import Transmitter
from .background import BackgroundTasks
from .context import LaneContext
from .show import Show
from .volume import LaneVolume

_LOGGER = logging.getLogger(__name__)

_TEARDOWN_S = 1.0
_TEXT_S = 5.0
_CHECK_S = 1.0
_ARTWORK_S = 15.0


class Lane[S: ControlSession = ControlSession, O: Outlet = Outlet](ABC):
    """One receiver's session, from the connection to TEARDOWN.

    Call `prepare`, `record`, any other methods, then `teardown` or `release`; a lane is
    not reusable. All methods run on the event loop, never on the pacing thread: work of
    the outlet is posted to that thread. The counters are those of the outlet, which the
    pacing thread updates without a lock.

    A method that names no error raises none: failures of secondary work are logged, and
    only the connection's `closed` reports the end of a session.
    """

    SIGN_OF_LIFE: ClassVar[Extra]

    def __init__(
        self, ladder: Ladder, attempt: Attempt, member: Member, context: LaneContext
    ) -> None:
        self.ladder = ladder
        self.attempt = attempt
        self.member = member
        self._context = context
        self._pacer = context.pacer
        self.shape = Format(attempt.way.codec)
        self._connection: Connection | None = None
        self._session: S | None = None
        self._outlet: O | None = None
        self._transmitter: Transmitter | None = None
        self._background = BackgroundTasks()
        self._extras = ExtraRequests(member.name, ladder.omissions)
        # Call its methods from `prepare` on.
        self.volume = LaneVolume(
            member,
            self._background,
            offer=self._offer,
            session=lambda: self._session if self.is_open else None,
            # A request for its volume makes the first AirPort Express hang.
            is_readable=lambda: not self.receiver.is_first_express,
        )
        self._own_latency_frames = 0
        self.least_depth_ms = attempt.way.depth_ms
        self.starts = StartWatch(attempt.way.lead)
        self._was_heard = False
        # Whether it plays on without evidence, as its kind gives none.
        self.is_unconfirmed = False
        self.active_remote = secrets.randbelow(1 << 32)

    @property
    def receiver(self) -> Receiver:
        """The receiver, by its records and by what it reports now."""
        return self.ladder.receiver

    @property
    def way(self) -> Way:
        """The way by which it plays, with the details that worked."""
        digest = self._session.digest if self._session else self.attempt.way.digest
        depth_ms, lead = self.least_depth_ms, self.starts.learned
        return replace(self.attempt.way, digest=digest, depth_ms=depth_ms, lead=lead)

    @property
    def is_proven(self) -> bool:
        """Whether it shows that it plays, or is of a kind that shows nothing."""
        return self.is_unconfirmed or self.timing_replies > 0

    @property
    def silence(self) -> Outcome:
        """What it means if it never shows that it plays."""
        return Outcome.SILENT

    def accept_silence(self) -> bool:
        """Play on if this kind of receiver gives no evidence; return whether it does."""
        is_sent = self._outlet is not None and not self._outlet.sending.problem
        is_healthy = self.is_open and is_sent
        if is_healthy and not self.timing_replies and not self.receiver.asks_time:
            self.is_unconfirmed = True
        return self.is_proven

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

    def judge_start(self, now_ns: int) -> bool:
        """Learn from the present start; return whether the way is another one now."""
        losses = self._outlet.start_losses if self._outlet else 0
        return self.starts.judge(now_ns, losses, lambda: self.evidence)

    @property
    def link(self) -> LinkQuality:
        """The quality of the network path since the last call."""
        return self._outlet.link(clock.now_ns()) if self._outlet else LinkQuality()

    @property
    def minds_flush(self) -> bool:
        """Whether FLUSH must be avoided on the receiver."""
        return Extra.FLUSH in self.ladder.omissions

    @property
    def is_open(self) -> bool:
        """Whether the session is open."""
        return self._connection is not None and not self._connection.closed.done()

    @property
    def connection(self) -> Connection:
        """The control connection, from `prepare` on."""
        assert self._connection is not None
        return self._connection

    async def prepare(self) -> None:
        """Connect and negotiate, once, without sound.

        On failure nothing stays open; on cancellation the caller tears the lane down.
        Raises RaopError: the receiver is unreachable, refuses, or requires something
        that we do not have.
        """
        member = self.member
        access = Secrets(member.password, member.credentials, member.is_bound)
        await open_way(self.ladder, self.attempt, access, self._negotiate)

    @abstractmethod
    async def _negotiate(self, opened: OpenedWay) -> None:
        """Set up the session on an open connection; on failure free everything."""

    @abstractmethod
    async def record(self, transmitter: Transmitter) -> None:
        """Start the session on a timeline, once, at the wanted volume.

        It begins at the timeline's `entry`, as music may already play.
        Raises RaopError: the receiver refuses or is lost; the caller tears it down.
        """

    @abstractmethod
    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver now; the given packet, with its frame, is the next one.

        Repeatable. A receiver of packets that does not accept it plays what it holds,
        and plays on. Raises RaopError: the session is closed.
        """

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

        Some forget one from before the first sound; later it may be the user's own.
        """
        if not self._was_heard and self.volume.is_set:
            self.volume.send_soon()
        self._was_heard = True

    def show(self, show: Show) -> None:
        """Send metadata to the receiver's display, after all urgent requests."""
        if self._session and self.is_open:
            for extra, steps in show.steps(self._session, self.receiver):
                self._try(extra, steps, _TEXT_S)

    def show_artwork(self, content_type: str, picture: bytes, frame: int) -> None:
        """Send a picture to the receiver's display, after all urgent requests."""
        session = self._session
        if session and self.is_open and self.receiver.takes_artwork:
            steps = session.artwork(content_type, picture, frame)
            self._try(Extra.ARTWORK, steps, _ARTWORK_S)

    async def check(self, timeout_s: float = _CHECK_S) -> None:
        """Check whether the session is still alive, and close it if not."""
        if self.SIGN_OF_LIFE in self.ladder.omissions:
            return
        try:
            steps = self._open_session.keep_alive()
            await self.connection.perform(
                steps, timeout_s=timeout_s, extra=self.SIGN_OF_LIFE
            )
        except ReceiverUnreachableError:
            if self._connection:
                self._connection.abort()
            self.release()
        except RaopError as err:  # An answer is a sign of life.
            _LOGGER.debug("%s: %s", self.member.name, err)

    async def teardown(self) -> None:
        """End the session, even if the receiver does not answer.

        Repeatable; also before `prepare` has returned.
        """
        self._background.cancel()
        try:
            if self._session and self.is_open:
                with contextlib.suppress(RaopError):
                    await self.volume.lower()
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
        self, steps: Handshake[T], *, timeout_s: float | None = None
    ) -> T:
        return await self.connection.perform(steps, timeout_s=timeout_s)

    async def _offer[T](
        self, extra: Extra, steps: Handshake[T], timeout_s: float | None = None
    ) -> T | None:
        """Send what sound does not need. Raises RaopError: the session has ended."""
        connection = self.connection
        return await self._extras.perform(connection, extra, steps, timeout_s=timeout_s)

    def _end_start(self) -> None:
        """Take the bound off the answers. Raises RaopError: the session has ended."""
        if self.connection.closed.done():
            raise self.connection.closed.result()
        self.connection.patience = None

    def _try(self, extra: Extra, steps: Handshake[None], timeout_s: float) -> None:
        """Send what sound does not need in the background, after urgent requests."""
        work = self._extras.attempt(self.connection, extra, steps, timeout_s)
        self._background.start(work)
