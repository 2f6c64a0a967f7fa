"""What a receiver's buttons do: to its player, and to whoever listens."""

from collections.abc import Awaitable, Callable
import logging

from homeassistant.components.media_player import RepeatMode
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from .models import AirPlayConfigEntry
from .player import PlayerState
from .raop.buttons import Button
from .raop.errors import RaopError
from .raop.messages import RemoteCommand
from .sender import Sender, SenderEvent
from .speaker import Speaker
from .transport import Transport
from .volume_owner import Origin

_LOGGER = logging.getLogger(__name__)

type Listener = Callable[[RemoteCommand], None]
type _Action = Callable[[Transport, float], Awaitable[None]]

_STEP = 0.05
# A press of fast forward or rewind; what is held is not told while it is held.
_WIND_MS = 10_000
_REPEAT = (RepeatMode.OFF, RepeatMode.ONE, RepeatMode.ALL)
_RUNNING = (PlayerState.PLAYING, PlayerState.BUFFERING)


async def _async_toggle(player: Transport, _value: float) -> None:
    if player.state in _RUNNING:
        await player.async_pause()
    else:
        await player.async_go_on()


async def _async_resume(player: Transport, _value: float) -> None:
    """End winding; only what is paused goes on."""
    if player.state is PlayerState.PAUSED:
        await player.async_go_on()


async def _async_wind(player: Transport, by_ms: int) -> None:
    await player.async_seek(max(0, player.position_ms + by_ms))


async def _async_mute(player: Transport, _value: float) -> None:
    volume = player.volume
    await volume.async_set(
        volume.level, is_muted=not volume.is_muted, origin=Origin.DEVICE
    )


async def _async_shuffle(player: Transport, value: float) -> None:
    player.async_set_shuffle(bool(value))


async def _async_repeat(player: Transport, value: float) -> None:
    player.async_set_repeat(_REPEAT[int(value)])


_ACTIONS: dict[str, _Action] = {
    Button.PLAY: lambda player, _: player.async_go_on(),
    Button.PAUSE: lambda player, _: player.async_pause(),
    Button.PLAY_PAUSE: _async_toggle,
    Button.RESUME: _async_resume,
    Button.STOP: lambda player, _: player.async_stop(),
    Button.NEXT: lambda player, _: player.async_skip(),
    Button.PREVIOUS: lambda player, _: player.async_go_back(),
    Button.FAST_FORWARD: lambda player, _: _async_wind(player, _WIND_MS),
    Button.REWIND: lambda player, _: _async_wind(player, -_WIND_MS),
    Button.SEEK: lambda player, value: player.async_seek(round(value)),
    Button.SHUFFLE_TOGGLE: lambda player, _: _async_shuffle(
        player, not player.queue.shuffle
    ),
    Button.SHUFFLE_SET: _async_shuffle,
    Button.REPEAT_SET: _async_repeat,
    Button.VOLUME_UP: lambda player, _: player.volume.async_step(_STEP),
    Button.VOLUME_DOWN: lambda player, _: player.volume.async_step(-_STEP),
    Button.MUTE_TOGGLE: _async_mute,
}


class Remote:
    """Carries a receiver's orders out, each as soon as it comes.

    Its level and its source are facts and not orders: others follow them.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: AirPlayConfigEntry,
        speaker: Speaker,
        sender: Sender,
        player: Transport,
    ) -> None:
        """Listen to what receivers of the player's stream order."""
        self._hass = hass
        self._entry = entry
        self._speaker = speaker
        self._player = player
        self._listeners: list[Listener] = []
        entry.async_on_unload(sender.async_listen(entry.entry_id, self._async_take))

    @callback
    def async_listen(self, listener: Listener) -> CALLBACK_TYPE:
        """Call with every button."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def _async_take(self, event: SenderEvent) -> None:
        if not isinstance(event, RemoteCommand):
            return
        for listener in [*self._listeners]:
            listener(event)
        action = _ACTIONS.get(event.command)
        if action and self._player.settings.buttons_act:
            # None waits for the one before: a pause has to overtake a start.
            self._entry.async_create_background_task(
                self._hass,
                self._async_act(event, action),
                f"airplay {event.command} {self._speaker.name}",
            )

    async def _async_act(self, event: RemoteCommand, action: _Action) -> None:
        try:
            await action(self._player, event.value or 0)
        except (HomeAssistantError, RaopError) as error:
            _LOGGER.warning(
                "The button %s of %s did nothing: %s",
                event.command,
                self._speaker.name,
                error,
            )
