"""How loud one receiver shall be: its level, muting, and the most it may have."""

from collections.abc import Callable
import logging

from homeassistant.core import HomeAssistant, callback

from .const import DEFAULT_VOLUME
from .models import AirPlayConfigEntry
from .raop.errors import RaopError
from .raop.messages import AnnouncementStarted, SetVolume, Started, VolumeFound
from .sender import Sender, SenderEvent
from .speaker import Speaker

_LOGGER = logging.getLogger(__name__)


class Volume:
    """Levels from 0 to 1, on no path above the maximum.

    Until somebody has set a level, or one was restored, the receiver is asked for its
    own at the first session; one that does not tell gets the default.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: AirPlayConfigEntry,
        speaker: Speaker,
        sender: Sender,
        *,
        is_idle: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        """Listen to what the sender finds out."""
        self._hass = hass
        self._entry = entry
        self._speaker = speaker
        self._sender = sender
        self._is_idle = is_idle
        self._on_change = on_change
        self.level = DEFAULT_VOLUME
        self.is_muted = False
        self.is_known = False
        self.maximum = 1.0
        # The level at which an announcement sounds now; the sender takes it back.
        self.announced: float | None = None
        entry.async_on_unload(sender.async_listen(entry.entry_id, self._async_take))

    @property
    def known_level(self) -> float | None:
        """Return the level unless it is only a guess."""
        return self.level if self.is_known else None

    @callback
    def async_restore(self, level: float | None, *, is_muted: bool) -> None:
        """Take up what was known before a restart."""
        if level is not None:
            self._async_know(level, is_muted=is_muted)

    async def async_set(self, level: float, *, is_muted: bool) -> None:
        """Set the level at once; an idle receiver is told when it plays."""
        self._async_know(level, is_muted=is_muted)
        await self._async_send()

    async def async_limit(self, maximum: float) -> None:
        """Set the maximum; what is louder now is lowered, and stays so."""
        self.maximum = maximum
        is_too_loud = self.level > maximum
        if is_too_loud:
            self.level = maximum
            self._on_change()
        if (is_too_loud or (self.announced or 0) > maximum) and self.is_known:
            await self._async_send()

    @callback
    def _async_know(self, level: float, *, is_muted: bool) -> None:
        self.level = min(level, self.maximum)
        self.is_muted, self.is_known = is_muted, True
        self._on_change()

    @callback
    def _async_take(self, event: SenderEvent) -> None:
        match event:
            case VolumeFound() if event.receiver == self._speaker.receiver.id:
                if self.is_known and self.announced is not None:
                    # What is sent now would end the announcement's own level.
                    return
                found = round(event.volume / 100, 4)
                if not self.is_known:
                    self._async_know(found, is_muted=False)
                is_right = found == self.level and not self.is_muted
            case Started() | AnnouncementStarted() if not self.is_known:
                # It does not tell its level, which may be any.
                self._async_know(self.level, is_muted=False)
                is_right = False
            case _:
                return
        if not is_right:
            self._entry.async_create_background_task(
                self._hass,
                self._async_correct(),
                f"airplay volume {self._speaker.name}",
            )

    async def _async_correct(self) -> None:
        try:
            await self._async_send()
        except RaopError as error:
            _LOGGER.debug("%s keeps its volume: %s", self._speaker.name, error)

    async def _async_send(self) -> None:
        if not self._is_idle():
            await self._sender.async_request(
                SetVolume(
                    receiver=self._speaker.receiver.id,
                    volume=self.level * 100,
                    muted=self.is_muted,
                )
            )
