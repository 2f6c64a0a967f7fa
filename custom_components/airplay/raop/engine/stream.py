"""One stream: a timeline with a source at one end and receivers at the other."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
import logging
import os
import secrets
import time

from ..errors import RaopError, ReceiverSilentError, ReceiverUnreachableError
from ..messages import (
    Event,
    Identity,
    Member,
    MemberChanged,
    MemberProgress,
    Play,
    Progress,
    Started,
    StreamChanged,
    Tags,
)
from ..session.backlog import AudioKey
from ..session.timeline import SECOND_NS, frames_of_ms, ms_of_frames
from . import clock
from .pacer import Pacer
from .playback import Playback, over
from .raop_lane import RaopLane, Show
from .supply import Pcm
from .transmitter import Transmitter

_LOGGER = logging.getLogger(__name__)

# The first silent packet must be due later than the receiver's own output buffer.
_SHORTEST_LEAD_NS = 300_000_000
_EVIDENCE_S = 4.0
_LOOK_S = 0.02
_WATCH_S = 0.25
_PROGRESS_NS = SECOND_NS


class SupersededError(RaopError):
    """A newer command took this one's place."""

    code = "superseded"


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
    ) -> None:
        self.name = name
        self._pacer = pacer
        self._identity = identity
        self._emit = emit
        self._on_idle = on_idle
        self._lanes: dict[str, RaopLane] = {}
        self._transmitter: Transmitter | None = None
        self._playback: Playback | None = None
        self._watch: asyncio.Task[None] | None = None
        self._guards: dict[str, asyncio.Task[None]] = {}
        self._state = ""
        self._picture: tuple[str, bytes] | None = None
        self._content_frame = 0
        self._ending: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it holds no session and no media."""
        return not self._lanes and self._playback is None

    @property
    def lanes(self) -> tuple[RaopLane, ...]:
        """The lanes that stand."""
        return tuple(self._lanes.values())

    async def play(self, command: Play) -> None:
        """Play media; return when it is heard, raise what stands in the way.

        Running music goes on until the new media is ready, and if that cannot be
        played it goes on altogether.
        """
        delay_s = command.depth_ms / 1000
        playback = Playback(self.name, command.media, delay_s=delay_s, emit=self._emit)
        try:
            if self._can_take(command):
                await playback.buffer()
                await self._switch(command, playback)
            else:
                await self._start(command, playback)
        except BaseException as err:
            if self._playback is not playback:
                playback.close()
            if self._is_hushed():
                await self._end_with(err)
            raise
        await self._until_heard()

    async def stop(self) -> None:
        """End the sessions and free the receivers."""
        await self._end(reason="stopped")

    def show_artwork(self, content_type: str, picture: bytes) -> None:
        """Show a picture on receivers that can."""
        self._picture = (content_type, picture)
        for lane in self.lanes:
            lane.show_artwork(content_type, picture, self._content_frame)

    def show_tags(self, tags: Tags) -> None:
        """Replace what the receivers show."""
        if self._playback:
            self._playback.tags = over(tags, self._playback.tags)
            self._show()

    def _can_take(self, command: Play) -> bool:
        wanted = {each.receiver for each in command.members}
        return (
            self._transmitter is not None
            and wanted == self._lanes.keys()
            and all(lane.is_open for lane in self.lanes)
        )

    def _is_hushed(self) -> bool:
        """Whether sessions stand, but the old media was silenced for new media."""
        return self._transmitter is not None and self._transmitter.line is None

    async def _end_with(self, err: BaseException) -> None:
        error = err if isinstance(err, RaopError) else None
        await self._end(reason="failed" if error else "stopped", error=error)

    async def _start(self, command: Play, playback: Playback) -> None:
        if self._lanes or self._playback:
            await self._end(reason="stopped")
        self._change("connecting", command.media.position_ms)
        lanes: dict[str, RaopLane] = {}
        try:
            lanes = await self._connect(command.members, playback)
            transmitter = self._new_transmitter(command.depth_ms)
            await _all(lane.record(transmitter) for lane in lanes.values())
        except BaseException as err:
            for lane in lanes.values():
                lane.release()
            await self._end_with(err)
            raise
        self._lanes, self._transmitter = lanes, transmitter
        self._guards = {
            receiver: asyncio.create_task(self._guard(receiver, lane))
            for receiver, lane in lanes.items()
        }
        await self._begin(command, playback)

    async def _connect(
        self, members: tuple[Member, ...], playback: Playback
    ) -> dict[str, RaopLane]:
        """Connect the receivers while the media is opened."""
        key = AudioKey(os.urandom(16), os.urandom(16))
        lanes = {
            each.receiver: RaopLane(each, self._identity, self._pacer, key)
            for each in members
        }
        ready: dict[str, RaopLane] = {}
        try:
            await _all([self._prepare(lanes, ready), playback.buffer()])
        except BaseException:
            await asyncio.gather(*(lane.teardown() for lane in lanes.values()))
            raise
        return ready

    async def _prepare(
        self, lanes: dict[str, RaopLane], ready: dict[str, RaopLane]
    ) -> None:
        """Connect all; those that fail are left out while one is there."""
        results = await asyncio.gather(
            *(lane.prepare() for lane in lanes.values()), return_exceptions=True
        )
        errors: list[BaseException] = []
        for (receiver, lane), result in zip(lanes.items(), results, strict=True):
            if result is None:
                ready[receiver] = lane
                self._tell_member(receiver, "connected")
            elif isinstance(result, RaopError):
                errors.append(result)
                self._tell_member(receiver, "lost", result)
            else:
                raise result
        if not ready:
            raise errors[0]

    def _new_transmitter(self, depth_ms: int) -> Transmitter:
        loop = asyncio.get_running_loop()

        def on_end(source: Pcm) -> None:
            loop.call_soon_threadsafe(self._ran_out, source)

        return Transmitter(
            sequence=secrets.randbelow(1 << 16),
            frame=secrets.randbelow(1 << 32),
            ssrc=secrets.randbelow(1 << 32),
            depth_ms=depth_ms,
            on_end=on_end,
        )

    async def _switch(self, command: Play, playback: Playback) -> None:
        """Change to other media within the sessions."""
        transmitter = self._transmitter
        if transmitter is None:
            return await self._start(command, playback)
        sequence, frame = await self._pacer.run(transmitter.hush)
        try:
            await _all(lane.flush(sequence, frame) for lane in self.lanes)
        except RaopError as err:
            _LOGGER.debug("%s: connecting anew: %s", self.name, err)
            return await self._start(command, playback)
        return await self._begin(command, playback)

    async def _begin(self, command: Play, playback: Playback) -> None:
        transmitter = self._transmitter
        assert transmitter is not None
        if self._playback and self._playback is not playback:
            self._playback.close()
        self._playback = playback
        now_ns = clock.now_ns()
        at_ns = _start_ns(command, now_ns)
        position = frames_of_ms(command.media.position_ms)

        def begin() -> None:
            transmitter.begin(playback.source, at_ns, now_ns, position)
            self._pacer.add(transmitter)

        await self._pacer.run(begin)
        first_ns = await self._pacer.run(lambda: transmitter.first_packet_ns)
        self._change("buffering", command.media.position_ms, at_ns)
        due_ns = at_ns - command.depth_ms * 1_000_000
        self._emit(
            Started(
                stream=self.name,
                at=clock.to_unix(at_ns),
                first_packet_at=clock.to_unix(first_ns or due_ns),
            )
        )
        playback.publish()
        playback.on_retitled = self._show
        self._content_frame = transmitter.line.frame if transmitter.line else 0
        self._show()
        if self._watch is None:
            self._watch = asyncio.create_task(self._observe())

    async def _until_heard(self) -> None:
        """Wait for the first frame's instant and for evidence that it sounds."""
        transmitter = self._transmitter
        line = transmitter.line if transmitter else None
        if line is None:
            return
        while (now_ns := clock.now_ns()) < line.at_ns:
            await asyncio.sleep(min((line.at_ns - now_ns) / SECOND_NS, 0.5))
            self._check_alive()
        deadline = time.monotonic() + _EVIDENCE_S
        while not self._has_evidence():
            self._check_alive()
            if time.monotonic() > deadline:
                error = ReceiverSilentError(
                    "the receiver took the stream but never asked for the time; "
                    "its UDP packets do not reach this machine"
                )
                await self._end(reason="failed", error=error)
                raise error
            await asyncio.sleep(_LOOK_S)
        self._observe_state()

    def _has_evidence(self) -> bool:
        return any(lane.timing_replies for lane in self.lanes)

    def _check_alive(self) -> None:
        if not self._lanes:
            raise ReceiverUnreachableError("the receiver closed the connection")

    async def _guard(self, receiver: str, lane: RaopLane) -> None:
        """Take a receiver that is gone out of the stream."""
        error = await lane.closed()
        self._lanes.pop(receiver, None)
        self._guards.pop(receiver, None)
        lane.release()
        self._tell_member(receiver, "lost", error)
        if not self._lanes:
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
        position, sounds = self._position()
        line = self._transmitter.line if self._transmitter else None
        if line is None or not self._has_evidence():
            return
        if clock.now_ns() < line.at_ns:
            return
        is_over = self._transmitter and self._transmitter.supply.end_frame is not None
        state = "playing" if sounds or is_over else "buffering"
        if state != self._state:
            self._change(state, position)

    def _position(self) -> tuple[int, bool]:
        transmitter = self._transmitter
        frame = transmitter.heard_frame(clock.now_ns()) if transmitter else None
        if transmitter is None or frame is None:
            return 0, False
        position, sounds = transmitter.supply.position_at(frame)
        return ms_of_frames(position), sounds

    def _report(self) -> None:
        transmitter = self._transmitter
        if transmitter is None or transmitter.line is None or self._playback is None:
            return
        position, _ = self._position()
        buffered = self._playback.source.buffered_frames
        self._emit(
            Progress(
                stream=self.name,
                position_ms=position,
                at=time.time(),
                buffered_ms=ms_of_frames(buffered),
                silence_ms=ms_of_frames(transmitter.supply.silence_frames),
                worst_lateness_us=transmitter.worst_lateness_ns // 1000,
                members=tuple(
                    MemberProgress(
                        receiver=lane.member.receiver,
                        packets=lane.packets,
                        resent=lane.resent,
                        timing_replies=lane.timing_replies,
                    )
                    for lane in self.lanes
                ),
            )
        )

    def _show(self) -> None:
        """Tell the receivers what plays."""
        playback = self._playback
        if playback is None:
            return
        tags = playback.tags
        show = Show(tags, playback.duration_ms, self._content_frame)
        for lane in self.lanes:
            lane.show(show)
            if playback.duration_ms:
                start = self._content_frame - frames_of_ms(playback.media.position_ms)
                end = start + frames_of_ms(playback.duration_ms)
                lane.show_progress(start, self._content_frame, end)

    def _ran_out(self, source: Pcm) -> None:
        """Everything was heard, unless other media took the source's place."""
        if self._playback is None or self._playback.source is not source:
            return
        error = self._playback.error
        reason = "failed" if error else "finished"
        self._ending = asyncio.create_task(self._end(reason=reason, error=error))

    async def _end(
        self,
        *,
        reason: str,
        error: RaopError | None = None,
        receiver: str | None = None,
    ) -> None:
        lanes, self._lanes = self.lanes, {}
        transmitter, self._transmitter = self._transmitter, None
        playback, self._playback = self._playback, None
        for task in (*self._guards.values(), self._watch):
            if task and task is not asyncio.current_task():
                task.cancel()
        self._guards, self._watch = {}, None
        await asyncio.gather(*(lane.teardown() for lane in lanes))
        if transmitter:
            pacer = self._pacer
            pacer.post(lambda: pacer.remove(transmitter))
        if playback:
            playback.close()
        if self._state not in ("", "ended"):
            self._change("ended", reason=reason, error=error, receiver=receiver)
        self._on_idle(self)

    def _change(
        self,
        state: str,
        position_ms: int = 0,
        at_ns: int | None = None,
        *,
        reason: str | None = None,
        error: RaopError | None = None,
        receiver: str | None = None,
    ) -> None:
        self._state = state
        self._emit(
            StreamChanged(
                stream=self.name,
                state=state,
                position_ms=position_ms,
                at=clock.to_unix(clock.now_ns() if at_ns is None else at_ns),
                reason=reason,
                code=error.code if error else None,
                text=str(error) if error else "",
                receiver=receiver,
            )
        )

    def _tell_member(
        self, receiver: str, state: str, error: RaopError | None = None
    ) -> None:
        self._emit(
            MemberChanged(
                stream=self.name,
                receiver=receiver,
                state=state,
                code=error.code if error else None,
                text=str(error) if error else "",
            )
        )


def _start_ns(command: Play, now_ns: int) -> int:
    lead_ns = max(command.lead_ms * 1_000_000, _SHORTEST_LEAD_NS)
    if command.start_at is None:
        return now_ns + lead_ns
    wanted_ns = int(command.start_at * 1e9) - time.time_ns() + now_ns
    return max(wanted_ns, now_ns + _SHORTEST_LEAD_NS)


async def _all(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Run everything side by side; the first failure ends the rest and is raised."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
