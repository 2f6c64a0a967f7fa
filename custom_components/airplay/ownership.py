"""Whether another sender plays on a receiver, by what the receiver announces."""

from homeassistant.core import HomeAssistant, callback

from .models import AirPlayConfigEntry
from .player import Player
from .speaker import Speaker

# ReceiverSessionIsActive among the status flags of both records.
_SESSION_IS_ACTIVE = 1 << 17
# How long after a session of ours a record may still speak of that one.
_LAG_S = 10


class Ownership:
    """Follows a receiver's word that it has a session, and knows which are ours.

    Many receivers never say it; then only their refusal tells.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: AirPlayConfigEntry,
        speaker: Speaker,
        player: Player,
    ) -> None:
        """Begin with what the record says now: nothing of ours plays yet."""
        self._hass = hass
        self._speaker = speaker
        self._player = player
        self._was_active = self._is_active
        self._ours_until = 0.0
        self.is_taken = self._was_active
        entry.async_on_unload(speaker.async_listen(self._async_look))
        entry.async_on_unload(player.async_listen(self._async_look))

    @property
    def _is_active(self) -> bool:
        return bool(self._speaker.receiver.flags & _SESSION_IS_ACTIVE)

    @callback
    def _async_look(self) -> None:
        now, is_active = self._hass.loop.time(), self._is_active
        if not self._player.is_idle or self._player.has_own_session:
            self._ours_until = now + _LAG_S
            self.is_taken = False
        elif not is_active:
            self.is_taken = False
        elif not self._was_active and now >= self._ours_until:
            self.is_taken = True
        self._was_active = is_active
