"""Home Assistant with real receivers: found by real mDNS, with their recordings."""

import asyncio

from custom_components.airplay.const import DOMAIN
from homeassistant.config_entries import SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.ha.players import play, player_of, state_of
from tests.ha.watch import Watch

from .compare import Frames, read_pcm
from .shairport_lab import Shairport

PASSWORD = "secret"


async def add_discovered(hass: HomeAssistant, names: set[str]) -> dict[str, str]:
    """Wait until the receivers are discovered, add them, return their players."""
    assert await async_setup_component(hass, "zeroconf", {})
    assert await async_setup_component(hass, DOMAIN, {})
    players: dict[str, str] = {}
    async with asyncio.timeout(30):
        while names - players.keys():
            for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN):
                name = flow["context"]["title_placeholders"]["name"]
                if flow["context"]["source"] == SOURCE_ZEROCONF and name in names:
                    asked = flow["step_id"] == "password"
                    answer = {"password": PASSWORD} if asked else {}
                    players[name] = await _add(hass, flow["flow_id"], answer)
            await asyncio.sleep(0.1)
    return players


async def _add(hass: HomeAssistant, flow_id: str, answer: dict[str, str]) -> str:
    result = await hass.config_entries.flow.async_configure(flow_id, answer)
    assert result["type"] == "create_entry", result
    await hass.async_block_till_done()
    return player_of(hass, result["result"])


async def play_to_end(hass: HomeAssistant, player: str, media: str) -> None:
    """Play something and wait until it is over."""
    watch = Watch(hass, player)
    await play(hass, player, media)
    assert state_of(hass, player).state == "playing"
    await watch.until(lambda state: state.state == "idle", timeout_s=90)


def heard(receiver: Shairport, since: int) -> Frames:
    """Return the sound of a receiver after a place in its recording."""
    return read_pcm(receiver.pcm_path)[since:]


def played_frames(receiver: Shairport) -> int:
    """Return how much a receiver has played until now."""
    path = receiver.pcm_path
    return path.stat().st_size // 4 if path.exists() else 0
