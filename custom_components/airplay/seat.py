"""One speaker in the house: what is its own, and the player that it hears."""

from collections.abc import Callable

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .models import AirPlayConfigEntry
from .occupancy import Occupancy
from .raop.messages import Member
from .sender import Sender, SenderEvent
from .settings import Settings
from .speaker import Speaker
from .transport import Transport
from .volume import Volume


class Seat:
    """A speaker's level, its settings and whether it is free, at a player of some kind.

    The player is its own, or that of a group which it is a member of.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: AirPlayConfigEntry,
        speaker: Speaker,
        sender: Sender,
    ) -> None:
        """Sit alone, with nothing to play."""
        self._listeners: list[Callable[[], None]] = []
        self._event_listeners: list[Callable[[SenderEvent], None]] = []
        self.entry_id = entry.entry_id
        self.entity_id = ""
        self.speaker = speaker
        self.settings = Settings.from_entry(entry)
        # Apart from what it plays: for an announcement, or to set a level.
        self.has_own_session = False
        self.is_announcing = False
        self.volume = Volume(
            hass,
            entry,
            speaker,
            sender,
            is_idle=lambda: self.player.is_idle and not self.has_own_session,
            on_change=self.async_tell,
        )
        self.occupancy = Occupancy(
            entry,
            speaker,
            sender,
            is_idle=lambda: self.player.is_idle,
            on_change=self.async_tell,
        )
        self.player = Transport(hass, sender, self)
        entry.async_on_unload(
            sender.async_listen_to(speaker.receiver.id, self.async_take)
        )
        entry.async_on_unload(self._async_gone)

    @property
    def name(self) -> str:
        """Return what users call the speaker."""
        return self.speaker.name

    @property
    def member(self) -> Member:
        """Return the speaker as a member of a stream, at its own level."""
        return self.speaker.member(
            self.volume.known_level, is_muted=self.volume.is_muted
        )

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever something changes here or at the player that is heard."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_listen_events(
        self, listener: Callable[[SenderEvent], None]
    ) -> CALLBACK_TYPE:
        """Call with what the sender tells of this speaker and of the stream it hears."""
        self._event_listeners.append(listener)
        return lambda: self._event_listeners.remove(listener)

    @callback
    def async_take(self, event: SenderEvent) -> None:
        """Take what the sender tells of this speaker, or of the stream that it hears."""
        self.volume.async_take(event)
        self.occupancy.async_take(event)
        for listener in [*self._event_listeners]:
            listener(event)

    @callback
    def async_tell(self) -> None:
        """Tell everybody that something has changed."""
        for listener in [*self._listeners]:
            listener()

    @callback
    def _async_gone(self) -> None:
        self.player.async_release()

    @callback
    def async_set_own_session(self, *, is_open: bool) -> None:
        """Take note that the sender may hold the receiver for something short."""
        self.has_own_session = is_open
        if not is_open:
            self.occupancy.async_left()
        self.async_set_announcing(is_heard=False)

    @callback
    def async_set_announcing(self, *, is_heard: bool) -> None:
        """Take note that an announcement is heard, or no more."""
        self.is_announcing = is_heard
        self.async_tell()
