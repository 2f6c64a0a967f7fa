"""What a user is told although nobody waits for an answer: repair notices."""

import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN

_LOGGER = logging.getLogger(__name__)

QUEUE_GIVEN_UP = "queue_given_up"
LEFT_GROUP = "left_group"
# The codes of the core's errors.
NO_CLOCK = ("ptp_ports_taken", "ptp_not_permitted", "ptp_unavailable")


class RepairNotice:
    """Says why a speaker is silent, until it plays again."""

    def __init__(self, hass: HomeAssistant, kind: str, about: str) -> None:
        """Say nothing yet; `about` tells apart what may be said at one time."""
        self._hass = hass
        self._kind = kind
        self._issue = f"{kind}_{about}"

    @callback
    def async_make(self, name: str, reason: str) -> None:
        """Say why a speaker fell silent, in a whole sentence."""
        self.async_show({"name": name, "reason": reason})

    @callback
    def async_show(self, placeholders: dict[str, str] | None = None) -> None:
        """Show the notice, or change what it names."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=self._kind,
            translation_placeholders=placeholders,
        )

    @callback
    def async_withdraw(self) -> None:
        """Say no more."""
        ir.async_delete_issue(self._hass, DOMAIN, self._issue)


class ClockNotice:
    """Says why speakers with AirPlay 2 get no precise clock from this machine."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Say nothing yet."""
        self._notices = {kind: RepairNotice(hass, kind, "here") for kind in NO_CLOCK}

    @callback
    def async_update(self, code: str | None, text: str = "") -> None:
        """Say what is in the way, and no more what was; without a code nothing is."""
        if code:
            _LOGGER.warning("There is no precise clock for AirPlay 2: %s", text)
        for kind, notice in self._notices.items():
            if kind == code:
                notice.async_show()
            else:
                notice.async_withdraw()
