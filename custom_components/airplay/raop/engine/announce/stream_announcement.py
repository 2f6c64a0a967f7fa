"""An announcement on one stream: gets a line, plays the clip, restores the stream."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
import logging

from ...audio.overlay import DuckingPlan, Overlay, Phase
from ...errors import RaopError, ReceiverSilentError, ReceiverUnreachableError
from ...messages import Announce, AnnouncementFailed, AnnouncementStarted, Event, Target
from ...session.timeline import SECOND_NS, frames_of_ms
from ...wire.parameters import DB_PER_PERCENT
from ...wire.rtp import SAMPLE_RATE
from ..net import clock
from ..pacing.outlet import Outlet
from ..pacing.transmitter import Transmitter
from ..stream.output import SILENT
from ..stream.parallel import all_of
from ..stream.stream import Stream
from .clip import Clip
from .member import AnnouncementMember, deadline_ns
from .start_barrier import Start, StartBarrier

_LOGGER = logging.getLogger(__name__)

_ATTEMPTS = 3
# The longest output buffer that was measured: a volume applies at once on some
# receivers, and on others only to sound that is not buffered yet.
_QUIET_MS = 350
# Clocks agree to milliseconds: the volume changes this long after the music pauses.
_MARGIN_FRAMES = frames_of_ms(30)


class _InterruptedError(Exception):
    """The sessions were reopened during the announcement."""


@dataclass(slots=True, eq=False)
class _Voice:
    """An overlay and its members: all of the stream, or one on its own outlet."""

    overlay: Overlay
    members: Sequence[AnnouncementMember]
    outlet: Outlet | None
    # From its beginning to the first frame of the clip.
    preamble_ns: int


class StreamAnnouncement:
    """Plays a clip on one stream, as part of an announcement on several."""

    def __init__(
        self,
        stream: Stream,
        target: Target,
        command: Announce,
        clip: Clip,
        *,
        emit: Callable[[Event], None],
    ) -> None:
        self._stream = stream
        self._output = stream.output
        self._target = target
        self._command = command
        self._clip = clip
        self._emit = emit
        self._members = [
            AnnouncementMember(each, stream.output, stream.membership)
            for each in target.addressees
        ]
        self._is_apart = target.is_alone
        self._voices: list[_Voice] = []
        self._said = 0
        self._attempts = _ATTEMPTS
        self.has_met = False

    async def run(self, barrier: StartBarrier) -> None:
        """Play the clip; return when it has played on all receivers.

        Raises RaopError: no receiver is left that could play it.
        """
        turns, command = self._stream.turns, self._command
        self._output.lanes.renew(each.member for each in self._members)
        async with turns.taken(self._target) as is_apart:
            while self._attempts:
                self._attempts -= 1
                left = [each.member for each in self._left]
                transmitter, awake_ns = await turns.open(
                    left, self._target.depth_ms, command.lead_in_ms
                )
                self._is_apart = is_apart or turns.is_apart(self._target)
                try:
                    return await self._announce(transmitter, awake_ns, barrier)
                except _InterruptedError:
                    _LOGGER.debug("%s: continuing the announcement", self._stream.name)
                finally:
                    await _lower_volume(self._members)
        raise ReceiverUnreachableError("the receiver did not stay connected")

    def cut(self) -> bool:
        """Cut the voices, so that the music returns; return whether any was placed."""
        for voice in self._voices:
            self._output.pacer.post(voice.overlay.cut)
        return bool(self._voices)

    def fail(self, error: RaopError) -> None:
        """Report the error for all members that have not failed yet."""
        for member in self._left:
            self._emit_failed(member, error)

    @property
    def _left(self) -> list[AnnouncementMember]:
        return [each for each in self._members if each.failure is None]

    async def _announce(
        self, transmitter: Transmitter, awake_ns: int, barrier: StartBarrier
    ) -> None:
        pacer = self._output.pacer
        for member in self._left:
            member.update_lane()
        await self._await_evidence(transmitter)
        is_silent = await pacer.run(lambda: transmitter.is_silent)
        voices = self._make_voices(is_silent=is_silent)
        if is_silent:
            await _raise_volume(self._left)
        self.has_met = True
        preamble_ns = max(each.preamble_ns for each in voices)

        def soonest_ns() -> int:
            return max(awake_ns, transmitter.soonest_ns()) + preamble_ns

        def place(at_ns: int) -> bool:
            return _place(transmitter, voices, at_ns)

        is_placed = await barrier.begin(Start(soonest_ns, place))
        self._check(transmitter)
        if not is_placed:
            raise _InterruptedError
        self._voices = voices
        await pacer.run(transmitter.commit)
        await all_of(
            self._hear(member, voice.overlay, transmitter)
            for voice in voices
            for member in voice.members
        )
        if self._clip.error:
            raise self._clip.error

    async def _await_evidence(self, transmitter: Transmitter) -> None:
        """Wait for evidence; leave out silent members without another way."""
        begun_ns, turns = clock.now_ns(), self._stream.turns
        while True:
            left = [each.member for each in self._left]
            if turns.owns_line and self._output.lanes.proof.is_climbing(left):
                self._attempts += 1
                raise _InterruptedError
            self._check(transmitter, is_start=True)
            silent = [each for each in self._left if not each.is_answering]
            until_ns = deadline_ns(silent, begun_ns, is_owner=turns.owns_line)
            if clock.now_ns() >= until_ns:
                break
            await self._output.changes.wait(until_ns)
        silent = [each for each in silent if not each.accept_silence()]
        error = ReceiverSilentError(SILENT)
        if turns.owns_line and [each for each in silent if await each.climb(error)]:
            self._attempts += 1
            raise _InterruptedError
        for member in silent:
            self._lose(member, error if member.is_there else member.loss)
        for member in self._left:
            member.prove()

    def _make_voices(self, *, is_silent: bool) -> list[_Voice]:
        """Return one voice for all members, or one for each."""
        left = self._left
        parts = [[each] for each in left] if self._is_apart else [left]
        voices = []
        for members in parts:
            plan = self._plan(members)
            overlay = Overlay(
                self._clip,
                plan,
                said=self._said,
                on_phase=self._output.changes.notify_threadsafe,
            )
            outlet = members[0].outlet if self._is_apart else None
            frames = 0 if is_silent else plan.preamble_frames
            preamble_ns = frames * SECOND_NS // SAMPLE_RATE
            voices.append(_Voice(overlay, members, outlet, preamble_ns))
        return voices

    def _plan(self, members: Sequence[AnnouncementMember]) -> DuckingPlan:
        command = self._command
        changes_level = any(each.changes_level for each in members)
        louder_percent = max(each.louder_percent for each in members)
        duck_db = command.duck_db - louder_percent * DB_PER_PERCENT
        return DuckingPlan(
            duck=10 ** (duck_db / 20),
            ramp_frames=frames_of_ms(command.ramp_ms),
            quiet_frames=frames_of_ms(_QUIET_MS) if changes_level else 0,
            waits=command.pauses_music and not (self._is_apart or self._stream.is_live),
        )

    async def _hear(
        self, member: AnnouncementMember, overlay: Overlay, transmitter: Transmitter
    ) -> None:
        """Follow the overlay on a receiver, and change its volume during silence."""

        async def begin() -> None:
            frame = overlay.began[Phase.VOICE] + member.delay_frames
            line = transmitter.line
            self._emit_started(member, line.time_of(frame) if line else clock.now_ns())
            # Without a QUIET phase the volume was not raised before.
            await member.raise_volume()

        steps: list[tuple[Phase, Callable[[], Awaitable[None]]]] = [
            (Phase.QUIET, member.raise_volume),
            (Phase.VOICE, begin),
            (Phase.QUIET_AGAIN, member.lower_volume),
            (Phase.OVER, member.lower_volume),
        ]
        while steps and member.failure is None:
            frame = self._heard_frame(member, overlay, transmitter)
            began = overlay.began
            while steps and steps[0][0] not in began and _is_past(steps[0][0], began):
                del steps[0]
            phase, act = steps[0]
            margin = 0 if phase is Phase.VOICE else _MARGIN_FRAMES
            due = began[phase] + margin if phase in began else None
            if due is not None and due <= frame:
                del steps[0]
                await act()
            else:
                await self._output.changes.wait(member.heard_ns(due, transmitter))

    def _heard_frame(
        self, member: AnnouncementMember, overlay: Overlay, transmitter: Transmitter
    ) -> int:
        line = transmitter.line
        if line is None and Phase.OVER in overlay.began:
            # The line ends with the last voice.
            return overlay.began[Phase.OVER] + _MARGIN_FRAMES
        if line is None:
            self._check(transmitter)
            raise _InterruptedError
        frame = line.frame_at(clock.now_ns())
        if Phase.VOICE in overlay.began:
            heard = max(0, frame - overlay.began[Phase.VOICE]) + overlay.said_before
            self._said = max(self._said, min(heard, overlay.said_frames))
        self._check(transmitter)
        return frame - member.delay_frames

    def _check(self, transmitter: Transmitter, *, is_start: bool = False) -> None:
        """Leave out lost members; raise if none is left or the line changed.

        At the start, those that climb may come back by another way.
        """
        if self._output.transmitter is not transmitter:
            raise _InterruptedError
        for member in self._left:
            if is_start and not member.is_there:
                member.update_lane()
            if not (member.is_there or (is_start and member.is_climbing)):
                self._lose(member, member.loss)

    def _lose(self, member: AnnouncementMember, error: RaopError) -> None:
        """Continue without a member; raise the error if it was the last one."""
        if len(self._left) == 1:
            raise error
        self._emit_failed(member, error)

    def _emit_started(self, member: AnnouncementMember, at_ns: int) -> None:
        if member.is_started or member.failure:
            return
        member.is_started = True
        self._emit(
            AnnouncementStarted(
                announcement=self._command.announcement,
                stream=self._stream.name,
                receiver=member.receiver,
                at=clock.to_unix(at_ns),
            )
        )

    def _emit_failed(self, member: AnnouncementMember, error: RaopError) -> None:
        member.failure = error
        self._emit(
            AnnouncementFailed(
                announcement=self._command.announcement,
                stream=self._stream.name,
                receiver=member.receiver,
                code=error.code,
                text=str(error),
                status=error.status,
            )
        )


def _place(transmitter: Transmitter, voices: Sequence[_Voice], at_ns: int) -> bool:
    """Let the first word play at an instant; return False if the line has ended."""
    for voice in voices:
        transmitter.speak(voice.overlay, at_ns - voice.preamble_ns, voice.outlet)
    return transmitter.line is not None


async def _raise_volume(members: Sequence[AnnouncementMember]) -> None:
    await asyncio.gather(*(each.raise_volume() for each in members))


async def _lower_volume(members: Sequence[AnnouncementMember]) -> None:
    await asyncio.gather(*(each.lower_volume() for each in members))


def _is_past(phase: Phase, began: dict[Phase, int]) -> bool:
    return any(each.value > phase.value for each in began)
