"""What every session of one receiver does alike, seen from its stream."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Coroutine
import contextlib
from dataclasses import replace
import logging
import secrets

from ...errors import RaopError, ReceiverUnreachableError
from ...messages import Channel, Identity, Member
from ...receiver import LaneKind as Kind, Receiver
from ...receiver_identity import merge
from ...receiver_records import Service
from ...session.backlog import Format
from ...session.control import ControlSession
from ...session.lead import StartEvidence
from ...session.link_quality import LinkQuality
from ...session.timeline import delay_frames
from ...wire.handshake import Handshake
from ..net import clock
from ..net.connection import Connection
from ..pacing.outlet import Outlet
from ..pacing.pacer import Pacer
from ..pacing.transmitter import Transmitter
from .lane import Show
from .volume import LaneVolume

_LOGGER = logging.getLogger(__name__)

_TEARDOWN_S = 1.0
_TEXT_S = 5.0
_GET_S = 1.0
_CHECK_S = 1.0
_ARTWORK_S = 15.0


def receiver_of(member: Member) -> Receiver:
    """Return what is known of a member; without TXT a classic AirPlay 1 receiver."""
    raop = Service(f"{member.receiver}@{member.name}", member.host, member.port)
    raop = Service(raop.instance, raop.host, raop.port, member.txt)
    airplay = None
    if member.airplay_txt:
        port = member.airplay_port or member.port
        airplay = Service(member.name, member.host, port, member.airplay_txt)
    return merge(raop, airplay)


class SessionLane[S: ControlSession, O: Outlet](ABC):
    """Controls and ends one session; how it begins and falls silent is the kind's."""

    kind: Kind

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
        self._background: set[asyncio.Task[None]] = set()
        self._level = LaneVolume(member, send=self._send_level, read=self._read_level)
        self._volume_task: asyncio.Task[None] | None = None
        self._own_latency_frames = 0
        self._was_heard = False
        self.active_remote = secrets.randbelow(1 << 32)

    @property
    def outlet(self) -> O | None:
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
    @abstractmethod
    def timing_replies(self) -> int:
        """How often the receiver was seen to follow our clock."""

    @property
    @abstractmethod
    def last_evidence_ns(self) -> int | None:
        """The session time of the last packet that came from it; None before any."""

    @property
    @abstractmethod
    def evidence(self) -> StartEvidence:
        """What the receiver has shown of how soon it can be heard."""

    @property
    def link(self) -> LinkQuality:
        """How good the way to the receiver is; asked for once in a while."""
        return self._outlet.link(clock.now_ns()) if self._outlet else LinkQuality()

    @property
    def minds_flush(self) -> bool:
        """Whether the receiver must not be made to drop what it holds."""
        return False

    @property
    def is_open(self) -> bool:
        """Whether the session stands."""
        return self._connection is not None and not self._connection.closed.done()

    @property
    def has_hung_up(self) -> bool:
        """Whether the receiver itself has ended the session."""
        return self._connection is not None and self._connection.has_hung_up

    @property
    def local_address(self) -> str:
        """Our address towards the receiver."""
        return self._connection.local if self._connection else ""

    @property
    def remote_address(self) -> str:
        """The receiver's address, from which it also calls back."""
        return self._connection.remote if self._connection else ""

    @abstractmethod
    async def prepare(self) -> None:
        """Connect and negotiate; nothing sounds yet."""

    @abstractmethod
    async def record(self, transmitter: Transmitter) -> None:
        """Start the session on a timeline, at the wanted level.

        It begins with the timeline's `entry`: music may be running.
        """

    @abstractmethod
    async def flush(self, sequence: int, frame: int) -> None:
        """Silence the receiver now; the given packet comes next."""

    def set_volume(self, percent: float | None, *, is_muted: bool) -> None:
        """Set the level soon; of several in a row the last one counts."""
        self._level.set(percent, is_muted=is_muted)
        self._send_volume_soon()

    def _send_volume_soon(self) -> None:
        if self.is_open and (self._volume_task is None or self._volume_task.done()):
            self._volume_task = self._spawn(self._level.send_until_current())

    @property
    def level(self) -> tuple[float | None, bool]:
        """The level in percent at which it plays, if known, and whether it is muted."""
        return self._level.usual

    @property
    def found_volume(self) -> float | None:
        """The level in percent at which it stood, where none was wanted."""
        return self._level.found

    async def raise_volume(self, percent: float) -> None:
        """Play at another level for a while, until `lower_volume` or `set_volume`."""
        await self._level.raise_to(percent)

    async def lower_volume(self) -> None:
        """Go back to the level from before, unless another one was set meanwhile."""
        await self._level.lower()

    def tune(self, delay_ms: int, channel: Channel) -> None:
        """Set when it is heard, and what of the music, at once and for later."""
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
        """Take note that it is heard; the first time, set the level once more.

        Some receivers forget what they are told before the first sound. Never again
        later, as that would undo what somebody set at the receiver.
        """
        if not self._was_heard and self._level.is_set:
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
            if self._connection:
                self._connection.abort()
            self.release()

    def endure(self) -> None:
        """Keep the session although nothing is heard of the receiver for a while."""
        if self._connection:
            self._connection.endure()

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

            def unplug() -> None:
                if transmitter:
                    transmitter.detach(outlet)
                outlet.unplug(pacer)

            pacer.post(unplug)

    async def _plug(self, outlet: O) -> None:
        pacer = self._pacer
        await pacer.run(lambda: outlet.plug(pacer))

    def _unreachable(self, err: OSError) -> ReceiverUnreachableError:
        reason = err.strerror or str(err)
        return ReceiverUnreachableError(f"{self.member.host}: {reason}")

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

    async def _send_level(
        self, percent: float, *, is_muted: bool, timeout_s: float
    ) -> None:
        steps = self._open_session.volume(percent, is_muted=is_muted)
        await self._perform(steps, timeout_s=timeout_s)

    async def _read_level(self) -> float | None:
        if self.receiver.is_first_express:
            # It hangs when it is asked.
            return None
        steps = self._open_session.read_volume()
        return await self._perform(steps, timeout_s=_GET_S)

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
