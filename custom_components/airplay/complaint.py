"""What a user is told although nobody waits for an answer: repair notices."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .models import AirPlayConfigEntry

_GIVEN_UP = "queue_given_up"


class Complaint:
    """Says that one speaker's queue has stopped, until music plays again."""

    def __init__(self, hass: HomeAssistant, entry: AirPlayConfigEntry) -> None:
        """Say nothing yet; what was said goes with the entry."""
        self._hass = hass
        self._issue = f"{_GIVEN_UP}_{entry.entry_id}"
        entry.async_on_unload(self.async_withdraw)

    @callback
    def async_make(self, name: str, reason: str) -> None:
        """Say why a speaker fell silent."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=_GIVEN_UP,
            translation_placeholders={"name": name, "reason": reason},
        )

    @callback
    def async_withdraw(self) -> None:
        """Say no more."""
        ir.async_delete_issue(self._hass, DOMAIN, self._issue)
