"""The volumes of speakers that play together."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from custom_components.airplay.sender.errors import SenderGoneError
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.players import call, state_of
from tests.ha.three_speakers import HALL, KITCHEN, STUDY, House, house_of


@pytest.fixture
async def house(hass: HomeAssistant, tmp_path: Path) -> AsyncGenerator[House]:
    """Return a house of three speakers."""
    async with house_of(hass, tmp_path) as built:
        yield built


async def set_level(hass: HomeAssistant, player: str, level: float) -> None:
    await call(hass, player, "volume_set", volume_level=level)


def levels(hass: HomeAssistant, *players: str) -> list[float]:
    return [state_of(hass, each).attributes["volume_level"] for each in players]


async def set_number(hass: HomeAssistant, entity_id: str, value: float) -> None:
    await hass.services.async_call(
        "number", "set_value", {"entity_id": entity_id, "value": value}, blocking=True
    )


async def make_loud(
    hass: HomeAssistant, *players: str, context: Context | None = None
) -> None:
    """Set the volume of each group that players are in to 0.9."""
    await hass.services.async_call(
        "airplay",
        "set_group_volume",
        {"entity_id": [*players], "volume_level": 0.9},
        blocking=True,
        context=context,
    )


async def test_number_is_the_loudest_and_keeps_the_ratios_through_zero(
    hass: HomeAssistant, house: House
) -> None:
    number = house.number(HALL, "group_volume")
    assert house.is_unavailable(number)
    await set_level(hass, KITCHEN, 0.6)
    await set_level(hass, HALL, 0.3)
    await call(hass, HALL, "volume_mute", is_volume_muted=True)
    await house.join(KITCHEN, HALL)
    await house.play(KITCHEN, "a", 8)
    assert state_of(hass, number).state == "60"

    await set_number(hass, number, 40)
    assert levels(hass, KITCHEN, HALL) == [0.4, 0.2]
    await set_number(hass, number, 0)
    assert levels(hass, KITCHEN, HALL) == [0, 0]
    await set_number(hass, house.number(KITCHEN, "group_volume"), 80)

    assert levels(hass, KITCHEN, HALL) == [0.8, 0.4]
    assert state_of(hass, number).state == "80"
    assert state_of(hass, HALL).attributes["is_volume_muted"]
    kitchen = house.receivers[KITCHEN]
    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(-6))
    assert house.receivers[HALL].volume_db == -144
    await house.unjoin(HALL)
    assert house.is_unavailable(number)
    await call(hass, KITCHEN, "media_stop")


async def test_number_of_each_member_follows_the_loudest(
    hass: HomeAssistant, house: House
) -> None:
    await set_level(hass, KITCHEN, 0.6)
    await set_level(hass, HALL, 0.3)
    await house.join(KITCHEN, HALL)
    numbers = [house.number(each, "group_volume") for each in (KITCHEN, HALL)]
    assert [state_of(hass, each).state for each in numbers] == ["60", "60"]

    await set_level(hass, HALL, 0.7)
    assert [state_of(hass, each).state for each in numbers] == ["70", "70"]

    await house.unjoin(HALL)
    assert all(house.is_unavailable(each) for each in numbers)


async def test_action_respects_a_speakers_maximum(
    hass: HomeAssistant, house: House
) -> None:
    await set_level(hass, KITCHEN, 0.4)
    await set_level(hass, HALL, 0.2)
    await set_level(hass, STUDY, 0.7)
    await set_number(hass, house.number(KITCHEN, "maximum_volume"), 50)
    await house.join(KITCHEN, HALL)

    await make_loud(hass, KITCHEN, HALL, STUDY)

    assert levels(hass, KITCHEN, HALL, STUDY) == [0.5, 0.45, 0.9]


async def test_action_reports_its_failures(
    hass: HomeAssistant, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.join(KITCHEN, HALL)
    await house.play(KITCHEN, "a", 8)
    sender = house.entries[KITCHEN].runtime_data.sender
    with monkeypatch.context() as patched:
        patched.setattr(sender, "async_request", _gone)
        with pytest.raises(HomeAssistantError, match="streaming process stopped"):
            await make_loud(hass, HALL)
    await call(hass, HALL, "media_stop")


async def test_action_reaches_the_other_speakers_if_one_fails(
    hass: HomeAssistant, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for player in (KITCHEN, HALL):
        await set_level(hass, player, 0.2)
        await house.play(player, "a", 8)
    sender = house.entries[KITCHEN].runtime_data.sender
    with monkeypatch.context() as patched:
        patched.setattr(sender, "async_request", _gone)
        with pytest.raises(HomeAssistantError, match="streaming process stopped"):
            await make_loud(hass, KITCHEN, HALL)

    # A volume is shown before it is sent, so both were tried.
    assert levels(hass, KITCHEN, HALL) == [0.9, 0.9]
    for player in (KITCHEN, HALL):
        await call(hass, player, "media_stop")


async def test_action_records_the_user_who_changed_the_volume(
    hass: HomeAssistant, house: House
) -> None:
    await set_level(hass, KITCHEN, 0.2)
    caller = Context()

    await make_loud(hass, KITCHEN, context=caller)

    assert levels(hass, KITCHEN) == [0.9]
    assert state_of(hass, KITCHEN).context is caller


async def test_newcomer_is_no_louder_than_those_that_play(
    hass: HomeAssistant, house: House
) -> None:
    for player, level in ((KITCHEN, 0.3), (HALL, 0.8), (STUDY, 0.9)):
        await set_level(hass, player, level)
    hass.config_entries.async_update_entry(
        house.entries[STUDY], options={"keeps_level": True}
    )
    await hass.config_entries.async_reload(house.entries[STUDY].entry_id)
    await house.play(KITCHEN, "a", 8)

    await house.join(KITCHEN, HALL)
    await house.join(KITCHEN, STUDY)

    assert levels(hass, KITCHEN, HALL, STUDY) == [0.3, 0.3, 0.9]
    hall = house.receivers[HALL]
    assert max(change.volume_db for change in hall.volumes) <= -20.9
    await call(hass, STUDY, "media_stop")


async def test_newcomer_of_unknown_volume_is_capped_too(
    hass: HomeAssistant, house: House
) -> None:
    await set_level(hass, KITCHEN, 0.1)
    await house.play(KITCHEN, "a", 8)

    await house.join(KITCHEN, HALL)

    assert levels(hass, HALL) == [0.1]
    await call(hass, HALL, "media_stop")


async def test_idle_group_changes_no_volume(hass: HomeAssistant, house: House) -> None:
    await set_level(hass, KITCHEN, 0.1)
    await set_level(hass, HALL, 0.8)

    await house.join(KITCHEN, HALL)

    assert levels(hass, KITCHEN, HALL) == [0.1, 0.8]


async def _gone(*_: object, **__: object) -> None:
    raise SenderGoneError("killed")
