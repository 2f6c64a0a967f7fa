"""One speaker in the house: what is its own, and the player that it hears."""

from collections.abc import Callable
from contextlib import ExitStack
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
    RemoteCommand,
    Seen,
    StreamChanged,
    Tune,
    error_for,
)
from ..sender.events import EventListener, SenderDied, SenderEvent
from ..sender.sender import Sender
from .availability import Availability
from .in_use import InUseElsewhere
from .pair_events import PairEventFilter
from .remote import SpeakerRemote
from .volume import SpeakerVolume

_LOGGER = logging.getLogger(__name__)


class Speaker:
    """A speaker's parts: its level, its use by others, its buttons; and its player.

    The player is its own, or that of a group which it is a member of. Each part
    notifies its own listeners; those of the speaker learn of the player that it hears.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        device: AirPlayDevice,
        sender: Sender,
    ) -> None:
        """Sit alone, with nothing to play."""
        self._hass = hass
        self._sender = sender
        self._listeners = Listeners[[]]()
        self._group_listeners = Listeners[[]]()
        self._event_listeners = Listeners[[SenderEvent]]()
        self._background = Background(hass)
        self._absence: str | None = None
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
            is_idle=lambda: self.player.reported.is_idle and not self.has_own_session,
        )
        self.in_use = InUseElsewhere(
            entry, device, is_idle=lambda: self.player.reported.is_idle
        )
        self.remote = SpeakerRemote(hass, entry, self)
        self.notice = RepairNotice(hass, LEFT_GROUP, entry.entry_id)
        # Its own player waits while it plays with a group.
        self.own: Player = Player(hass, sender, self)
        self.player: Player = self.own
        self._forget_player = self._async_follow_player()
        self.availability = Availability(self._is_available)
        self._pair_events = PairEventFilter(device, sender, self._async_handle_event)
        entry.async_on_unload(self._pair_events.async_close)
        entry.async_on_unload(device.async_listen(self._async_heard_of))
        entry.async_on_unload(self._async_release)

    @property
    def name(self) -> str:
        """Return what users call the speaker."""
        return self.device.name

    @property
    def is_missed(self) -> bool:
        """Whether it is silent while others of its group play, but tried again."""
        return self._absence == "lost" and self.player.members.is_group

    @property
    def is_away(self) -> bool:
        """Whether it was switched to another source while its group plays."""
        return self._absence == "left" and self.player.members.is_group

    @property
    def members(self) -> tuple[Member, ...]:
        """Return the speaker as members of a stream, at its own level."""
        return self.device.members(
            self.volume.known_level, is_muted=self.volume.is_muted
        )

    async def async_tune(self, tuning: Tuning) -> None:
        """Let it sound otherwise beside others, at once where it plays.

        Raises RaopError: when its receiver cannot be told.
        """
        if tuning == self.device.tuning:
            return
        self.device.tuning = tuning
        if self.player.reported.is_idle and not self.has_own_session:
            return
        await self._sender.async_request_each(
            Tune(receiver=each.id, delay_ms=tuning.delay_ms, channel=tuning.channel)
            for each in self.device.receivers
        )

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever the player that it hears changes, or how it hears it."""
        return self._listeners.async_add(listener)

    @callback
    def async_listen_group(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever the speakers of its player change, or the level of one."""
        return self._group_listeners.async_add(listener)

    @callback
    def async_listen_events(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call with what the sender reports of this speaker, in any stream."""
        return self._event_listeners.async_add(listener)

    @callback
    def _async_notify(self) -> None:
        """Notify who follows the player that it hears."""
        self.in_use.async_update()
        self.availability.async_update()
        self._listeners.async_notify()

    async def async_go_on(self) -> None:
        """Go on, or come back to the group that plays on.

        Raises HomeAssistantError, RaopError: when nothing can be played.
        """
        if self.is_away and not self.player.reported.is_idle:
            await self.player.async_join(self)
        else:
            await self.player.async_go_on()

    async def async_sit(self, player: Player, *, is_leader: bool = False) -> None:
        """Hear a group's player; the one that was heard alone waits with its queue."""
        left = self.player
        await left.async_park()
        if left is not self.own:
            left.async_release()
        player.members.async_admit(self, is_leader=is_leader)
        self._async_move(player)

    @callback
    def async_go_home(self) -> None:
        """Hear its own player again, an empty one where it is left to the group."""
        if self.own is self.player:
            self.own = Player(self._hass, self._sender, self)
        self._async_move(self.own)

    @callback
    def async_adopt(self) -> None:
        """Keep what is heard as its own."""
        if self.own is not self.player:
            self.own.async_release()
            self.own = self.player

    async def async_close(self) -> None:
        """Free the receiver, and play nothing any more."""
        await self.player.async_close()
        self._async_release()

    @callback
    def async_set_own_session(self, *, is_open: bool) -> None:
        """Note that the sender may hold the receiver for something short."""
        self.has_own_session = is_open
        if not is_open:
            self.in_use.async_left()
            if self.player.reported.is_idle:
                self._pair_events.async_forget()
        self.async_set_announcing(is_heard=False)

    @callback
    def async_set_announcing(self, *, is_heard: bool) -> None:
        """Note that an announcement is heard, or no more."""
        if is_heard != self.is_announcing:
            self.is_announcing = is_heard
            self._async_notify()

    def _is_available(self) -> bool:
        """Whether the receiver is on the network, or plays."""
        is_heard = not (self.player.reported.is_idle or self.is_missed)
        return self.device.is_available or is_heard

    @callback
    def _async_move(self, player: Player) -> None:
        self._forget_player()
        self.player = player
        self._forget_player = self._async_follow_player()
        self._absence = None
        self.in_use.async_left()
        self._group_listeners.async_notify()
        self._async_notify()

    @callback
    def _async_follow_player(self) -> CALLBACK_TYPE:
        """Follow the player that it hears until what is returned is called."""
        player = self.player
        forget = ExitStack()
        forget.callback(player.reported.async_listen(self._async_notify))
        forget.callback(player.members.async_listen(self._group_listeners.async_notify))
        forget.callback(
            self._sender.async_listen(player.members.stream, self._async_handle_stream)
        )
        return forget.close

    @callback
    def _async_release(self) -> None:
        self._forget_player()
        if not self.player.members.is_group:
            self.player.async_release()
        self.own.async_release()
        self._background.async_cancel()
        self.notice.async_withdraw()

    @callback
    def _async_heard_of(self) -> None:
        """Have a receiver tried at once that may have come back, or moved."""
        self.availability.async_update()
        plays_on = self.player.members.is_group or self.device.partner is not None
        if self.device.is_available and plays_on and not self.player.reported.is_idle:
            self._background.async_run(self._async_tell_seen(), f"seen {self.name}")

    async def _async_tell_seen(self) -> None:
        try:
            await self._sender.async_request_each(
                Seen(member=each) for each in self.members
            )
        except RaopError as error:
            _LOGGER.debug("%s is not tried at once: %s", self.name, error)

    @callback
    def _async_handle_event(self, event: SenderEvent) -> None:
        """Hand on what the sender reports of this speaker."""
        self.volume.async_handle_event(event)
        self.in_use.async_handle_event(event)
        match event:
            case MemberChanged():
                self.device.async_handle_event(event)
                self._async_follow(event)
            case RemoteCommand():
                self.remote.async_handle_event(event)
            case SenderDied():
                self._async_silent()
        self._event_listeners.async_notify(event)

    @callback
    def _async_handle_stream(self, event: SenderEvent) -> None:
        if isinstance(event, StreamChanged) and event.state == "ended":
            self.in_use.async_handle_event(event)
            self._async_silent()

    @callback
    def _async_silent(self) -> None:
        """Reset what it reported of a stream that is over."""
        self._absence = None
        self._pair_events.async_forget()
        self._async_notify()

    @callback
    def _async_follow(self, event: MemberChanged) -> None:
        match event.state:
            case "lost" | "left" if event.stream == self.player.members.stream:
                self._absence = event.state
                if event.code and self.player.members.is_group:
                    # Of a stream that others hear nobody else is told.
                    self.device.async_failed(
                        error_for(event.code, event.text, event.status)
                    )
            case "playing":
                self._absence = None
            case _:
                return
        self._async_notify()
