"""Runs commands, owns the streams, and emits events."""

import asyncio
from collections.abc import Callable, Coroutine
import logging
import time
from typing import TYPE_CHECKING

from ..audio.decoder_pool import DecoderPool
from ..buttons import Button
from ..errors import MediaError, PtpUnavailableError, RaopError, StoppedError
from ..media import picture_bytes
from ..messages import (
    Announce,
    CancelAnnouncement,
    ClockShared,
    Command,
    Diagnose,
    Event,
    Identity,
    Join,
    Leave,
    LimitUdpPorts,
    Measure,
    Pause,
    Play,
    Queue,
    RemoteCommand,
    Reply,
    RestoreVolume,
    Resume,
    Seen,
    SetArtwork,
    SetTags,
    SetVolume,
    Shutdown,
    Stop,
    Tune,
)
from ..session.remote import Obeyed, Remotes
from ..session.source_switch import Turn
from .lanes.choice import LaneChoice
from .lanes.context import GroupKeys, LaneContext
from .net.port_pool import limit_udp_ports
from .net.sockets import peers_of
from .pacing.pacer import Pacer
from .stream.context import StreamContext
from .stream.registry import StreamRegistry, SupersededError
from .stream.stream import Stream

if TYPE_CHECKING:
    from .announce.desk import AnnouncementDesk
    from .doctor.doctor import Doctor
    from .ptp.service import PtpService

_LOGGER = logging.getLogger(__name__)


