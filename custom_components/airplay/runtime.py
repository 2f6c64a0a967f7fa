"""Runtime data of an entry."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry

from .announcements.announcements import Announcements
from .announcements.speaker_announcer import SpeakerAnnouncer
from .sender.sender import Sender
from .speaker.groups import Groups
from .speaker.speaker import Speaker

type AirPlayConfigEntry = ConfigEntry[AirPlayRuntime]


@dataclass(slots=True)
class AirPlayRuntime:
    """The parts of one speaker, and the shared instances that it uses."""

    speaker: Speaker
    sender: Sender
    announcer: SpeakerAnnouncer
    announcements: Announcements
    groups: Groups
