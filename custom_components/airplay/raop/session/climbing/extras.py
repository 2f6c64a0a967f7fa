"""The requests that sound does not need: the only list of them.

Whatever a receiver does about one of them, it plays: a refusal is ignored, an answer
that never comes is awaited once, and a request on which it ends the connection is left
out of the next attempt. All others must succeed, or their way has failed, except
TEARDOWN, after which nothing is expected of a session.
"""

from enum import StrEnum


class Extra(StrEnum):
    """A kind of request that sound does not need, as logs name it."""

    INFO = "GET /info"
    # AirPlay 2 alone; in AirPlay 1 it starts the stream.
    RECORD = "RECORD"
    PEERS = "SETPEERS"
    VOLUME = "SET_PARAMETER volume"
    READ_VOLUME = "GET_PARAMETER volume"
    TEXT = "SET_PARAMETER text"
    ARTWORK = "SET_PARAMETER artwork"
    PROGRESS = "SET_PARAMETER progress"
    FLUSH = "FLUSH"
    KEEP_ALIVE = "OPTIONS"
    FEEDBACK = "POST /feedback"
    # Starts a buffered stream before its anchor, which does so too.
    RATE = "SETRATEANCHORTIME without an anchor"


# Sent or left out by the ladder, as some receivers require it and others go silent.
AUTH_SETUP = "POST /auth-setup"


class Omissions:
    """What one receiver has shown to do about extras.

    It belongs to a ladder until sound is proven by it, and to the receiver from then on.
    A receiver that hangs up for another reason must not lose its volume for that, so
    nothing counts against an extra that it has answered.
    """

    def __init__(self) -> None:
        """Leave nothing out."""
        self._left_out: set[str] = set()
        self._answered: set[str] = set()
        self._unanswered: set[str] = set()
        self._refused: set[str] = set()

    def copy(self) -> Omissions:
        """Return the same, to be changed on its own."""
        other = Omissions()
        other._left_out |= self._left_out
        other._answered |= self._answered
        other._unanswered |= self._unanswered
        other._refused |= self._refused
        return other

    def __contains__(self, extra: str) -> bool:
        return extra in self._left_out

    def leave_out(self, extra: str) -> bool:
        """Leave an extra out from now on, unless it is, or was answered before."""
        if extra in self._left_out or extra in self._answered:
            return False
        self._left_out.add(extra)
        return True

    def refuse(self, extra: str) -> bool:
        """Record that an extra is not accepted; return whether that is new."""
        is_new = extra not in self._refused
        self._refused.add(extra)
        return is_new

    def answer(self, extra: str, *, is_answered: bool) -> None:
        """Record whether an extra was answered in time."""
        if is_answered:
            self._answered.add(extra)
            self._unanswered.discard(extra)
        else:
            self._unanswered.add(extra)

    def is_awaited(self, extra: str) -> bool:
        """Whether an answer may come: it did, or was not waited for yet."""
        return extra not in self._unanswered
