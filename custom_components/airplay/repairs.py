"""Fix flows of repair issues."""

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.const import CONF_NAME, CONF_PASSWORD
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import CONF_CREDENTIALS
from .helpers.foreign_text import inert
from .helpers.issues import ABOUT


class UnlockedRepairFlow(RepairsFlow):
    """Asks whether a receiver really needs its password or pairing no more."""

    def __init__(self, entry_id: str) -> None:
        """Initialize for the entry of a receiver."""
        self._entry_id = entry_id

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin with the only step."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Forget the password and the keys when the user confirms."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None:
            return self.async_abort(reason="removed")
        if ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id) is None:
            # It played with its secret while this dialog was open.
            return self.async_abort(reason="resolved")
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                description_placeholders={CONF_NAME: inert(entry.title)},
            )
        secrets = {CONF_PASSWORD, CONF_CREDENTIALS}
        data = {key: value for key, value in entry.data.items() if key not in secrets}
        # The next command uses it; a reload would stop announcements and groups.
        self.hass.config_entries.async_update_entry(entry, data=data)
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the fix flow of the only issue that has one."""
    return UnlockedRepairFlow(str((data or {}).get(ABOUT)))
