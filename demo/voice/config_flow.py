"""Create the entry of the demo's voice automatically, once."""

from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult


class DemoVoiceFlow(ConfigFlow, domain="demo_voice"):
    """Add the voice."""

    async def async_step_import(self, import_data: dict[str, Any]) -> ConfigFlowResult:
        """Create an entry unless there is one."""
        await self.async_set_unique_id("demo_voice")
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title="Demo voice", data={})
