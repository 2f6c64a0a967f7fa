"""The numbers of the kitchen, and its level."""

from pytest_homeassistant_custom_component.common import (
    mock_restore_cache_with_extra_data,
)

from homeassistant.core import HomeAssistant, State
from tests.virtual_receiver import VirtualReceiver

CROSSFADE = "number.kitchen_crossfade"
DELAY = "number.kitchen_delay"
MAXIMUM = "number.kitchen_maximum_volume"
PLAYER = "media_player.kitchen"


def loudest(receiver: VirtualReceiver) -> float:
    """Return the loudest volume that the receiver got."""
    return max(round(change.volume_db, 1) for change in receiver.volumes)


async def choose(hass: HomeAssistant, entity_id: str, value: float) -> None:
    """Set a number."""
    await hass.services.async_call(
        "number",
        "set_value",
        {"entity_id": entity_id, "value": value},
        blocking=True,
    )


def remember(
    hass: HomeAssistant, numbers: dict[str, float | None], level: float | None
) -> None:
    """Have Home Assistant remember a speaker from before a restart."""
    kept: list[tuple[State, dict[str, object]]] = [
        (
            State(entity_id, str(value)),
            {
                "native_max_value": 100,
                "native_min_value": 0,
                "native_step": 1,
                "native_unit_of_measurement": None,
                "native_value": value,
            },
        )
        for entity_id, value in numbers.items()
    ]
    kept.append((State(PLAYER, "idle"), {"volume": level, "is_muted": False}))
    mock_restore_cache_with_extra_data(hass, kept)


def first_sound_ns(receiver: VirtualReceiver) -> int:
    """Return when the receiver began to play."""
    return min(segment.local_ns for segment in receiver.played)
