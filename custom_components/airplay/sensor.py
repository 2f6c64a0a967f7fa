"""Sensors for the connection to a speaker while it plays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import AirPlayEntity, ShownPart
from .player.reported import PlayerState
from .raop.api import MemberChanged, MemberProgress
from .runtime import AirPlayConfigEntry
from .sender.events import SenderEvent

PARALLEL_UPDATES = 0

# Reports arrive once a second, more often than a diagnostic sensor needs.
_WRITE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class _Description(SensorEntityDescription):
    """Description of a measurement, with its getter, which also rounds.

    Some are measured only on request. Entity IDs are made from `object_id`, which stays
    the same when the displayed name changes.
    """

    object_id: str
    read: Callable[[MemberProgress], float | None]
    is_counted: bool = False


def _clock_spread_ms(report: MemberProgress) -> float | None:
    spread_us = report.clock_spread_us
    return None if spread_us is None else round(spread_us / 1000, 1)


_DESCRIPTIONS = (
    _Description(
        key="resend_rate",
        translation_key="resend_rate",
        object_id="packets_sent_again",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        read=lambda report: round(report.resend_percent, 1),
    ),
    _Description(
        key="clock_spread",
        translation_key="clock_spread",
        object_id="clock_spread",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        read=_clock_spread_ms,
    ),
    _Description(
        key="buffer_lead",
        translation_key="buffer_lead",
        object_id="sent_ahead",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        # It varies by the four packets that are sent at once.
        read=lambda report: round(report.lead_ms / 50) * 50,
    ),
    _Description(
        key="drop_outs",
        translation_key="drop_outs",
        object_id="drop_outs",
        state_class=SensorStateClass.TOTAL_INCREASING,
        read=lambda report: report.drop_outs,
        is_counted=True,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a receiver."""
    async_add_entities(LinkSensor(entry, each) for each in _DESCRIPTIONS)


class LinkSensor(AirPlayEntity, SensorEntity):
    """A measurement that is available while the speaker plays."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_entity_registry_enabled_default = False
    entity_description: _Description

    def __init__(self, entry: AirPlayConfigEntry, description: _Description) -> None:
        """Initialize the entity on the device of the player."""
        super().__init__(entry, description.key)
        self._sender = entry.runtime_data.sender
        self._value: float | None = None
        self._measured_s = 0.0
        self.entity_description = description

    @override
    def _parts(self) -> tuple[ShownPart, ...]:
        """Return the parts, with the current player."""
        return (*super()._parts(), self.speaker)

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the reports, too."""
        await super().async_added_to_hass()
        receiver = self.device.receiver.id
        self.async_on_remove(self._sender.async_listen_to(receiver, self._async_take))

    @property
    @override
    def suggested_object_id(self) -> str:
        """Return the end of a new entity's ID."""
        return self.entity_description.object_id

    @property
    @override
    def native_value(self) -> float | None:
        """Return the last measurement, or None while nothing plays."""
        is_playing = self.player.reported.state is PlayerState.PLAYING
        return self._value if is_playing else None

    @callback
    def _async_take(self, event: SenderEvent) -> None:
        match event:
            case MemberProgress() if self.entity_description.is_counted:
                self._async_show(self.entity_description.read(event))
            case MemberProgress() if not self._is_due:
                pass
            case MemberProgress(is_measured=True):
                self._measured_s = self.hass.loop.time()
                self._async_show(self.entity_description.read(event))
            case MemberProgress():
                self.player.links.async_measure_soon()
            case MemberChanged(state="connected" | "lost" | "left"):
                # Measurements of a previous session say nothing about this one.
                self._value = None
                self.async_write_ha_state()

    @property
    def _is_due(self) -> bool:
        """Whether the next measurement is due."""
        age_s = self.hass.loop.time() - self._measured_s
        return self._value is None or age_s >= _WRITE_S

    @callback
    def _async_show(self, value: float | None) -> None:
        if value != self._value:
            self._value = value
            self.async_write_ha_state()
