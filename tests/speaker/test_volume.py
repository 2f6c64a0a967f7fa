"""The maximum and the first volume of a speaker."""

import pytest
from pytest_homeassistant_custom_component.common import (
    async_mock_restore_state_shutdown_restart,
)

from homeassistant.core import HomeAssistant
from tests.ha.numbers import MAXIMUM, choose, first_sound_ns, loudest, remember
from tests.ha.players import call, entry_for, level_db, level_of, play, set_up, state_of
from tests.virtual_receiver import Quirks, VirtualReceiver


@pytest.mark.parametrize(
    ("kept", "found"), [(30, 30), (None, 100), (5, 10), (200, 100)]
)
async def test_maximum_is_restored_within_its_range(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    kept: float | None,
    found: float,
) -> None:
    remember(hass, {MAXIMUM: kept}, 0.9)

    player = await set_up(hass, entry_for(kitchen))

    assert float(state_of(hass, MAXIMUM).state) == found
    assert level_of(hass, player) == min(0.9, found / 100)


async def test_restored_volume_above_the_maximum_never_reaches_the_receiver(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    kitchen.volume_db = 0.0
    remember(hass, {MAXIMUM: 30}, 0.9)
    player = await set_up(hass, entry_for(kitchen))

    await play(hass, player, song)

    assert kitchen.volume_db == pytest.approx(level_db(30))
    assert loudest(kitchen) <= level_db(30)
    await call(hass, player, "media_stop")


async def test_lower_maximum_lowers_the_present_volume(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await call(hass, player, "volume_set", volume_level=0.6)
    await play(hass, player, song)

    await choose(hass, MAXIMUM, 40)

    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(level_db(40)))
    assert level_of(hass, player) == 0.4
    await choose(hass, MAXIMUM, 100)
    assert level_of(hass, player) == 0.4
    assert kitchen.volume_db == pytest.approx(level_db(40))
    await call(hass, player, "media_stop")


async def test_lower_maximum_leaves_a_muted_speaker_muted(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await call(hass, player, "volume_set", volume_level=0.6)
    await play(hass, player, song)
    await call(hass, player, "volume_mute", is_volume_muted=True)
    await kitchen.wait_until(lambda: kitchen.volume_db == -144)
    kitchen.volumes.clear()

    await choose(hass, MAXIMUM, 40)
    await kitchen.wait_until(lambda: bool(kitchen.volumes))
    assert kitchen.volume_db == -144
    await call(hass, player, "volume_mute", is_volume_muted=False)

    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(level_db(40)))
    assert loudest(kitchen) == level_db(40)
    await call(hass, player, "media_stop")


async def test_higher_maximum_sends_nothing(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await call(hass, player, "volume_set", volume_level=0.3)
    await play(hass, player, song)
    # Once at the start, and once more when it plays.
    await kitchen.wait_until(lambda: len(kitchen.volumes) == 2)
    kitchen.volumes.clear()

    await choose(hass, MAXIMUM, 80)
    await call(hass, player, "media_stop")

    assert not kitchen.volumes


@pytest.mark.parametrize("is_playing", [False, True])
async def test_volume_above_the_maximum_is_capped(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    *,
    is_playing: bool,
) -> None:
    await choose(hass, MAXIMUM, 50)
    if is_playing:
        await play(hass, player, song)

    await call(hass, player, "volume_set", volume_level=0.9)
    assert level_of(hass, player) == 0.5
    await call(hass, player, "volume_set", volume_level=0.47)
    await call(hass, player, "volume_up")
    assert level_of(hass, player) == 0.5
    await call(hass, player, "volume_up")
    assert level_of(hass, player) == 0.5
    if not is_playing:
        await play(hass, player, song)

    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(level_db(50)))
    assert loudest(kitchen) == level_db(50)
    await call(hass, player, "media_stop")


async def test_maximum_holds_while_the_receiver_is_being_connected(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await call(hass, player, "volume_set", volume_level=0.8)
    kitchen.quirks = Quirks(setup_delay_s=0.5)
    asking = hass.async_create_task(play(hass, player, song))
    await kitchen.wait_for("ANNOUNCE")

    await choose(hass, MAXIMUM, 25)
    await asking

    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(level_db(25)))
    assert loudest(kitchen) == level_db(25)
    await call(hass, player, "media_stop")


async def test_volume_is_that_of_the_receiver_until_it_is_set(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen.volume_db = level_db(35)
    assert level_of(hass, player) == 0.2

    await play(hass, player, song)

    assert level_of(hass, player) == 0.35
    assert not kitchen.volumes
    await call(hass, player, "volume_up")
    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(level_db(40)))
    await call(hass, player, "media_stop")


async def test_volume_above_the_maximum_is_lowered_before_playback(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen.volume_db = 0.0
    await choose(hass, MAXIMUM, 45)

    await play(hass, player, song)

    assert level_of(hass, player) == 0.45
    assert kitchen.volume_db == pytest.approx(level_db(45))
    assert kitchen.volumes[0].at_ns < first_sound_ns(kitchen)
    await call(hass, player, "media_stop")


@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(refuse={"GET_PARAMETER": 501}),
        Quirks(unanswered=frozenset({"GET_PARAMETER"})),
    ],
    ids=["refused", "unanswered"],
)
async def test_receiver_with_an_unknown_volume_gets_a_low_one(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    quirks: Quirks,
) -> None:
    kitchen.quirks = quirks
    kitchen.volume_db = 0.0

    await play(hass, player, song)

    assert level_of(hass, player) == 0.2
    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(level_db(20)))
    assert kitchen.volumes[0].at_ns < first_sound_ns(kitchen)
    await call(hass, player, "media_stop")


async def test_found_volume_is_kept_and_a_guess_is_not(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    data = await async_mock_restore_state_shutdown_restart(hass)
    extra = data.last_states[player].extra_data
    assert extra
    assert extra.as_dict()["volume"] is None

    kitchen.volume_db = level_db(35)
    await play(hass, player, song)
    await call(hass, player, "media_stop")

    data = await async_mock_restore_state_shutdown_restart(hass)
    extra = data.last_states[player].extra_data
    assert extra
    assert extra.as_dict()["volume"] == 0.35


async def test_guess_from_before_a_restart_is_no_volume(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    kitchen.volume_db = level_db(35)
    remember(hass, {}, None)
    player = await set_up(hass, entry_for(kitchen))

    await play(hass, player, song)

    assert level_of(hass, player) == 0.35
    await call(hass, player, "media_stop")


async def test_volume_set_while_the_receiver_reports_its_own_wins(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen.volume_db = level_db(60)
    kitchen.quirks = Quirks(reply_delay_s={"GET_PARAMETER": 0.5})
    asking = hass.async_create_task(play(hass, player, song))
    await kitchen.wait_for("GET_PARAMETER")

    await call(hass, player, "volume_set", volume_level=0.1)
    await asking

    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(level_db(10)))
    assert level_of(hass, player) == 0.1
    assert loudest(kitchen) == level_db(10)
    await call(hass, player, "media_stop")
