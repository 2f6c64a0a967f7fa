"""Passwords and PINs of real receivers, through Home Assistant's flows."""

import asyncio
from pathlib import Path
import secrets
from typing import Any

import pytest

from custom_components.airplay.const import DOMAIN
from custom_components.airplay.raop.auth.credentials import parse_credentials
from custom_components.airplay.raop.auth.pair_verify import verify
from custom_components.airplay.raop.engine.net.connection import Connection
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from tests.ha.flows import answer
from tests.ha.players import play, player_of

from .compare import compare, read_wav
from .conftest import StartShairport
from .home_assistant import heard, play_to_end, played_frames
from .shairport_lab import Shairport
from .songs import make_song

_MEDIA = "media-source://media_source/local/song.wav"


@pytest.fixture
def song(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a song in Home Assistant's local media."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs["local"] = str(folder)
    make_song(folder / "song.wav", 8)
    return folder / "song.wav"


async def found(hass: HomeAssistant, name: str) -> ConfigFlowResult:
    """Wait until a receiver is discovered and return the form of its card."""
    assert await async_setup_component(hass, "zeroconf", {})
    assert await async_setup_component(hass, "media_source", {})
    assert await async_setup_component(hass, DOMAIN, {})
    async with asyncio.timeout(30):
        while True:
            for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN):
                if flow["context"]["title_placeholders"]["name"] == name:
                    return flow
            await asyncio.sleep(0.1)


async def added_by_password(
    hass: HomeAssistant, receiver: Shairport, password: str
) -> ConfigEntry[Any]:
    """Add a receiver with a wrong password and then with the right one."""
    form = await found(hass, receiver.name)
    assert form["step_id"] == "password"
    form = await answer(hass, form, password="9999")
    assert form["errors"] == {"password": "invalid_auth"}
    done = await answer(hass, form, password=password)
    assert done["type"] == "create_entry", done
    await hass.async_block_till_done()
    entry: ConfigEntry[Any] = done["result"]
    return entry


async def plays_whole(
    hass: HomeAssistant, entry: ConfigEntry[Any], receiver: Shairport, song: Path
) -> None:
    """Play a song and check that all of it was played."""
    before = played_frames(receiver)
    await play_to_end(hass, player_of(hass, entry), _MEDIA)
    source = read_wav(song)
    assert compare(source, heard(receiver, before)).is_exact


async def test_password_is_wrong_then_right_then_changed_on_the_receiver(
    hass: HomeAssistant, mdns: None, shairport: StartShairport, song: Path
) -> None:
    receiver = shairport("ap1old", name="Locked", password="secret")
    entry = await added_by_password(hass, receiver, "secret")
    await plays_whole(hass, entry, receiver, song)

    receiver.restart(password="sesame")
    player = player_of(hass, entry)
    for _ in range(2):
        with pytest.raises(HomeAssistantError, match="does not accept the password"):
            await play(hass, player, _MEDIA)
    await hass.async_block_till_done()
    (form,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert form["context"]["source"] == SOURCE_REAUTH
    assert form["step_id"] == "reauth_confirm"
    form = await answer(hass, form, password="secret")
    assert form["errors"] == {"password": "invalid_auth"}
    done = await answer(hass, form, password="sesame")
    assert done["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    await plays_whole(hass, entry, receiver, song)


async def test_airplay_2_receiver_proves_its_password_and_pairs_by_its_pin(
    hass: HomeAssistant, mdns: None, shairport: StartShairport, song: Path
) -> None:
    receiver = shairport("ap2", name="Den", password="1234")
    entry = await added_by_password(hass, receiver, "1234")
    await plays_whole(hass, entry, receiver, song)

    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    form = await answer(
        hass, form, host=receiver.host, port=receiver.port, pair=True, password="1234"
    )
    assert form["step_id"] == "pair", form
    form = await answer(hass, form, code="4321")
    assert form["step_id"] == "pair"
    assert form["errors"] == {"code": "wrong_code"}
    done = await answer(hass, form, code="1234")
    assert done["reason"] == "reconfigure_successful", done
    await hass.async_block_till_done()

    credentials = entry.data["credentials"]
    connection = await Connection.connect(receiver.host, receiver.port)
    steps = verify(parse_credentials(credentials), secrets.token_bytes(32))
    assert await connection.perform(steps)
    connection.close()
    await plays_whole(hass, entry, receiver, song)
