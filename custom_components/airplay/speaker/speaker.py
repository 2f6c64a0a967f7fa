"""The speaker of an entry: its own parts, and its current player."""

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
    """A speaker's parts: volume, use by other senders, buttons, and player.

    The player is its own, or that of a group of which it is a member. Each part
    notifies its own listeners; those of the speaker are notified of its player.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        device: AirPlayDevice,
        sender: Sender,
    ) -> None:
        """Initialize without a group and with an empty player."""
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
        # Apart from its player's stream: for an announcement, or to set a volume.
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
        # Its own player is idle while it plays with a group.
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
        """Return the name that users see."""
        return self.device.name

    @property
    def is_missed(self) -> bool:
        """Whether it is lost and being reconnected while its group plays."""
        return self._absence == "lost" and self.player.members.is_group

    @property
    def is_away(self) -> bool:
        """Whether it was switched to another source while its group plays."""
        return self._absence == "left" and self.player.members.is_group

    @property
    def members(self) -> tuple[Member, ...]:
        """Return the speaker as members of a stream, at its own volume."""
        return self.device.members(
            self.volume.known_level, is_muted=self.volume.is_muted
        )

    async def async_tune(self, tuning: Tuning) -> None:
        """Change its delay and channel, at once if it plays.

        Raises RaopError: when the command to its receiver fails.
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
        """Call whenever its player changes, or its state within it."""
        return self._listeners.async_add(listener)

    @callback
    def async_listen_group(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever the speakers of its player change, or the volume of one."""
        return self._group_listeners.async_add(listener)

    @callback
    def async_listen_events(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call with the sender's events of this speaker, in any stream."""
        return self._event_listeners.async_add(listener)

    @callback
    def _async_notify(self) -> None:
        """Notify the listeners of the player."""
        self.in_use.async_update()
        self.availability.async_update()
        self._listeners.async_notify()

    async def async_go_on(self) -> None:
        """Resume, or rejoin the group that is still playing.

        Raises HomeAssistantError, RaopError: when nothing can be played.
        """
        if self.is_away and not self.player.reported.is_idle:
            await self.player.async_join(self)
        else:
            await self.player.async_go_on()

    async def async_sit(self, player: Player, *, is_leader: bool = False) -> None:
        """Switch to a group's player; its own one keeps its queue."""
        left = self.player
        await left.async_park()
        if left is not self.own:
            left.async_release()
        player.members.async_admit(self, is_leader=is_leader)
        self._async_move(player)

    @callback
    def async_go_home(self) -> None:
        """Switch to its own player, or to an empty one if the group keeps the former."""
        if self.own is self.player:
            self.own = Player(self._hass, self._sender, self)
        self._async_move(self.own)

    @callback
    def async_adopt(self) -> None:
        """Make the current player its own."""
        if self.own is not self.player:
            self.own.async_release()
            self.own = self.player

    async def async_close(self) -> None:
        """Release the receiver and stop permanently."""
        await self.player.async_close()
        self._async_release()

    @callback
    def async_set_own_session(self, *, is_open: bool) -> None:
        """Record whether the sender may hold the receiver in a short session."""
        self.has_own_session = is_open
        if not is_open:
            self.in_use.async_left()
            if self.player.reported.is_idle:
                self._pair_events.async_forget()
        self.async_set_announcing(is_heard=False)

    @callback
    def async_set_announcing(self, *, is_heard: bool) -> None:
        """Record whether an announcement is playing."""
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
        """Listen to the current player; return a function that stops it."""
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
        """Have the sender retry a receiver at once that may be back or have moved."""
        self.availability.async_update()
        if self.device.is_available and not self.player.reported.is_idle:
            self._background.async_run(self._async_tell_seen(), f"seen {self.name}")

    async def _async_tell_seen(self) -> None:
        try:
            await self._sender.async_request_each(
                Seen(member=each) for each in self.members
            )
        except RaopError as error:
            _LOGGER.debug("Could not retry %s at once: %s", self.name, error)

    @callback
    def _async_handle_event(self, event: SenderEvent) -> None:
        """Pass on an event of this speaker to its parts and listeners."""
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
        """Reset the state from a stream that has ended."""
        self._absence = None
        self._pair_events.async_forget()
        self._async_notify()

    @callback
    def _async_follow(self, event: MemberChanged) -> None:
        match event.state:
            case "lost" | "left" if event.stream == self.player.members.stream:
                self._absence = event.state
                if event.code and self.player.members.is_group:
                    # The stream reports no error while other members play.
                    self.device.async_failed(
                        error_for(event.code, event.text, event.status)
                    )
            case "playing":
                self._absence = None
            case _:
                return
        self._async_notify()
