"""The options of a receiver."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import CONF_NAME, PERCENTAGE, UnitOfTime
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)

from ..const import (
    CONF_ANNOUNCEMENTS,
    CONF_BUTTONS_ACT,
    CONF_DEPTH_MS,
    CONF_KEEP_PAUSED_S,
    CONF_KEEPS_LEVEL,
    CONF_LANE,
    CONF_LOUDNESS,
    CONF_WHEN_BUSY,
)
from ..discovery.entry_data import receiver_from
from ..helpers.foreign_text import inert
from ..helpers.settings import (
    BUSY_REPORT,
    BUSY_TAKE_OVER,
    BUSY_WAIT,
    CHIME_NONE,
    CHIME_OWN,
    LANE_AUTOMATIC,
    MUSIC_LOWER,
    MUSIC_PAUSE,
    SCOPE_ALONE,
    SCOPE_GROUP,
    TAKEN_REFUSE,
    TAKEN_TAKE_OVER,
    AnnounceSettings,
    Settings,
)
from ..raop.api import AIRPLAY2, AIRPLAY2_NTP, LaneKind, Loudness
from ..sender.udp_ports import async_load_udp_ports
from .form_errors import async_ask
from .udp_ports import CONF_UDP_PORTS, async_use_udp_ports

if TYPE_CHECKING:
    # Home Assistant replaces voluptuous with it, and its annotations refer to it.
    import probatio as vol
else:
    import voluptuous as vol

CONF_DEPTH = "depth"
CONF_KEEP_PAUSED = "keep_paused"
CONF_VOLUME = "volume"
CONF_MUSIC = "music"
CONF_DUCK_DB = "duck_db"
CONF_RAMP_MS = "ramp_ms"
CONF_LEAD_IN_MS = "lead_in_ms"
CONF_CHIME = "chime"
CONF_SCOPE = "scope"
CONF_TAKEN = "taken"


def _number(least: float, most: float, step: float, unit: str) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=least,
            max=most,
            step=step,
            mode=NumberSelectorMode.SLIDER,
            unit_of_measurement=unit,
        )
    )


def _choice(key: str, *options: str) -> SelectSelector:
    return SelectSelector(SelectSelectorConfig(options=[*options], translation_key=key))


_ANNOUNCEMENTS = vol.Schema(
    {
        # A slider cannot be left empty to keep the current volume.
        vol.Optional(CONF_VOLUME): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=100,
                step=1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=PERCENTAGE,
            )
        ),
        vol.Required(CONF_MUSIC): _choice("music", MUSIC_LOWER, MUSIC_PAUSE),
        vol.Required(CONF_DUCK_DB): _number(3, 40, 1, "dB"),
        vol.Required(CONF_RAMP_MS): _number(0, 2000, 10, UnitOfTime.MILLISECONDS),
        vol.Required(CONF_LEAD_IN_MS): _number(0, 3000, 50, UnitOfTime.MILLISECONDS),
        vol.Required(CONF_CHIME): _choice("chime", CHIME_OWN, CHIME_NONE),
        vol.Optional(CONF_SCOPE): _choice("scope", SCOPE_ALONE, SCOPE_GROUP),
        vol.Required(CONF_TAKEN): _choice("taken", TAKEN_REFUSE, TAKEN_TAKE_OVER),
    }
)
_SENDING = {
    vol.Required(CONF_DEPTH): _number(0.5, 3, 0.1, UnitOfTime.SECONDS),
    vol.Required(CONF_KEEP_PAUSED): _number(0, 60, 1, UnitOfTime.MINUTES),
    vol.Optional(CONF_BUTTONS_ACT): BooleanSelector(),
    vol.Optional(CONF_WHEN_BUSY): _choice(
        CONF_WHEN_BUSY, BUSY_REPORT, BUSY_WAIT, BUSY_TAKE_OVER
    ),
    vol.Optional(CONF_KEEPS_LEVEL): BooleanSelector(),
    vol.Optional(CONF_LOUDNESS): _choice(CONF_LOUDNESS, *Loudness),
}
_NETWORK = {vol.Optional(CONF_UDP_PORTS): TextSelector()}
_SECTIONS = {
    vol.Optional(CONF_ANNOUNCEMENTS): section(_ANNOUNCEMENTS, {"collapsed": True}),
}


def _schema(lanes: list[str]) -> vol.Schema:
    """Return the form; it asks for the lane if there is a choice."""
    reached = {vol.Optional(CONF_LANE): _choice(CONF_LANE, *lanes)} if lanes else {}
    return vol.Schema({**_SENDING, **reached, **_NETWORK, **_SECTIONS})


class AirPlayOptionsFlow(OptionsFlowWithReload):
    """Asks in seconds and minutes, stores the sender's units."""

    def __init__(self) -> None:
        """Initialize without a choice."""
        self._chosen: dict[str, Any] = {}

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the current options and store the changed ones."""
        return await async_ask(
            user_input, form=self._async_form, answer=self._async_store
        )

    async def _async_store(self, chosen: dict[str, Any]) -> ConfigFlowResult:
        """Store the options.

        Raises FormError: the range of UDP ports cannot be used.
        """
        now = Settings.from_entry(self.config_entry)
        self._chosen = chosen
        await async_use_udp_ports(self.hass, chosen.get(CONF_UDP_PORTS, ""))
        return self.async_create_entry(
            data={
                CONF_DEPTH_MS: round(chosen[CONF_DEPTH] * 1000),
                CONF_KEEP_PAUSED_S: round(chosen[CONF_KEEP_PAUSED] * 60),
                CONF_BUTTONS_ACT: chosen.get(CONF_BUTTONS_ACT, now.buttons_act),
                CONF_WHEN_BUSY: chosen.get(CONF_WHEN_BUSY, now.when_busy),
                CONF_KEEPS_LEVEL: chosen.get(CONF_KEEPS_LEVEL, now.keeps_level),
                CONF_LOUDNESS: chosen.get(CONF_LOUDNESS, now.loudness),
                CONF_LANE: chosen.get(CONF_LANE, now.lane),
                CONF_ANNOUNCEMENTS: chosen.get(CONF_ANNOUNCEMENTS, self._announcements),
            }
        )

    async def _async_form(self, errors: dict[str, str]) -> ConfigFlowResult:
        now = Settings.from_entry(self.config_entry)
        ports = await async_load_udp_ports(self.hass)
        current = {
            CONF_DEPTH: now.depth_ms / 1000,
            CONF_KEEP_PAUSED: now.keep_paused_s / 60,
            CONF_BUTTONS_ACT: now.buttons_act,
            CONF_WHEN_BUSY: now.when_busy,
            CONF_KEEPS_LEVEL: now.keeps_level,
            CONF_LOUDNESS: now.loudness,
            CONF_LANE: now.lane,
            CONF_ANNOUNCEMENTS: self._announcements,
        }
        if ports:
            current[CONF_UDP_PORTS] = str(ports)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                _schema(self._lanes(now.lane)), current | self._chosen
            ),
            errors=errors,
            description_placeholders={CONF_NAME: inert(self.config_entry.title)},
        )

    def _lanes(self, chosen: str) -> list[str]:
        """Return the lanes to choose from; none if there is only one."""
        receiver = receiver_from(self.config_entry.data)
        possible = receiver.lanes
        modern = [each for each in possible if each is not LaneKind.RAOP]
        known = [LANE_AUTOMATIC]
        if len(possible) > 1:
            known += [LaneKind.RAOP] if LaneKind.RAOP in possible else []
            known += [AIRPLAY2] if len(modern) > 1 else []
            known += modern
        if receiver.airplay2_lanes:
            known.append(AIRPLAY2_NTP)
        # The chosen lane may have become unavailable, and must be visible to be changed.
        if chosen not in known:
            known.append(chosen)
        return [str(each) for each in known] if len(known) > 1 else []

    @property
    def _announcements(self) -> dict[str, Any]:
        """Return the announcement options; the volume is omitted if unset."""
        chosen = asdict(AnnounceSettings.from_entry(self.config_entry))
        return {name: value for name, value in chosen.items() if value is not None}
