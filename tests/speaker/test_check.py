"""Checks of speakers, by the action and by the button."""

import socket
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.airplay.const import DOMAIN
from custom_components.airplay.raop.diagnosis import DiagnosisCode
from custom_components.airplay.raop.session.doctor.advice import SENTENCES
from custom_components.airplay.speaker.check import WORKING
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import (
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.translation import async_get_translations
from tests.ha.players import entry_for, play, player_of, set_up, state_of
from tests.virtual_receiver import Quirks, VirtualReceiver

BUTTON = "button.kitchen_check_the_connection"


async def check(
    hass: HomeAssistant, *players: str, context: Context | None = None, **data: Any
) -> dict[str, Any]:
    """Run the action; return its response."""
    response = await hass.services.async_call(
        DOMAIN,
        "diagnose",
        {"entity_id": list(players), **data},
        blocking=True,
        return_response=True,
        context=context,
    )
    assert response is not None
    return response


async def press(hass: HomeAssistant) -> None:
    """Press the button."""
    await hass.services.async_call(
        "button", "press", {"entity_id": BUTTON}, blocking=True
    )


async def test_a_speaker_that_works_returns_its_figures(
    hass: HomeAssistant, player: str, kitchen: VirtualReceiver
) -> None:
    response = await check(hass, player)

    found = response[player]
    assert found["code"] == "ok"
    assert found["sentence"] == (
        "Kitchen accepts audio and shows that it plays: there is nothing to do."
    )
    [receiver] = found["receivers"]
    [way] = receiver["ways"]
    assert way["link"]["packets"] > 400
    assert receiver["doors"][0]["state"] == "open"
    assert not kitchen.has_session


async def test_music_plays_on_while_its_speaker_is_checked(
    hass: HomeAssistant, player: str, song: str, kitchen: VirtualReceiver
) -> None:
    await play(hass, player, song)
    sessions = len(kitchen.asked("ANNOUNCE"))

    response = await check(hass, player)

    assert response[player]["receivers"][0]["is_running"]
    assert len(kitchen.asked("ANNOUNCE")) == sessions


async def test_a_speaker_that_is_not_there_is_checked_although_it_is_not_loaded(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        receiver = VirtualReceiver("Kitchen", port=gone.getsockname()[1])
        entry = entry_for(receiver)
        async with VirtualReceiver("Kitchen") as there:
            await set_up(hass, known := entry_for(there))
            player = player_of(hass, known)
            await hass.config_entries.async_unload(known.entry_id)
        hass.config_entries.async_update_entry(known, data=entry.data)
        await hass.config_entries.async_setup(known.entry_id)
        assert known.state is ConfigEntryState.SETUP_RETRY

        response = await check(hass, player)

    found = response[player]
    assert found["code"] == "port_closed"
    assert found["sentence"].startswith("A device answers at the address of Kitchen")


async def test_several_speakers_are_checked_at_the_same_time(
    hass: HomeAssistant, player: str, socket_enabled: None
) -> None:
    quirks = Quirks(refuse={"ANNOUNCE": 500})
    async with VirtualReceiver("Den", receiver_id="0A0B0C0D0E77", quirks=quirks) as den:
        entry = entry_for(den)
        other = await set_up(hass, entry)

        response = await check(hass, player, other)

        await hass.config_entries.async_unload(entry.entry_id)
    assert {name: each["code"] for name, each in response.items()} == {
        player: "ok",
        other: "refused",
    }
    assert response[other]["detail"] == "ANNOUNCE 500"


async def test_each_method_is_tried_if_asked(hass: HomeAssistant, player: str) -> None:
    response = await check(hass, player, each_method=True)

    assert response[player]["code"] == "ok"


async def test_nothing_to_check_is_an_error(hass: HomeAssistant, player: str) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await check(hass, "media_player.nobody")

    assert caught.value.translation_key == "diagnose_what"


async def test_who_may_not_control_a_speaker_may_not_check_it(
    hass: HomeAssistant, player: str, hass_read_only_user: MockUser
) -> None:
    with pytest.raises(Unauthorized):
        await check(hass, player, context=Context(user_id=hass_read_only_user.id))


async def test_a_check_that_play_interrupts_is_an_error(
    hass: HomeAssistant, player: str, song: str, kitchen: VirtualReceiver
) -> None:
    checking = hass.async_create_task(check(hass, player))
    await kitchen.wait_until(lambda: bool(kitchen.asked("RECORD")), 10)

    await play(hass, player, song)

    with pytest.raises(HomeAssistantError) as caught:
        await checking
    assert caught.value.translation_key == "diagnosis_interrupted"
    assert state_of(hass, player).state == "playing"


async def test_the_button_shows_each_step_and_the_result(
    hass: HomeAssistant, player: str
) -> None:
    assert state_of(hass, BUTTON).attributes["code"] is None
    steps: list[str | None] = []

    @callback
    def on_change(event: Event[EventStateChangedData]) -> None:
        if shown := event.data["new_state"]:
            steps.append(shown.attributes.get("step"))

    async_track_state_change_event(hass, BUTTON, on_change)

    await press(hass)
    await hass.async_block_till_done()

    assert [each for each in dict.fromkeys(steps) if each] == [
        "resolve",
        "connect",
        "session",
    ]
    shown = state_of(hass, BUTTON).attributes
    assert (shown["code"], shown["step"]) == ("ok", None)
    assert shown["sentence"].startswith("Kitchen accepts audio")


async def test_the_button_raises_what_is_wrong(
    hass: HomeAssistant, player: str, kitchen: VirtualReceiver
) -> None:
    await kitchen.stop()

    with pytest.raises(HomeAssistantError) as caught:
        await press(hass)

    assert caught.value.translation_key == "diagnosis_port_closed"
    assert state_of(hass, BUTTON).attributes["code"] == "port_closed"
    assert state_of(hass, BUTTON).state != "unavailable"


async def test_each_cause_has_the_same_sentence_in_home_assistant(
    hass: HomeAssistant, player: str
) -> None:
    shown = await async_get_translations(hass, "en", "exceptions", [DOMAIN])

    for code in set(DiagnosisCode) - {*WORKING}:
        key = f"component.airplay.exceptions.diagnosis_{code}.message"
        assert shown[key] == SENTENCES[code]
