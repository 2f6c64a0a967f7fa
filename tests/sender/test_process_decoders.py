"""The decoder processes of a sender end with it."""

import asyncio
from contextlib import suppress

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.media_server import mp3
from tests.ha.players import call, play
from tests.ha.processes import decoder_pids, is_alive, prepared_pids, sender_pids
from tests.raop.audio.web_server import WebServer, whole


@pytest.mark.started
@pytest.mark.usefixtures("kitchen")
async def test_a_sender_that_ends_while_media_is_opened_leaves_no_process(
    hass: HomeAssistant, player: str
) -> None:
    web = WebServer()
    address = web.serve("/song.mp3", lambda exchange: exchange.hold())
    playing = hass.async_create_task(play(hass, player, address))
    await hass.async_add_executor_job(web.wait_for_requests, 1)
    ours = [*sender_pids(), *prepared_pids(), *decoder_pids()]
    assert len(ours) == 3

    [entry] = hass.config_entries.async_entries("airplay")
    await hass.config_entries.async_unload(entry.entry_id)
    with suppress(HomeAssistantError):
        await playing

    async with asyncio.timeout(10):
        while any(map(is_alive, ours)):
            await asyncio.sleep(0.01)
    await hass.config_entries.async_setup(entry.entry_id)
    other = web.serve("/other.mp3", whole(mp3(4), "audio/mpeg"))
    await play(hass, player, other)
    await call(hass, player, "media_stop")
    web.close()
