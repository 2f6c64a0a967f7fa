"""Repair notices: reports to the user outside of any action."""

import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from .foreign_text import inert

_LOGGER = logging.getLogger(__name__)

QUEUE_GIVEN_UP = "queue_given_up"
LEFT_GROUP = "left_group"
FORCED_WAY = "forced_way"
UNLOCKED = "unlocked"
# What an issue is about, in its data.
ABOUT = "about"
# Error codes of the core.
NO_CLOCK = ("ptp_ports_taken", "ptp_not_permitted", "ptp_unavailable")


class RepairNotice:
    """Explains why a speaker is silent, until it plays again."""

    def __init__(
        self, hass: HomeAssistant, kind: str, about: str, *, is_fixable: bool = False
    ) -> None:
        """Initialize without an issue; `about` distinguishes simultaneous issues."""
        self._hass = hass
        self._kind = kind
        self._about = about
        self._is_fixable = is_fixable
        self._issue = f"{kind}_{about}"

    @callback
    def async_make(self, name: str, reason: str) -> None:
        """Create the issue; `reason` is a whole sentence."""
        self.async_show({"name": name, "reason": reason})

    @callback
    def async_show(self, placeholders: dict[str, str] | None = None) -> None:
        """Create the issue, or update its placeholders."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue,
            data={ABOUT: self._about},
            is_fixable=self._is_fixable,
            severity=ir.IssueSeverity.WARNING,
            translation_key=self._kind,
            translation_placeholders={
                key: inert(text) for key, text in (placeholders or {}).items()
            },
        )

    @callback
    def async_withdraw(self) -> None:
        """Delete the issue."""
        ir.async_delete_issue(self._hass, DOMAIN, self._issue)


class ClockNotice:
    """Explains why AirPlay 2 speakers get no precise clock from this machine."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize without an issue."""
        self._notices = {kind: RepairNotice(hass, kind, "here") for kind in NO_CLOCK}

    @callback
    def async_update(self, code: str | None, text: str = "") -> None:
        """Show the issue for a code and delete the others; without a code, delete all."""
        if code:
            _LOGGER.warning("No precise clock for AirPlay 2: %s", text)
        for kind, notice in self._notices.items():
            if kind == code:
                notice.async_show()
            else:
                notice.async_withdraw()
