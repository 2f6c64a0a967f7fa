"""One stream: a timeline with sources at one end and receivers at the other."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import logging
import secrets
import time

from ..errors import RaopError, ReceiverSilentError, ReceiverUnreachableError
from ..messages import Event, Identity, Media, Pause, Play, Resume, Tags
from ..session.remote import Remotes
from ..session.timeline import SECOND_NS, frames_of_ms, ms_of_frames
from . import clock
from .herald import Herald
from .items import Items
from .members import Members, all_of, tear_down
from .pacer import Pacer
from .playback import Playback, over
from .raop_lane import RaopLane, Show
from .supply import Pcm, Segment
from .transmitter import Transmitter

_LOGGER = logging.getLogger(__name__)

# The first silent packet must be due later than the receiver's own output buffer.
_SHORTEST_LEAD_NS = 300_000_000
_EVIDENCE_S = 4.0
_LOOK_S = 0.02
_WATCH_S = 0.25
_PROGRESS_NS = SECOND_NS

_SILENT = (
    "the receiver took the stream but never asked for the time; "
    "its UDP packets do not reach this machine"
)


class NoStreamError(RaopError):
    """There is nothing to go on with."""

    code = "no_stream"


class Stream:
    """Plays one item after another on the same receivers."""

    def __init__(
        self,
        name: str,
        *,
        pacer: Pacer,
        identity: Identity,
        emit: Callable[[Event], None],
        on_idle: Callable[[Stream], None],
        remotes: Remotes | None = None,
    ) -> None:
        self.name = name
        self._pacer = pacer
        self._herald = Herald(name, emit)
        self._on_idle = on_idle
        self.members = Members(
            name,
            pacer=pacer,
            identity=identity,
            emit=emit,
            on_lost=self._lost,
            remotes=remotes,
        )
        self._command: Play | None = None
        self._transmitter: Transmitter | None = None
        self._items = Items(name, pacer=pacer, emit=emit)
        self._watch: asyncio.Task[None] | None = None
        self._release: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._failure: RaopError | None = None
        # Between two items neither the old one's end nor a lost receiver ends the
        # stream: the command at work sees to both.
        self._is_switching = False

    @property
    def is_idle(self) -> bool:
        """Whether it holds no session, no media and nothing to go on with."""
        return (
            not self.members
            and self._items.present is None
            and not self._herald.is_paused
        )

    async def play(self, command: Play) -> None:
        """Play media; return when it is heard, raise what stands in the way.

        Running music goes on until the new media is ready, and if that cannot be
        played it goes on altogether.
        """
        await self._settle()
        playback = self._items.make(command.media, command)
        try:
            if self._can_take(command):
                await playback.buffer()
                await self._settle()
            # What played may have come to its end while the media was opened.
            if self._can_take(command):
                await self._switch(command, playback)
            else:
                await self._start(command, playback)
        except BaseException as err:
            if self._items.present is not playback:
                playback.close()
            if self._is_hushed and isinstance(err, Exception):
                await self._end_with(err)
            raise
        await self._until_heard()

    async def pause(self, command: Pause) -> None:
        """Silence the receivers and remember the frame that was heard."""
        transmitter = self._transmitter
        if self._command is None:
            return
        if transmitter and transmitter.line:
            segment, frame = self._heard()
            position = ms_of_frames(segment.position_at(frame))
            await self._hush(transmitter)
        elif transmitter and self._herald.is_paused:
            position = ms_of_frames(transmitter.supply.paused_position)
        else:
            # Still on its way: it begins where it was to begin, when it is resumed.
            position = self._command.media.position_ms
            await self._close()
        if not self._herald.is_paused:
            self._herald.change("paused", position)
        self._stop_watching()
        self._cancel_release()
        if self._transmitter:
            self._release = asyncio.create_task(
                self._let_go_later(command.keep_s, position)
            )

    async def resume(self, command: Resume) -> None:
        """Go on from the frame that was heard at the pause."""
        if not self._herald.is_paused or self._command is None:
            raise NoStreamError("nothing is paused")
        self._cancel_release()
        transmitter = self._transmitter
        if transmitter is None:
            return await self.play(replace(self._command, lead_ms=command.lead_ms))
        position = ms_of_frames(transmitter.supply.paused_position)
        try:
            await self._reconnect(self._command, transmitter, position)
        except RaopError:
            self._herald.change("paused", position)
            raise
        at_ns = clock.now_ns() + _lead_ns(command.lead_ms)
        await self._pacer.run(lambda: transmitter.resume(at_ns, clock.now_ns()))
        await self._announce(at_ns, position)
        return await self._until_heard()

    async def _reconnect(
        self, command: Play, transmitter: Transmitter, position_ms: int
    ) -> None:
        """Open again what receivers closed because it was silent for too long."""
        await self.members.check()
        missing = self.members.missing(command.members)
        if missing:
            self._herald.change("connecting", position_ms)
            lanes = await self.members.connect(missing)
            await self.members.record(lanes, transmitter)

    async def queue(self, media: Media | None, crossfade_ms: int | None) -> None:
        """Open what shall follow; return at once."""
        if self._transmitter and self._command:
            command = self._command
            if crossfade_ms is not None:
                command = replace(command, crossfade_ms=crossfade_ms)
            await self._items.queue(media, command, self._transmitter)

    async def leave(self, receiver: str) -> None:
        """Free a receiver that was switched to another source.

        A command that comes meanwhile waits for it, as for an end.
        """
        await self._settle()
        self._ending = asyncio.create_task(self.members.leave(receiver))
        await self._settle()

    async def bring_back(self, receiver: str) -> None:
        """Let a receiver that had left join the others, if any still play."""
        transmitter, command = self._transmitter, self._command
        if command is None or transmitter is None or transmitter.line is None:
            return
        wanted = [each for each in command.members if each.receiver == receiver]
        missing = self.members.missing(wanted)
        if not (missing and self.members):
            return
        lanes = await self.members.connect(missing)
        if self._transmitter is not transmitter or not self.members:
            await tear_down(lanes)
            return
        await self.members.record(lanes, transmitter)
        self._show()

    async def stop(self) -> None:
        """End the sessions and free the receivers."""
        await self._settle()
        await self._end(reason="stopped")

    def _can_take(self, command: Play) -> bool:
        return self._transmitter is not None and self.members.are(command.members)

    async def _settle(self) -> None:
        """Let an end that has begun be over: it may wait for a TEARDOWN's answer."""
        if self._ending:
            await asyncio.wait([self._ending])

    def show_tags(self, tags: Tags) -> None:
        """Replace what the receivers show."""
        if playback := self._items.present:
            playback.tags = over(tags, playback.tags)
            self._show()

    def show_artwork(self, content_type: str, picture: bytes) -> None:
        """Show a picture on receivers that can."""
        self.members.show_artwork(content_type, picture, self._shown_frame())

    @property
    def _is_hushed(self) -> bool:
        """Whether sessions stand, but the old media was silenced for new media."""
        line = self._transmitter.line if self._transmitter else None
        return (
            self._transmitter is not None
            and line is None
            and not self._herald.is_paused
        )

    async def _start(self, command: Play, playback: Playback) -> None:
        """Connect the receivers while the media is opened, and begin."""
        await self._close()
        self._command = command
        self._failure = None
        self._herald.change("connecting", command.media.position_ms)
        lanes: list[RaopLane] = []

        async def connect() -> None:
            members, patience_s = command.members, command.patience_s
            lanes.extend(await self.members.connect_patiently(members, patience_s))

        try:
            await all_of([connect(), playback.buffer()])
        except BaseException as err:
            await tear_down(lanes)
            await self._end_with(err)
            raise
        try:
            transmitter = self._new_transmitter(command.depth_ms)
            await self.members.record(lanes, transmitter)
            self._transmitter = transmitter
            await self._begin(command, playback)
        except BaseException as err:
            await self._end_with(err)
            raise

    def _new_transmitter(self, depth_ms: int) -> Transmitter:
        loop = asyncio.get_running_loop()

        def on_switch(source: Pcm) -> None:
            loop.call_soon_threadsafe(self._items.switched, source)

        def on_end(source: Pcm) -> None:
            loop.call_soon_threadsafe(self._ran_out, source)

        return Transmitter(
            sequence=secrets.randbelow(1 << 16),
            frame=secrets.randbelow(1 << 32),
            ssrc=secrets.randbelow(1 << 32),
            depth_ms=depth_ms,
            on_switch=on_switch,
            on_end=on_end,
        )

    async def _switch(self, command: Play, playback: Playback) -> None:
        """Change to other media within the sessions."""
        transmitter = self._transmitter
        assert transmitter is not None
        self._cancel_release()
        self._items.drop_next()
        self._command = command
        self._is_switching = True
        try:
            sequence, frame = await self._pacer.run(transmitter.hush)
            if not self._herald.is_paused:
                await self.members.flush(sequence, frame)
            await self._begin(command, playback)
        except RaopError as err:
            _LOGGER.debug("%s: connecting anew: %s", self.name, err)
            await self._start(command, playback)
        finally:
            self._is_switching = False

    async def _begin(self, command: Play, playback: Playback) -> None:
        transmitter = self._transmitter
        assert transmitter is not None
        self._items.begin(playback)
        now_ns = clock.now_ns()
        at_ns = _start_ns(command, now_ns)
        position = frames_of_ms(command.media.position_ms)

        def begin() -> None:
            transmitter.begin(playback.source, at_ns, now_ns, position)
            self._pacer.add(transmitter)

        await self._pacer.run(begin)
        await self._announce(at_ns, command.media.position_ms)
        self._publish(playback)

    async def _announce(self, at_ns: int, position_ms: int) -> None:
        """Tell the owner that the line is set."""
        self._check_alive()
        transmitter, command = self._transmitter, self._command
        assert transmitter is not None
        assert command is not None
        first_ns = await self._pacer.run(lambda: transmitter.first_packet_ns)
        self._check_alive()
        self._herald.change("buffering", position_ms, at_ns)
        due_ns = at_ns - command.depth_ms * 1_000_000
        self._herald.started(at_ns, first_ns or due_ns)
        if self._watch is None:
            self._watch = asyncio.create_task(self._observe())

    async def _hush(self, transmitter: Transmitter) -> None:
        sequence, frame = await self._pacer.run(
            lambda: transmitter.pause(clock.now_ns())
        )
        try:
            await self.members.flush(sequence, frame)
        except RaopError as err:
            _LOGGER.debug("%s: paused without FLUSH: %s", self.name, err)

    async def _let_go_later(self, keep_s: float, position_ms: int) -> None:
        """Free the receivers of a stream that stays paused."""
        await asyncio.sleep(keep_s)
        self._release = None
        self._remember(position_ms)
        await self._close()

    def _remember(self, position_ms: int) -> None:
        """Make the command one that goes on where the stream stands."""
        if self._command and self._items.present:
            media = replace(self._items.present.media, position_ms=position_ms)
            self._command = replace(self._command, media=media, start_at=None)

    async def _until_heard(self) -> None:
        """Wait for the first frame's instant and for evidence that it sounds."""
        line = self._transmitter.line if self._transmitter else None
        if line is None:
            return
        while (now_ns := clock.now_ns()) < line.at_ns:
            await asyncio.sleep(min((line.at_ns - now_ns) / SECOND_NS, 0.5))
            self._check_alive()
        deadline = time.monotonic() + _EVIDENCE_S
        while not self.members.have_evidence:
            self._check_alive()
            if time.monotonic() > deadline:
                error = ReceiverSilentError(_SILENT)
                await self._end(reason="failed", error=error)
                raise error
            await asyncio.sleep(_LOOK_S)
        self._observe_state()

    def _check_alive(self) -> None:
        """Raise what ended the stream while a command was at work on it."""
        if not self.members:
            raise self._failure or ReceiverUnreachableError(
                "the receiver closed the connection"
            )

    async def _lost(self, receiver: str, error: RaopError) -> None:
        """Go on without a receiver; a paused stream connects anew when resumed."""
        if not (self.members or self._herald.is_paused or self._is_switching):
            await self._end(reason="failed", error=error, receiver=receiver)

    async def _observe(self) -> None:
        """Derive the state from what is heard, and report once a second."""
        next_ns = 0
        while True:
            await asyncio.sleep(_WATCH_S)
            self._observe_state()
            if clock.now_ns() >= next_ns:
                next_ns = clock.now_ns() + _PROGRESS_NS
                self._report()

    def _observe_state(self) -> None:
        line = self._transmitter.line if self._transmitter else None
        if line is None or not self.members.have_evidence:
            return
        if clock.now_ns() < line.at_ns:
            return
        segment, frame = self._heard()
        self._hand_over(segment.source)
        is_over = self._transmitter and self._transmitter.supply.end_frame is not None
        state = "playing" if segment.sounds or is_over else "buffering"
        if state != self._herald.state:
            self._herald.change(state, ms_of_frames(segment.position_at(frame)))

    def _hand_over(self, source: Pcm | None) -> None:
        """Tell of the next item when it is heard."""
        item = self._items.hand_over(source)
        transmitter = self._transmitter
        if item is None or transmitter is None:
            return
        if self._command:
            self._command = replace(self._command, media=item.media)
        self._publish(item)
        line = transmitter.line
        segment = transmitter.supply.segment_of(item.source)
        at_ns = line.time_of(segment.frame) if line else None
        self._herald.change("playing", item.media.position_ms, at_ns)

    def _publish(self, item: Playback) -> None:
        item.publish()
        item.on_retitled = self._show
        self._show()

    def _heard(self) -> tuple[Segment, int]:
        transmitter = self._transmitter
        frame = transmitter.heard_frame(clock.now_ns()) if transmitter else None
        if transmitter is None or frame is None:
            return Segment(0, 0, None, sounds=False), 0
        return transmitter.supply.segment_at(frame), frame

    def _report(self) -> None:
        transmitter, playback = self._transmitter, self._items.present
        if transmitter is None or transmitter.line is None or playback is None:
            return
        segment, frame = self._heard()
        self._herald.progress(
            ms_of_frames(segment.position_at(frame)),
            buffered_frames=playback.source.buffered_frames,
            supply=transmitter.supply,
            worst_lateness_ns=transmitter.worst_lateness_ns,
            members=self.members.progress(),
        )

    def _shown_frame(self) -> int:
        """Return the frame from which on the present item is heard."""
        transmitter, playback = self._transmitter, self._items.present
        if transmitter is None or playback is None:
            return 0
        return transmitter.supply.segment_of(playback.source).frame

    def _show(self) -> None:
        """Tell the receivers what plays."""
        playback, transmitter = self._items.present, self._transmitter
        if playback is None or transmitter is None or transmitter.line is None:
            return
        segment = transmitter.supply.segment_of(playback.source)
        start = segment.frame - segment.position
        end = start + frames_of_ms(playback.duration_ms or 0)
        now = max(segment.frame, transmitter.line.frame_at(clock.now_ns()))
        self.members.show(Show(playback.tags, playback.duration_ms, start, now, end))

    def _ran_out(self, source: Pcm) -> None:
        """Everything was heard, unless other media took the source's place."""
        self._hand_over(source)
        playback = self._items.present
        if playback is None or playback.source is not source or self._is_switching:
            return
        error: RaopError | None = playback.error
        if error is None and not self.members.have_evidence:
            error = ReceiverSilentError(_SILENT)
        reason = "failed" if error else "finished"
        self._ending = asyncio.create_task(self._end(reason=reason, error=error))

    async def _end_with(self, err: BaseException) -> None:
        """End because of an error; whoever cancelled us says what comes instead."""
        if not isinstance(err, Exception):
            return await self._close()
        error = err if isinstance(err, RaopError) else RaopError(repr(err))
        return await self._end(reason="failed", error=error)

    async def _end(
        self,
        *,
        reason: str,
        error: RaopError | None = None,
        receiver: str | None = None,
    ) -> None:
        self._failure = error
        command = self._command
        self._cancel_release()
        await self._close()
        if self._command is not command:
            return  # A newer command has taken the stream meanwhile.
        self._command = None
        self._herald.end(reason, error, receiver)
        self._on_idle(self)

    async def _close(self) -> None:
        """Free the receivers and leave the media."""
        transmitter, self._transmitter = self._transmitter, None
        self._items.close()
        self._stop_watching()
        try:
            await self.members.tear_down()
        finally:
            if transmitter:
                pacer = self._pacer
                pacer.post(lambda: pacer.remove(transmitter))

    def _stop_watching(self) -> None:
        if self._watch and self._watch is not asyncio.current_task():
            self._watch.cancel()
        self._watch = None

    def _cancel_release(self) -> None:
        if self._release and self._release is not asyncio.current_task():
            self._release.cancel()
        self._release = None


def _lead_ns(lead_ms: int) -> int:
    return max(lead_ms * 1_000_000, _SHORTEST_LEAD_NS)


def _start_ns(command: Play, now_ns: int) -> int:
    if command.start_at is None:
        return now_ns + _lead_ns(command.lead_ms)
    wanted_ns = int(command.start_at * 1e9) - time.time_ns() + now_ns
    return max(wanted_ns, now_ns + _SHORTEST_LEAD_NS)
