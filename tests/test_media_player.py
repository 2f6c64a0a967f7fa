"""The player, through Home Assistant's actions and states, with the real sender."""

from homeassistant.core import HomeAssistant

from tests.ha_common import Watch, call, play, state_of
from tests.virtual_receiver import VirtualReceiver


async def test_song_is_heard_as_it_is(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
) -> None:
    watch = Watch(hass, player)

    await play(hass, player, song)

    state = await watch.until_is("playing")
    assert state.attributes["media_content_id"] == song
    assert state.attributes["media_duration"] == 6
    assert state.attributes["media_position"] == 0
    await watch.until_is("idle")
    assert watch.names == ["idle", "buffering", "playing", "idle"]
    assert kitchen.heard(song_pcm).is_complete
    assert not kitchen.violations
    assert not kitchen.has_session
    assert "media_content_id" not in state_of(hass, player).attributes


async def test_stop_frees_the_receiver(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)

    await call(hass, player, "media_stop")

    assert state_of(hass, player).state == "idle"
    assert not kitchen.has_session
