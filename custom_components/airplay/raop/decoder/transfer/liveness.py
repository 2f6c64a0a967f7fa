"""Whether media is over when its transfer is: one rule for all of it.

Headers do not say it: Music Assistant sends those of a station with each song, some
stations send none, and transcoders announce lengths that they guess. What counts is how
the transfer ended, the duration that the media itself states, what the caller knows, and
in the end what a second connection gives: the same beginning again was finite, other
sound is live.
"""

from dataclasses import dataclass
from enum import Enum, auto

from ...media import MediaKind


class End(Enum):
    """How a transfer ended."""

    # All of a length or of a file came, or the chunk that says that it is the last.
    WHOLE = auto()
    # It was closed properly, where nothing or something else was announced.
    CLOSED = auto()
    # It was reset, or silent for too long.
    BROKEN = auto()
    # It was asked for again in vain.
    FAILED = auto()
    # A second connection gave other bytes where this one had broken off.
    OTHER = auto()


class Then(Enum):
    """What follows the end of a transfer."""

    OVER = auto()
    FAIL = auto()
    # The rest is missing: open it again at the place that was reached.
    RESUME = auto()
    # A second connection decides; if there is none soon, it was finite.
    ASK = auto()
    # The same, but it is missed until the time limit.
    RECONNECT = auto()


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer that is over.

    `is_missing` is whether the media states a duration that was not reached; None: it
    states none. `is_file` is whether its server announced a length and gave the same bytes
    each time, `is_radio` whether it has headers of a station, and `is_growing` whether it
    is a playlist to which segments are added.
    """

    end: End
    kind: MediaKind = MediaKind.ANY
    is_missing: bool | None = None
    is_file: bool = False
    is_radio: bool = False
    is_growing: bool = False


def after(transfer: Transfer) -> Then:
    """Return what follows a transfer."""
    end, kind = transfer.end, transfer.kind
    if end is End.FAILED:
        return Then.FAIL
    if transfer.is_growing or end is End.OTHER:
        return Then.RECONNECT
    if transfer.is_missing is False:
        return Then.OVER
    if end is End.BROKEN or kind is MediaKind.RADIO:
        return Then.RECONNECT
    if end is End.WHOLE:
        is_doubtful = transfer.is_radio and kind is not MediaKind.SPEECH
        return Then.ASK if is_doubtful else Then.OVER
    if transfer.is_missing:
        return Then.RESUME
    if transfer.is_file or kind is MediaKind.SPEECH:
        return Then.OVER
    return Then.RECONNECT if transfer.is_radio else Then.ASK
