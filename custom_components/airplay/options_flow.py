"""Choosing how a receiver is played to."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import CONF_NAME, UnitOfTime
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
)

from .const import CONF_BUTTONS_ACT, CONF_DEPTH_MS, CONF_KEEP_PAUSED_S, CONF_WHEN_BUSY
from .settings import BUSY_REPORT, BUSY_TAKE_OVER, BUSY_WAIT, Settings

if TYPE_CHECKING:
    # What Home Assistant puts in the place of voluptuous, and its annotations name.
    import probatio as vol
else:
    import voluptuous as vol

CONF_DEPTH = "depth"
CONF_KEEP_PAUSED = "keep_paused"

_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_DEPTH): NumberSelector(
            NumberSelectorConfig(
                min=0.5,
                max=3,
                step=0.1,
                mode=NumberSelectorMode.SLIDER,
                unit_of_measurement=UnitOfTime.SECONDS,
            )
        ),
        vol.Required(CONF_KEEP_PAUSED): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=60,
                step=1,
                mode=NumberSelectorMode.SLIDER,
                unit_of_measurement=UnitOfTime.MINUTES,
            )
        ),
        vol.Optional(CONF_BUTTONS_ACT): BooleanSelector(),
        vol.Optional(CONF_WHEN_BUSY): SelectSelector(
            SelectSelectorConfig(
                options=[BUSY_REPORT, BUSY_WAIT, BUSY_TAKE_OVER],
                translation_key=CONF_WHEN_BUSY,
            )
        ),
    }
)


class AirPlayOptionsFlow(OptionsFlowWithReload):
    """Ask in seconds and minutes, keep what the sender is told."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what is chosen now and keep what is chosen instead."""
        now = Settings.from_entry(self.config_entry)
        if user_input is not None:
            return self.async_create_entry(
                data={
                    CONF_DEPTH_MS: round(user_input[CONF_DEPTH] * 1000),
                    CONF_KEEP_PAUSED_S: round(user_input[CONF_KEEP_PAUSED] * 60),
                    CONF_BUTTONS_ACT: user_input.get(CONF_BUTTONS_ACT, now.buttons_act),
                    CONF_WHEN_BUSY: user_input.get(CONF_WHEN_BUSY, now.when_busy),
                }
            )
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                _SCHEMA,
                {
                    CONF_DEPTH: now.depth_ms / 1000,
                    CONF_KEEP_PAUSED: now.keep_paused_s / 60,
                    CONF_BUTTONS_ACT: now.buttons_act,
                    CONF_WHEN_BUSY: now.when_busy,
                },
            ),
            description_placeholders={CONF_NAME: self.config_entry.title},
        )
