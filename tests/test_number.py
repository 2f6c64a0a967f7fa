"""Settings that may change while a speaker plays: crossfade and delay."""

from itertools import pairwise

import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import (
    async_mock_restore_state_shutdown_restart,
)

from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from tests.ha.numbers import CROSSFADE, DELAY, MAXIMUM, PLAYER, choose, remember
from tests.ha.players import call, entry_for, level_of, play, set_up, state_of
from tests.ha.sound import RATE
from tests.ha.watch import Watch
from tests.virtual_receiver import VirtualReceiver

FRAME_BYTES = 4


async def test_speaker_has_three_numbers(hass: HomeAssistant, player: str) -> None:
    crossfade, maximum = state_of(hass, CROSSFADE), state_of(hass, MAXIMUM)
    delay = state_of(hass, DELAY)

    assert float(crossfade.state) == 0
    assert (crossfade.attributes["min"], crossfade.attributes["max"]) == (0, 12)
    assert crossfade.attributes["step"] == 0.5
    assert crossfade.attributes["unit_of_measurement"] == "s"
    assert crossfade.attributes["friendly_name"] == "Kitchen Crossfade"
    assert float(maximum.state) == 100
    assert (maximum.attributes["min"], maximum.attributes["max"]) == (10, 100)
    assert maximum.attributes["step"] == 1
    assert maximum.attributes["unit_of_measurement"] == "%"
    assert maximum.attributes["friendly_name"] == "Kitchen Maximum volume"
    assert float(delay.state) == 0
    assert (delay.attributes["min"], delay.attributes["max"]) == (-2000, 2000)
    assert (delay.attributes["step"], delay.attributes["mode"]) == (1, "box")
    assert delay.attributes["unit_of_measurement"] == "ms"
    assert delay.attributes["friendly_name"] == "Kitchen Delay"
    registry = er.async_get(hass)
    entries = [registry.async_get(each) for each in (CROSSFADE, MAXIMUM, DELAY, player)]
    assert [each.entity_category for each in entries if each] == [
        EntityCategory.CONFIG,
        EntityCategory.CONFIG,
        EntityCategory.CONFIG,
        None,
    ]
    assert len({each.device_id for each in entries if each}) == 1


async def test_number_out_of_range_is_refused(hass: HomeAssistant, player: str) -> None:
    for entity_id, value in (
        (CROSSFADE, 12.5),
        (CROSSFADE, -1),
        (MAXIMUM, 9),
        (MAXIMUM, 101),
        (DELAY, -2001),
        (DELAY, 2001),
    ):
        with pytest.raises(ServiceValidationError, match=f"{value}"):
            await choose(hass, entity_id, value)


async def test_numbers_go_and_come_with_the_entry(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    entry = entry_for(kitchen)
    await set_up(hass, entry)
    await choose(hass, CROSSFADE, 3.5)
    await choose(hass, MAXIMUM, 15)
    await choose(hass, DELAY, -250)

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert state_of(hass, MAXIMUM).state == "unavailable"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    assert float(state_of(hass, CROSSFADE).state) == 3.5
    assert float(state_of(hass, MAXIMUM).state) == 15
    assert float(state_of(hass, DELAY).state) == -250
    assert level_of(hass, PLAYER) == 0.15


async def test_numbers_may_be_chosen_while_the_receiver_is_away(
    hass: HomeAssistant, away: str
) -> None:
    await choose(hass, MAXIMUM, 40)
    await choose(hass, DELAY, 120)

    assert float(state_of(hass, MAXIMUM).state) == 40
    assert float(state_of(hass, DELAY).state) == 120


async def test_numbers_outlive_a_restart(hass: HomeAssistant, player: str) -> None:
    await choose(hass, CROSSFADE, 2.5)
    await choose(hass, MAXIMUM, 60)
    await choose(hass, DELAY, -35)

    data = await async_mock_restore_state_shutdown_restart(hass)

    for entity_id, value in ((CROSSFADE, 2.5), (MAXIMUM, 60), (DELAY, -35)):
        extra = data.last_states[entity_id].extra_data
        assert extra
        assert extra.as_dict()["native_value"] == value


@pytest.mark.parametrize(("kept", "found"), [(-300, -300), (None, 0), (9000, 2000)])
async def test_delay_is_restored_within_its_range(
    hass: HomeAssistant, kitchen: VirtualReceiver, kept: float | None, found: float
) -> None:
    remember(hass, {DELAY: kept}, 0.5)

    await set_up(hass, entry_for(kitchen))

    assert float(state_of(hass, DELAY).state) == found


def moves_ms(receiver: VirtualReceiver) -> list[int]:
    """Return by how much later than on its line each break was followed by sound."""
    breaks = []
    for before, after in pairwise(receiver.play_times().items()):
        frames = (after[0] - before[0]) & 0xFFFFFFFF
        moved_ns = after[1] - before[1] - frames * 1_000_000_000 // RATE
        if abs(moved_ns) > 20_000_000:
            breaks.append(round(moved_ns / 1_000_000))
    return breaks


@pytest.mark.parametrize("delay_ms", [180, -180])
async def test_delay_moves_that_speaker_at_once_and_no_other(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    locked: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
    delay_ms: int,
) -> None:
    bedroom = await set_up(hass, entry_for(locked, password="secret"))
    await call(hass, bedroom, "join", group_members=[player])
    await play(hass, bedroom, song)
    watch = Watch(hass, bedroom)
    for receiver in (kitchen, locked):
        await receiver.wait_playing()

    await choose(hass, DELAY, delay_ms)
    await watch.until_is("idle")

    (moved,) = moves_ms(kitchen)
    assert moved == pytest.approx(delay_ms, abs=3)
    assert moves_ms(locked) == []
    assert locked.heard(song_pcm).is_complete


async def test_delay_chosen_before_applies_from_the_first_sound(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    await choose(hass, DELAY, -700)
    watch = Watch(hass, player)

    await play(hass, player, song)
    await watch.until_is("idle")

    assert kitchen.heard(song_pcm).is_complete
    heard_ns = kitchen.heard(song_pcm).first_frame_unix_ns
    started = next(state for state in watch.states if state.state == "playing")
    assert heard_ns is not None
    early_s = started.last_changed_timestamp - heard_ns / 1e9
    assert early_s == pytest.approx(0.7, abs=0.2)


@pytest.mark.parametrize("is_early", [True, False])
async def test_songs_of_the_queue_overlap_by_the_crossfade(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
    *,
    is_early: bool,
) -> None:
    watch = Watch(hass, player)
    if is_early:
        await choose(hass, CROSSFADE, 1.5)
    await play(hass, player, song)
    await choose(hass, CROSSFADE, 1.5)
    await play(hass, player, song, enqueue="add")

    await watch.until_is("idle")
    await kitchen.drain()

    alone = len(song_pcm) - round(1.5 * RATE) * FRAME_BYTES
    assert kitchen.heard(song_pcm[:alone]).is_complete
    sounding = np.count_nonzero(np.frombuffer(kitchen.pcm, "<u4"))
    assert sounding / RATE == pytest.approx(8 - 1.5, abs=0.1)
