"""The states of a stream, and the triggers that lead from one to the next.

A stream is in one state at a time. `TRANSITIONS` holds, for each state, the triggers
that lead out of it; nothing else changes the state. The owner gets an event for each
transition, so the table also defines the possible order of events.

Triggers come from two sides. Commands, of which one at a time is at work on a stream,
cause CONNECT, SET_LINE, PAUSE, and END. The audible part of the timeline, which
`progress.py` follows, causes SOUND, SILENCE, and NEXT_ITEM, and END if media has ended
or the last receiver is lost.

    NEW ──CONNECT──> CONNECTING ──SET_LINE──> BUFFERING ──SOUND──> PLAYING
                         ^                      ^  <──SILENCE──      │
                         └─CONNECT── PAUSED ──SET_LINE──┘  <──PAUSE──┘

    any state but NEW ──END──> ENDED ──CONNECT──> CONNECTING

The pacing thread continues while a command works, so its reports may be about a
moment ago. A trigger without a transition is therefore not an error. It changes
nothing, and the owner gets no event:

- SOUND, SILENCE, and NEXT_ITEM after a pause or the end are late.
- SOUND while PLAYING, or SILENCE while BUFFERING, is known already.
- END before anything has begun, and a second END or PAUSE, have no effect.

CONNECT and SET_LINE are possible in every state, and PAUSE in every state but PAUSED:
an announcement may have opened the sessions in which media then begins, or is paused
before it has begun.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto

from ...messages import Play, StreamState


class StreamTrigger(Enum):
    """The triggers that may change the state of a stream."""

    # Receivers are being connected, for new media or a resume.
    CONNECT = auto()
    # The instant at which the first frame plays is set.
    SET_LINE = auto()
    # A receiver plays sound, or silence in its place.
    SOUND = auto()
    SILENCE = auto()
    # The first frame of the next item plays.
    NEXT_ITEM = auto()
    # The media is held, or a resume could not connect.
    PAUSE = auto()
    # The media is over, a command has ended it, or no receiver can play it.
    END = auto()


_S, _T = StreamState, StreamTrigger

_STARTING = {_T.CONNECT: _S.CONNECTING, _T.SET_LINE: _S.BUFFERING}
_LEAVING = {_T.PAUSE: _S.PAUSED, _T.END: _S.ENDED}

TRANSITIONS: dict[StreamState, dict[StreamTrigger, StreamState]] = {
    _S.NEW: _STARTING | {_T.PAUSE: _S.PAUSED},
    _S.CONNECTING: _STARTING | _LEAVING,
    _S.BUFFERING: _STARTING
    | _LEAVING
    | {_T.SOUND: _S.PLAYING, _T.NEXT_ITEM: _S.PLAYING},
    _S.PLAYING: _STARTING
    | _LEAVING
    | {_T.SILENCE: _S.BUFFERING, _T.NEXT_ITEM: _S.PLAYING},
    _S.PAUSED: _STARTING | {_T.END: _S.ENDED},
    _S.ENDED: _STARTING | {_T.PAUSE: _S.PAUSED},
}


class StreamStatus:
    """The state of a stream, and the command of its playing or paused media."""

    def __init__(self) -> None:
        self.state = StreamState.NEW
        # With the position for a new start.
        self.command: Play | None = None
        # Whether a command handles lost receivers and the end of the media.
        self.is_changing = False
        # Whether a command is about to pause it.
        self.is_pausing = False

    def apply(self, trigger: StreamTrigger) -> bool:
        """Apply a trigger; return whether it caused a transition."""
        following = TRANSITIONS[self.state].get(trigger)
        if following is None:
            return False
        self.state = following
        return True

    @property
    def is_paused(self) -> bool:
        """Whether the stream waits to be resumed."""
        return self.state is StreamState.PAUSED

    @property
    def is_quiet(self) -> bool:
        """Whether no media plays or is about to."""
        return self.command is None or self.is_paused

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep the stream when a receiver is lost or the media ends."""
        self.is_changing = True
        try:
            yield
        finally:
            self.is_changing = False

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """Keep the stream when a receiver is lost, as it need not play on."""
        self.is_pausing = True
        try:
            yield
        finally:
            self.is_pausing = False
