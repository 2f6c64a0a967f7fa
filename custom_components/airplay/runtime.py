"""What works for one receiver while its entry is loaded."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry

from .announcements.announcements import Announcements
from .announcements.speaker_announcer import SpeakerAnnouncer
from .discovery.device import AirPlayDevice
from .player.player import Player
from .sender.sender import Sender
from .speaker.groups import Groups
from .speaker.remote import SpeakerRemote
from .speaker.speaker import Speaker

type AirPlayConfigEntry = ConfigEntry[AirPlayRuntime]


@dataclass(slots=True)
class AirPlayRuntime:
    """The parts that work for one receiver while its entry is loaded."""

    speaker: Speaker
    sender: Sender
    announcer: SpeakerAnnouncer
    announcements: Announcements
    remote: SpeakerRemote
    groups: Groups

    @property
    def device(self) -> AirPlayDevice:
        """Return the receiver itself."""
        return self.speaker.device

    @property
    def player(self) -> Player:
        """Return the player that the speaker hears: its own, or that of its group."""
        return self.speaker.player
