"""One speaker in the house: what is its own, and the player that it hears."""

from collections.abc import Callable
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..discovery.device import AirPlayDevice, Tuning
from ..helpers.background import Background
from ..helpers.issues import LEFT_GROUP, RepairNotice
from ..helpers.listeners import Listeners
from ..helpers.settings import Settings
from ..player.player import Player
from ..raop.api import (
    Member,
    MemberChanged,
    RaopError,
    Seen,
    StreamChanged,
    Tune,
    error_for,
)
from ..sender.sender import EventListener, Sender, SenderDied, SenderEvent
from .in_use import InUseElsewhere
from .pair_events import PairEventFilter
from .volume import SpeakerVolume

_LOGGER = logging.getLogger(__name__)


class Speaker:
    """A speaker's level, its settings and whether it is free, at a player of some kind.

    The player is its own, or that of a group which it is a member of.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        device: AirPlayDevice,
        sender: Sender,
    ) -> None:
        """Sit alone, with nothing to play."""
        self._listeners = Listeners[[]]()
        self._event_listeners = Listeners[[SenderEvent]]()
        self._sender = sender
        self.entry_id = entry.entry_id
        self.entity_id = ""
        self.device = device
        self.settings = Settings.from_entry(entry)
        # Apart from what it plays: for an announcement, or to set a level.
        self.has_own_session = False
        self.is_announcing = False
        self.volume = SpeakerVolume(
            hass,
            entry,
            device,
            sender,
            is_idle=lambda: self.player.is_idle and not self.has_own_session,
            on_change=self.async_notify,
        )
        self.in_use = InUseElsewhere(
            entry,
            device,
            is_idle=lambda: self.player.is_idle,
            on_change=self.async_notify,
        )
        self.notice = RepairNotice(hass, LEFT_GROUP, entry.entry_id)
        self._hass = hass
        self._background = Background(hass)
        self._absence: str | None = None
        self._own = self.player = Player(hass, sender, self)
        self._pair_events = PairEventFilter(device, sender, self.async_handle_event)
        entry.async_on_unload(self._pair_events.async_close)
        entry.async_on_unload(device.async_listen(self._async_heard_of))
        entry.async_on_unload(self._async_release)

    @property
    def name(self) -> str:
        """Return what users call the speaker."""
        return self.device.name

    @property
    def own(self) -> Player:
        """Return its own player, which waits while that of a group is heard."""
        return self._own

    @property
    def is_missed(self) -> bool:
        """Whether it is silent while others of its group play, but tried again."""
        return self._absence == "lost" and self.player.is_group

    @property
    def is_away(self) -> bool:
        """Whether it was switched to another source while its group plays."""
        return self._absence == "left" and self.player.is_group

    @property
    def members(self) -> tuple[Member, ...]:
        """Return the speaker as members of a stream, at its own level."""
        return self.device.members(
            self.volume.known_level, is_muted=self.volume.is_muted
        )

    async def async_tune(self, tuning: Tuning) -> None:
        """Let it sound otherwise beside others, at once where it plays."""
        if tuning == self.device.tuning:
            return
        self.device.tuning = tuning
        if self.player.is_idle and not self.has_own_session:
            return
        await self._sender.async_request_each(
            Tune(receiver=each.id, delay_ms=tuning.delay_ms, channel=tuning.channel)
            for each in self.device.receivers
        )

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever something changes here or at the player that is heard."""
        return self._listeners.async_add(listener)

    @callback
    def async_listen_events(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call with what the sender tells of this speaker and of the stream it hears."""
        return self._event_listeners.async_add(listener)

    @callback
    def async_handle_event(self, event: SenderEvent) -> None:
        """Take what the sender tells of this speaker, or of the stream that it hears."""
        self.volume.async_handle_event(event)
        self.in_use.async_handle_event(event)
        self.device.async_handle_event(event)
        self._async_follow(event)
        self._event_listeners.async_notify(event)

    @callback
    def async_notify(self) -> None:
        """Tell everybody that something has changed."""
        self._listeners.async_notify()

    async def async_go_on(self) -> None:
        """Go on, or come back to the group that plays on."""
        if self.is_away and not self.player.is_idle:
            await self.player.async_join(self)
        else:
            await self.player.async_go_on()

    async def async_sit(self, player: Player, *, is_leader: bool = False) -> None:
        """Hear a group's player; the one that was heard alone waits with its queue."""
        left = self.player
        await left.async_park()
        if left is not self._own:
            left.async_release()
        player.async_admit(self, is_leader=is_leader)
        self._async_move(player)

    @callback
    def async_go_home(self) -> None:
        """Hear its own player again, an empty one where it is left to the group."""
        if self._own is self.player:
            self._own = Player(self._hass, self._sender, self)
        self._async_move(self._own)

    @callback
    def async_adopt(self) -> None:
        """Keep what is heard as its own."""
        if self._own is not self.player:
            self._own.async_release()
            self._own = self.player

    async def async_close(self) -> None:
        """Free the receiver, and play nothing any more."""
        await self.player.async_close()
        self._async_release()

    @callback
    def _async_move(self, player: Player) -> None:
        self.player = player
        self._absence = None
        self.in_use.async_left()
        self.async_notify()

    @callback
    def _async_release(self) -> None:
        if not self.player.is_group:
            self.player.async_release()
        self._own.async_release()
        self._background.async_cancel()
        self.notice.async_withdraw()

    @callback
    def _async_heard_of(self) -> None:
        """Have a receiver tried at once that may have come back, or moved."""
        plays_on = self.player.is_group or self.device.partner is not None
        if self.device.is_available and plays_on and not self.player.is_idle:
            self._background.async_run(self._async_tell_seen(), f"seen {self.name}")

    async def _async_tell_seen(self) -> None:
        try:
            await self._sender.async_request_each(
                Seen(member=each) for each in self.members
            )
        except RaopError as error:
            _LOGGER.debug("%s is not tried at once: %s", self.name, error)

    @callback
    def _async_follow(self, event: SenderEvent) -> None:
        match event:
            case MemberChanged(state="lost" | "left") if self._is_of_player(event):
                self._absence = event.state
                if event.code and self.player.is_group:
                    # Of a stream that others hear nobody else is told.
                    error = error_for(event.code, event.text)
                    self.device.async_failed(error)
            case MemberChanged(state="playing"):
                self._absence = None
            case SenderDied() | StreamChanged(state="ended"):
                self._absence = None
                self._pair_events.async_forget()
            case _:
                return
        self.async_notify()

    def _is_of_player(self, event: MemberChanged) -> bool:
        return event.stream == self.player.stream

    @callback
    def async_set_own_session(self, *, is_open: bool) -> None:
        """Take note that the sender may hold the receiver for something short."""
        self.has_own_session = is_open
        if not is_open:
            self.in_use.async_left()
            if self.player.is_idle:
                self._pair_events.async_forget()
        self.async_set_announcing(is_heard=False)

    @callback
    def async_set_announcing(self, *, is_heard: bool) -> None:
        """Take note that an announcement is heard, or no more."""
        self.is_announcing = is_heard
        self.async_notify()
