"""Which channel of the music a speaker plays."""

import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import (
    async_mock_restore_state_shutdown_restart,
    mock_restore_cache,
)

from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.sound import write_wav
from tests.ha.watch import Watch
from tests.virtual_receiver import VirtualReceiver

CHANNEL = "select.kitchen_channel"


@pytest.fixture
def song_pcm() -> bytes:
    """Return a sound of which no two frames and no two sides are alike."""
    samples = np.random.default_rng(5).integers(-30_000, 30_000, (4 * 44_100, 2))
    return samples.astype("<i2").tobytes()


@pytest.fixture
def song(hass: HomeAssistant, tmp_path, song_pcm: bytes) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Return its media id."""
    hass.config.media_dirs["local"] = str(tmp_path / "media")
    write_wav(tmp_path / "media" / "song.wav", song_pcm)
    return "media-source://media_source/local/song.wav"


async def choose(hass: HomeAssistant, option: str) -> None:
    """Choose a channel."""
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": CHANNEL, "option": option},
        blocking=True,
    )


def side(pcm: bytes, channel: int) -> bytes:
    """Return one side of a sound, on both."""
    frames = np.frombuffer(pcm, "<i2").reshape(-1, 2)
    return np.repeat(frames[:, channel], 2).tobytes()


async def test_speaker_plays_both_sides_by_default(
    hass: HomeAssistant, player: str
) -> None:
    channel = state_of(hass, CHANNEL)

    assert channel.state == "stereo"
    assert channel.attributes["options"] == ["stereo", "left", "right", "mono"]
    assert channel.attributes["friendly_name"] == "Kitchen Channel"
    entry = er.async_get(hass).async_get(CHANNEL)
    assert entry
    assert entry.entity_category is EntityCategory.CONFIG


async def test_other_words_are_refused(hass: HomeAssistant, player: str) -> None:
    with pytest.raises(ServiceValidationError):
        await choose(hass, "both")


async def test_speaker_plays_the_side_that_was_chosen(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    watch = Watch(hass, player)
    await choose(hass, "left")

    await play(hass, player, song)
    await watch.until_is("idle")

    assert kitchen.heard(side(song_pcm, 0)).is_complete


async def test_side_is_changed_while_it_plays(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    playing: Watch,
    song_pcm: bytes,
) -> None:
    await choose(hass, "right")
    await playing.until_is("idle")

    assert kitchen.heard(song_pcm[: 22_050 * 4]).is_complete
    assert kitchen.heard(side(song_pcm[-44_100 * 4 :], 1)).is_complete
    assert kitchen.stats.missing == 0


async def test_channel_may_be_chosen_while_the_receiver_is_away(
    hass: HomeAssistant, away: str
) -> None:
    await choose(hass, "mono")

    assert state_of(hass, CHANNEL).state == "mono"


async def test_channel_outlives_a_restart(hass: HomeAssistant, player: str) -> None:
    await choose(hass, "right")

    data = await async_mock_restore_state_shutdown_restart(hass)

    assert data.last_states[CHANNEL].state.state == "right"


@pytest.mark.parametrize(
    ("kept", "found"),
    [("left", "left"), ("unavailable", "stereo"), ("sideways", "stereo")],
)
async def test_channel_is_restored(
    hass: HomeAssistant, kitchen: VirtualReceiver, kept: str, found: str
) -> None:
    mock_restore_cache(hass, [State(CHANNEL, kept)])

    player = await set_up(hass, entry_for(kitchen))

    assert state_of(hass, CHANNEL).state == found
    await call(hass, player, "media_stop")
