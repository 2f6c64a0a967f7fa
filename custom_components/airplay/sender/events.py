"""What the sender process reports, as those who listen get it."""

from collections.abc import Callable

from ..raop.api import (
    AnnouncementFailed,
    AnnouncementStarted,
    CoverFound,
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
    """Told to every listener when the process has ended: nothing plays any more."""


type SenderEvent = Event | SenderDied
# For those who follow a stream.
type StreamEvent = (
    StreamChanged
    | Started
    | MediaChanged
    | CoverFound
    | NextTaken
    | NextFailed
    | Progress
)
# For those who follow a receiver, whatever it plays.
type ReceiverEvent = (
    MemberProgress
    | MemberChanged
    | VolumeFound
    | RemoteCommand
    | AnnouncementStarted
    | AnnouncementFailed
)
type EventListener = Callable[[SenderEvent], None]
