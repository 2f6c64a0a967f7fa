"""The buttons of a receiver: commands to its player, and events for listeners."""

from collections.abc import Awaitable, Callable
import logging
from typing import Protocol

from homeassistant.components.media_player import RepeatMode
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..helpers.listeners import Listeners
from ..helpers.settings import Settings
from ..player.origin import Origin
from ..player.player import Player
from ..player.reported import PlayerState
from ..raop.api import Button, RaopError, RemoteCommand
from .volume import SpeakerVolume

_LOGGER = logging.getLogger(__name__)


class Controlled(Protocol):
    """The part of a speaker that its buttons control."""

    @property
    def name(self) -> str:
        """Return the name that users see."""

    @property
    def settings(self) -> Settings:
        """Return the settings, which can disable the buttons."""

    @property
    def volume(self) -> SpeakerVolume:
        """Return its volume."""

    @property
    def player(self) -> Player:
        """Return its current player."""

    async def async_go_on(self) -> None:
        """Resume, or rejoin the group that is still playing."""


type _Action = Callable[[Controlled, float], Awaitable[None]]

_STEP = 0.05
# Step of fast forward or rewind; receivers do not report how long a button is held.
_WIND_MS = 10_000
_REPEAT = (RepeatMode.OFF, RepeatMode.ONE, RepeatMode.ALL)
_RUNNING = (PlayerState.PLAYING, PlayerState.BUFFERING)


async def _async_toggle(player: Player) -> None:
    if player.reported.state in _RUNNING:
        await player.async_pause()
    else:
        await player.async_go_on()


async def _async_resume(player: Player) -> None:
    """End fast forward or rewind; resume only a paused player."""
    if player.reported.state is PlayerState.PAUSED:
        await player.async_go_on()


async def _async_wind(player: Player, by_ms: int) -> None:
    await player.async_seek(max(0, player.queue_player.position_ms + by_ms))


async def _async_mute(speaker: Controlled, _value: float) -> None:
    volume = speaker.volume
    await volume.async_set(
        volume.level, is_muted=not volume.is_muted, origin=Origin.DEVICE
    )


async def _async_shuffle(player: Player, shuffle: bool) -> None:
    player.queue_player.async_set_shuffle(shuffle)


async def _async_repeat(player: Player, value: float) -> None:
    player.queue_player.async_set_repeat(_REPEAT[int(value)])


_ACTIONS: dict[str, _Action] = {
    Button.PLAY: lambda speaker, _: speaker.async_go_on(),
    Button.PAUSE: lambda speaker, _: speaker.player.async_pause(),
    Button.PLAY_PAUSE: lambda speaker, _: _async_toggle(speaker.player),
    Button.RESUME: lambda speaker, _: _async_resume(speaker.player),
    Button.STOP: lambda speaker, _: speaker.player.async_stop(),
    Button.NEXT: lambda speaker, _: speaker.player.queue_player.async_skip(),
    Button.PREVIOUS: lambda speaker, _: speaker.player.queue_player.async_go_back(),
    Button.FAST_FORWARD: lambda speaker, _: _async_wind(speaker.player, _WIND_MS),
    Button.REWIND: lambda speaker, _: _async_wind(speaker.player, -_WIND_MS),
    Button.SEEK: lambda speaker, value: speaker.player.async_seek(round(value)),
    Button.SHUFFLE_TOGGLE: lambda speaker, _: _async_shuffle(
        speaker.player, not speaker.player.queue.items.shuffle
    ),
    Button.SHUFFLE_SET: lambda speaker, value: _async_shuffle(
        speaker.player, bool(value)
    ),
    Button.REPEAT_SET: lambda speaker, value: _async_repeat(speaker.player, value),
    Button.VOLUME_UP: lambda speaker, _: speaker.volume.async_step(_STEP),
    Button.VOLUME_DOWN: lambda speaker, _: speaker.volume.async_step(-_STEP),
    Button.MUTE_TOGGLE: _async_mute,
}


class SpeakerRemote:
    """Executes a receiver's commands, each at once.

    Its volume and source are states, not commands: other parts follow them.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        speaker: Controlled,
    ) -> None:
        """Initialize without commands."""
        self._hass = hass
        self._entry = entry
        self._speaker = speaker
        self._listeners = Listeners[[RemoteCommand]]()

    @callback
    def async_listen(self, listener: Callable[[RemoteCommand], None]) -> CALLBACK_TYPE:
        """Call with every button."""
        return self._listeners.async_add(listener)

    @callback
    def async_handle_event(self, event: RemoteCommand) -> None:
        """Execute the command of a button."""
        self._listeners.async_notify(event)
        action = _ACTIONS.get(event.command)
        if action and self._speaker.settings.buttons_act:
            # Commands do not wait for each other: a pause must overtake a start.
            self._entry.async_create_background_task(
                self._hass,
                self._async_act(event, action),
                f"airplay {event.command} {self._speaker.name}",
            )

    async def _async_act(self, event: RemoteCommand, action: _Action) -> None:
        try:
            await action(self._speaker, event.value or 0)
        except (HomeAssistantError, RaopError) as error:
            _LOGGER.warning(
                "Button %s of %s failed: %s",
                event.command,
                self._speaker.name,
                error,
            )
