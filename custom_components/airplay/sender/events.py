"""Types of the sender process's events, as listeners receive them."""

from collections.abc import Callable

from ..raop.api import (
    AnnouncementFailed,
    AnnouncementStarted,
    CoverFound,
    Diagnosed,
    DiagnosisProgress,
    Event,
    MediaChanged,
    MemberChanged,
    MemberProgress,
    NextFailed,
    NextTaken,
    Progress,
    RemoteCommand,
    Started,
    StreamChanged,
    VolumeFound,
)


class SenderDied:
    """Sent to every listener when the process has ended and nothing plays."""


type SenderEvent = Event | SenderDied
# For listeners of a stream.
type StreamEvent = (
    StreamChanged
    | Started
    | MediaChanged
    | CoverFound
    | NextTaken
    | NextFailed
    | Progress
)
# For listeners of a receiver, in any stream.
type ReceiverEvent = (
    MemberProgress
    | MemberChanged
    | VolumeFound
    | RemoteCommand
    | AnnouncementStarted
    | AnnouncementFailed
    | DiagnosisProgress
    | Diagnosed
)
type EventListener = Callable[[SenderEvent], None]
