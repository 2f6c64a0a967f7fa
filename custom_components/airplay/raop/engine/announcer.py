"""An announcement on one stream: gets a line, speaks, leaves all as it was."""

import asyncio
from collections.abc import Callable
import logging

from ..audio.overlay import Manner, Overlay, Phase
from ..errors import RaopError, ReceiverSilentError, ReceiverUnreachableError
from ..messages import Announce, AnnouncementStarted, Event, Target
from ..session.timeline import frames_of_ms
from ..wire.parameters import DB_PER_PERCENT
from . import clock
from .clip import Clip
from .lane import Lane
from .rendezvous import Rendezvous
from .sessions import SILENT
from .stream import Stream
from .transmitter import Transmitter

_LOGGER = logging.getLogger(__name__)

_LOOK_S = 0.01
_ATTEMPTS = 3
# As long as the longest output buffer that was measured: a level counts at once on
# one receiver, and only for what it has not buffered on another.
_QUIET_MS = 350
# Clocks agree to milliseconds: a level changes this long after the music fell silent.
_MARGIN_FRAMES = frames_of_ms(30)


class _InterruptedError(Exception):
    """The sessions were opened anew under the announcement."""


class Announcer:
    """Says a clip on one stream, as part of what is said on several."""

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
        self._sessions = stream.sessions
        self._target = target
        self._command = command
        self._clip = clip
        self._emit = emit
        self._overlay: Overlay | None = None
        self._said = 0
        self._is_told = False
        self.has_met = False
        self._is_level_changed = False

    async def run(self, meeting: Rendezvous) -> None:
        """Return when all was heard; raise what stands in the way."""
        async with self._stream.floor.taken():
            for _ in range(_ATTEMPTS):
                transmitter = await self._stream.floor.open(
                    self._target, self._command.lead_in_ms
                )
                try:
                    return await self._announce(transmitter, meeting)
                except _InterruptedError:
                    _LOGGER.debug("%s: announcing goes on", self._stream.name)
                finally:
                    await self._lower_volume()
        raise ReceiverUnreachableError("the receiver did not stay connected")

    def cut(self) -> bool:
        """Say no more; return whether anything was said: then the music comes back."""
        overlay = self._overlay
        if overlay:
            self._sessions.pacer.post(overlay.cut)
        return overlay is not None

    async def _announce(self, transmitter: Transmitter, meeting: Rendezvous) -> None:
        pacer = self._sessions.pacer
        # What is heard before the receiver's clock is right may be lost.
        if not await self._sessions.have_evidence(lambda: self._check(transmitter)):
            raise ReceiverSilentError(SILENT)
        soonest_ns = await pacer.run(transmitter.soonest_ns)
        self.has_met = True
        at_ns = await meeting.instant(soonest_ns)
        self._check(transmitter)
        changes = self._changes_level
        manner = self._manner(changes_level=changes)
        if changes and await pacer.run(lambda: transmitter.is_silent):
            await self._raise_volume()
        overlay = Overlay(self._clip, manner, said=self._said)
        outlet = self._lane.outlet if self._target.is_alone else None
        began = await pacer.run(lambda: transmitter.speak(overlay, at_ns, outlet))
        if began is None:
            raise _InterruptedError
        self._overlay = overlay
        await pacer.run(transmitter.commit)
        await self._hear(overlay, transmitter)

    async def _hear(self, overlay: Overlay, transmitter: Transmitter) -> None:
        """Follow what is heard, and change the level where nothing is."""
        steps: list[tuple[Phase, Callable[[], object]]] = [
            (Phase.QUIET, self._raise_volume),
            (Phase.VOICE, self._tell_started),
            (Phase.QUIET_AGAIN, self._lower_volume),
            (Phase.OVER, self._lower_volume),
        ]
        while steps:
            frame = self._heard_frame(overlay, transmitter)
            began = overlay.began
            while steps and steps[0][0] not in began and _is_past(steps[0][0], began):
                del steps[0]
            phase, act = steps[0]
            wait = 0 if phase is Phase.VOICE else _MARGIN_FRAMES
            if phase in began and began[phase] + wait <= frame:
                del steps[0]
                if asyncio.iscoroutine(work := act()):
                    await work
            else:
                await asyncio.sleep(_LOOK_S)
        if self._clip.error:
            raise self._clip.error

    def _heard_frame(self, overlay: Overlay, transmitter: Transmitter) -> int:
        line = transmitter.line
        if line is None and Phase.OVER in overlay.began:
            # The line ends as soon as nobody speaks.
            return overlay.began[Phase.OVER] + _MARGIN_FRAMES
        if line is None:
            self._check(transmitter)
            raise _InterruptedError
        frame = line.frame_at(clock.now_ns())
        if Phase.VOICE in overlay.began:
            heard = max(0, frame - overlay.began[Phase.VOICE]) + overlay.said_before
            self._said = min(heard, overlay.said_frames)
        self._check(transmitter)
        return frame

    def _check(self, transmitter: Transmitter) -> None:
        if self._sessions.transmitter is not transmitter:
            raise _InterruptedError
        if not self._sessions.members:
            raise ReceiverUnreachableError("the receiver closed the connection")

    def _manner(self, *, changes_level: bool) -> Manner:
        command, target = self._command, self._target
        louder = 0.0
        if changes_level and target.volume is not None:
            percent, is_muted = self._lane.level
            before = 0.0 if is_muted or percent is None else percent
            louder = max(0.0, target.volume - before)
        duck_db = command.duck_db - louder * DB_PER_PERCENT
        return Manner(
            duck=10 ** (duck_db / 20),
            ramp_frames=frames_of_ms(command.ramp_ms),
            quiet_frames=frames_of_ms(_QUIET_MS) if changes_level else 0,
            waits=command.pauses_music
            and not (target.is_alone or self._stream.is_live),
        )

    @property
    def _lane(self) -> Lane:
        lane = self._sessions.members.find(self._target.member.receiver)
        if lane is None:
            raise ReceiverUnreachableError("the receiver closed the connection")
        return lane

    @property
    def _changes_level(self) -> bool:
        percent, is_muted = self._lane.level
        wanted = self._target.volume
        return wanted is not None and (is_muted or wanted != percent)

    async def _raise_volume(self) -> None:
        if self._target.volume is not None:
            self._is_level_changed = True
            await self._lane.raise_volume(self._target.volume)

    async def _lower_volume(self) -> None:
        if self._is_level_changed:
            self._is_level_changed = False
            try:
                await self._lane.lower_volume()
            except RaopError as err:
                _LOGGER.debug("%s: %s", self._stream.name, err)

    def _tell_started(self) -> None:
        if not self._is_told:
            self._is_told = True
            self._emit(
                AnnouncementStarted(
                    announcement=self._command.announcement,
                    stream=self._stream.name,
                    at=clock.to_unix(clock.now_ns()),
                )
            )


def _is_past(phase: Phase, began: dict[Phase, int]) -> bool:
    return any(each.value > phase.value for each in began)
