"""A voice over music: PCM in, PCM out, frame by frame; no clock."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from .pcm import FRAME_BYTES

if TYPE_CHECKING:
    from .mixer import Frames

# A voice that is cut off fades over these frames, so that it does not click.
_CUT_FRAMES = 882


class Speech(Protocol):
    """The sound of a voice, which may still be arriving."""

    def read_at(self, frame: int, frames: int) -> bytes:
        """Return up to this many frames from one on, as many as are available."""

    def is_over_at(self, frame: int) -> bool:
        """Whether nothing follows from a frame on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuckingPlan:
    """How music makes room for a voice.

    `duck` is the music's gain under the voice. If the receiver's volume changes for
    the voice, the music is silent for `quiet_frames` around each change. If it
    `waits`, it is silent and continues after the voice at the same position.
    """

    duck: float
    ramp_frames: int
    quiet_frames: int = 0
    waits: bool = False

    @property
    def preamble_frames(self) -> int:
        """The frames between running music and the first word."""
        is_muted = self.quiet_frames or self.waits
        return self.ramp_frames + self.quiet_frames if is_muted else 0


class Phase(Enum):
    """The phases of an overlay, in order."""

    LOWER = auto()
    QUIET = auto()
    VOICE = auto()
    LEAVE = auto()
    QUIET_AGAIN = auto()
    RAISE = auto()
    OVER = auto()


_MUTING = (Phase.LOWER, Phase.QUIET, Phase.LEAVE, Phase.QUIET_AGAIN)


class Ramp:
    """A gain that changes linearly."""

    def __init__(self, value: float) -> None:
        self.value = value
        self._target = value
        self._left = 0

    def go(self, target: float, frames: int) -> None:
        """Move to a gain within this many frames."""
        self._target, self._left = target, frames
        if not frames:
            self.value = target

    def next_gains(self, frames: int) -> float | Frames:
        """Return the gains of the next frames: one number if all are equal."""
        if not self._left:
            return self.value
        from .mixer import ramp

        moving = min(frames, self._left)
        step = (self._target - self.value) / self._left
        gains = ramp(self.value, step, moving, self._target, frames)
        self._left -= moving
        self.value = float(gains[-1, 0]) if self._left else self._target
        return gains


class Overlay:
    """Lowers music, plays a voice over it, and raises the music again.

    The frames of a timeline are passed to `mix` in order, in pieces no longer than
    `reach` returns. Every sample of the voice is mixed in once, at its own volume.
    """

    def __init__(
        self,
        speech: Speech,
        plan: DuckingPlan,
        *,
        said: int = 0,
        on_phase: Callable[[], None] = lambda: None,
    ) -> None:
        """Play a speech from frame `said` on; the earlier frames have already played.

        `on_phase` is called from `mix`, after another phase has begun.
        """
        self._speech = speech
        self._plan = plan
        self._music = Ramp(1.0)
        self._voice = Ramp(1.0)
        self.said_before = self._said = said
        self._frame = 0
        self._left = 0
        self._is_cut = False
        self._on_phase = on_phase
        self._phase: Phase | None = None
        # The first frame of each phase so far; other threads read it.
        self.began: dict[Phase, int] = {}

    @property
    def phase(self) -> Phase | None:
        """The current phase; None before it has begun."""
        return self._phase

    @property
    def wants_music(self) -> bool:
        """Whether the music continues at the next frame, audible or not."""
        is_waiting = self._phase not in (None, Phase.LOWER, Phase.RAISE, Phase.OVER)
        return not (self._plan.waits and is_waiting)

    @property
    def is_muting(self) -> bool:
        """Whether music is silent now or soon will be."""
        return self._phase in _MUTING

    @property
    def said_frames(self) -> int:
        """The frames of the voice that are mixed in."""
        return self._said

    def begin(self, frame: int, *, is_silent: bool) -> None:
        """Start at this frame of the timeline.

        If nothing plays before it, the voice starts at once.
        """
        self._frame = frame
        plan = self._plan
        if is_silent:
            self._music.go(0.0 if plan.waits else plan.duck, 0)
            self._speak()
        elif plan.quiet_frames or plan.waits:
            self._enter(Phase.LOWER, plan.ramp_frames)
            self._music.go(0.0, plan.ramp_frames)
        else:
            self._speak()

    def cut(self) -> None:
        """End the voice; the music returns."""
        if self._phase is Phase.VOICE and not self._is_cut:
            self._voice.go(0.0, _CUT_FRAMES)
            self._left = _CUT_FRAMES
        self._is_cut = True

    def reach(self, frames: int) -> int:
        """Return how many of the next frames `mix` accepts in one call."""
        while self._left <= 0 and self._phase is not Phase.OVER:
            if self._phase is Phase.VOICE and not self._is_said:
                return frames
            self._go_on()
        return frames if self._phase is Phase.OVER else min(frames, self._left)

    def mix(self, music: bytes) -> bytes:
        """Return the mix of the next frames; `music` has the same length."""
        frames = len(music) // FRAME_BYTES
        voice = b""
        if self._phase is Phase.VOICE:
            voice = self._speech.read_at(self._said, frames)
            self._said += len(voice) // FRAME_BYTES
        self._frame += frames
        self._left -= frames
        gains = self._music.next_gains(frames)
        levels = self._voice.next_gains(frames)
        if isinstance(gains, float) and gains == 1.0 and not voice:
            return music
        from .mixer import from_floats, to_floats

        mixed = to_floats(music, len(music)) * gains
        if voice:
            mixed += to_floats(voice, len(music)) * levels
        return from_floats(mixed)

    @property
    def _is_said(self) -> bool:
        return self._is_cut or self._speech.is_over_at(self._said)

    def _go_on(self) -> None:
        plan = self._plan
        match self._phase:
            case Phase.LOWER if plan.quiet_frames:
                self._enter(Phase.QUIET, plan.quiet_frames)
            case Phase.LOWER | Phase.QUIET:
                self._speak()
            case Phase.VOICE if plan.quiet_frames and not plan.waits:
                self._enter(Phase.LEAVE, plan.ramp_frames)
                self._music.go(0.0, plan.ramp_frames)
            case Phase.VOICE | Phase.LEAVE if plan.quiet_frames:
                self._enter(Phase.QUIET_AGAIN, plan.quiet_frames)
            case Phase.VOICE | Phase.QUIET_AGAIN:
                self._enter(Phase.RAISE, plan.ramp_frames)
                self._music.go(1.0, plan.ramp_frames)
            case Phase.RAISE:
                self._enter(Phase.OVER, 0)

    def _speak(self) -> None:
        self._enter(Phase.VOICE, 0)
        if not self._plan.waits:
            self._music.go(self._plan.duck, self._plan.ramp_frames)

    def _enter(self, phase: Phase, frames: int) -> None:
        self._phase = phase
        self._left = frames
        self.began = {**self.began, phase: self._frame}
        self._on_phase()