class Engine:
    """The sender: any number of streams on one pacing thread."""

    def __init__(
        self,
        identity: Identity,
        emit: Callable[[Event], None],
        decoders: DecoderPool | None = None,
    ) -> None:
        self._emit = emit
        self._identity = identity
        self._pacer = Pacer()
        self._decoders = decoders or DecoderPool()
        self._choice = LaneChoice()
        self.remotes = Remotes()
        self._ptp: PtpService | None = None
        self._streams = StreamRegistry(self._make_stream)
        self._desk: AnnouncementDesk | None = None
        self._doctor: Doctor | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start the pacing thread."""
        self._pacer.start()

    @property
    def ptp(self) -> PtpService:
        """The PTP clock, made when it is first asked for."""
        if self._ptp is None:
            from .ptp.service import PtpService, clock_id_of

            own_id = clock_id_of(self._identity.dacp_id)
            self._ptp = PtpService(self._pacer, own_id, on_change=self._emit_clock)
        return self._ptp

    @property
    def desk(self) -> AnnouncementDesk:
        """The desk for announcements, made for the first one."""
        if self._desk is None:
            from .announce.desk import AnnouncementDesk

            self._desk = AnnouncementDesk(
                self._streams, self._pacer, self._decoders, self._emit
            )
        return self._desk

    @property
    def doctor(self) -> Doctor:
        """The doctor, made for the first diagnosis."""
        if self._doctor is None:
            from .doctor.doctor import Doctor

            lane_of, guests = self._streams.open_lane, self._choice.guests
            self._doctor = Doctor(self._make_context, lane_of, guests, self._emit)
        return self._doctor

    @property
    def is_realtime(self) -> bool:
        """Whether the pacing thread has real-time priority."""
        return self._pacer.is_realtime

    def submit(self, number: int, command: Command) -> asyncio.Task[None]:
        """Run a command; its Reply carries the number."""
        return self._keep(asyncio.create_task(self._answer(number, command)))

    async def run(self, command: Command) -> None:
        """Run a command.

        Raises RaopError: the command failed.
        """
        match command:
            case Play():
                stream = self._streams.named(command.stream)
                stream.membership.expect(command)
                try:
                    await self._streams.take_over(stream, lambda: stream.play(command))
                finally:
                    stream.membership.give_up(command)
            case Pause() | Resume():
                await self._hold(command)
            case Stop():
                await self._stop(command.stream)
            case SetVolume() | Tune() | LimitUdpPorts():
                self._set(command)
            case Join() | Leave() | Seen():
                await self._regroup(command)
            case Announce() | CancelAnnouncement() | RestoreVolume():
                await self.desk.run(command)
            case Diagnose():
                await self.doctor.diagnose(command)
            case Measure() | Queue() | SetArtwork() | SetTags():
                await self._add(command)
            case Shutdown():
                await self.close()

    def obey(self, obeyed: Obeyed) -> None:
        """Emit a receiver's order; handle switches to and from its other inputs here.

        A switch must not wait for an owner that is blocked.
        """
        remote, order = obeyed.remote, obeyed.order
        self._emit(
            RemoteCommand(
                stream=remote.stream,
                receiver=remote.receiver,
                command=order.button,
                value=order.value,
            )
        )
        stream = self._streams.stream_for(remote.stream)
        if stream is None:
            return
        membership, receiver = stream.membership, remote.receiver
        if obeyed.turn is Turn.LEAVE:
            self._spawn(membership.switch_away(receiver))
        elif obeyed.turn is Turn.RETURN and not self._streams.is_busy(stream):
            self._spawn(
                self._streams.take_over(stream, lambda: membership.rejoin(receiver))
            )

    def _press(self, receiver: str, button: Button) -> None:
        """Obey a button press that a receiver sent within its own session."""
        for obeyed in self.remotes.press(receiver, button, time.monotonic()):
            self.obey(obeyed)

    async def close(self) -> None:
        """End all announcements, all streams, the PTP clock, and the pacing thread."""
        if self._desk:
            await self._desk.stop()
        if self._doctor:
            await self._doctor.close()
        await asyncio.gather(*(self._stop(stream.name) for stream in self._streams))
        await self._decoders.close()
        if self._ptp:
            await self._ptp.close()
        await asyncio.to_thread(self._pacer.stop)

    async def _hold(self, command: Pause | Resume) -> None:
        """Pause a stream, or go on with it."""
        stream = self._streams.named(command.stream)
        match command:
            case Pause():
                await self._streams.take_over(stream, lambda: stream.pause(command))
            case Resume():
                await self._streams.take_over(stream, lambda: stream.resume(command))

    async def _regroup(self, command: Join | Leave | Seen) -> None:
        """Change the members of a stream, but not what it plays."""
        match command:
            case Join():
                if stream := self._streams.stream_for(command.stream):
                    await stream.membership.join(command.member)
            case Leave():
                stream = self._streams.stream_for(command.stream)
                if stream and stream.membership.is_last(command.receiver):
                    await self._stop(stream.name)
                elif stream:
                    await stream.membership.part(command.receiver)
            case Seen(member=member):
                places = peers_of(member.host, member.addresses)
                self.remotes.seen(member.receiver, places)
                for stream in self._streams:
                    stream.membership.seen(member)

    def _emit_clock(self, problem: PtpUnavailableError | None) -> None:
        if problem:
            self._emit(ClockShared(code=problem.code, text=str(problem)))
        else:
            self._emit(ClockShared())

    async def _answer(self, number: int, command: Command) -> None:
        try:
            await self.run(command)
        except RaopError as err:
            if not isinstance(err, (MediaError, SupersededError, StoppedError)):
                _LOGGER.debug("%s: %s", type(command).__name__, err)
            self._emit(
                Reply(id=number, code=err.code, text=str(err), status=err.status)
            )
        except Exception as err:
            _LOGGER.exception("Unexpected error in %s", type(command).__name__)
            self._emit(Reply(id=number, code=RaopError.code, text=repr(err)))
        else:
            self._emit(Reply(id=number))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run something in the background."""

        async def run() -> None:
            try:
                await work
            except RaopError as err:
                _LOGGER.debug("Receiver did not rejoin: %s", err)

        self._keep(asyncio.create_task(run()))

    def _keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _stop(self, name: str) -> None:
        stream = self._streams.named(name)
        await self._streams.take_over(stream, stream.stop, StoppedError)

    async def _add(self, command: Measure | Queue | SetArtwork | SetTags) -> None:
        """Add to the running stream or measure it; do nothing if it has ended."""
        stream = self._streams.stream_for(command.stream)
        if stream is None:
            return
        match command:
            case Measure():
                stream.tracker.measure()
            case Queue():
                await stream.queue(command.media, command.crossfade_ms)
            case SetTags():
                stream.tracker.show_tags(command.tags)
            case SetArtwork():
                picture = picture_bytes(command.picture)
                kind = command.content_type if picture else "image/none"
                stream.tracker.show_artwork(kind, picture)

    def _make_stream(self, name: str) -> Stream:
        context = StreamContext(
            pacer=self._pacer,
            decoders=self._decoders,
            identity=self._identity,
            emit=self._emit,
            remotes=self.remotes,
            ptp=lambda: self.ptp,
            choice=self._choice,
            on_button=self._press,
        )
        return Stream(name, context, self._streams.forget)

    def _make_context(self) -> LaneContext:
        """Return the context of a session that belongs to no stream."""
        return LaneContext(
            self._identity,
            self._pacer,
            GroupKeys.random(),
            lambda: self.ptp,
            lambda _receiver, _button: None,
        )

    def _set(self, command: SetVolume | Tune | LimitUdpPorts) -> None:
        """Set the volume, delay, or channel of a receiver in every stream, or ports."""
        if isinstance(command, LimitUdpPorts):
            limit_udp_ports(command.ports)
            return
        for stream in self._streams:
            lanes = stream.output.lanes
            match command:
                case SetVolume():
                    lanes.set_volume(
                        command.receiver, command.volume, is_muted=command.muted
                    )
                case Tune():
                    lanes.tune(command.receiver, command.delay_ms, command.channel)
