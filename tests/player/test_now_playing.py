"""The metadata for a receiver with a display, and when none is sent."""

from collections.abc import AsyncIterator

from aiohttp.test_utils import TestServer
import pytest

from homeassistant.core import HomeAssistant
from tests.ha.media_server import media_server
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.sound import RATE
from tests.ha.watch import Watch
from tests.virtual_receiver import Quirks, VirtualReceiver


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[TestServer]:
    """Return a server of pictures."""
    async with media_server() as running:
        yield running


async def test_metadata_for_the_display_never_delays_a_pause(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    # It is slow with every request, and reads one after the other.
    kitchen.quirks = Quirks(reply_delay_s={"SET_PARAMETER": 0.3})
    asking = hass.async_create_task(play(hass, player, song, extra={"title": "Song"}))
    await kitchen.wait_for("SET_PARAMETER")

    await call(hass, player, "media_pause")
    await asking

    assert state_of(hass, player).state == "paused"
    methods = [request.method for request in kitchen.requests]
    assert methods[methods.index("SET_PARAMETER") + 1] == "FLUSH"
    await call(hass, player, "media_stop")


async def test_progress_on_the_receiver_follows_a_seek(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    def shown() -> tuple[float, float]:
        """Return position and length in seconds."""
        start, now, end = kitchen.song.progress or (0, 0, 0)
        passed, whole = ((at - start) & 0xFFFFFFFF for at in (now, end))
        return passed / RATE, whole / RATE

    await play(hass, player, song)
    await kitchen.wait_until(lambda: shown()[1] == 4)
    assert shown()[0] < 1

    await call(hass, player, "media_seek", seek_position=2)

    await kitchen.wait_until(lambda: 2 <= shown()[0] < 3)
    await call(hass, player, "media_stop")


@pytest.mark.parametrize(
    ("kinds", "types"),
    [
        ("0", {"application/x-dmap-tagged"}),
        ("1", {"image/jpeg"}),
        ("2", {"text/parameters"}),
        ("3", set()),
    ],
    ids=["text", "pictures", "progress", "nothing"],
)
async def test_receiver_gets_only_the_metadata_that_it_accepts(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    server: TestServer,
    song: str,
    kinds: str,
    types: set[str],
) -> None:
    # It has no feature word either.
    service = entry_for(kitchen).data["raop"]
    txt = {**service["txt"], "md": kinds}
    player = await set_up(hass, entry_for(kitchen, raop={**service, "txt": txt}))
    extra = {"title": "Song", "thumb": str(server.make_url("/cover.png"))}

    await play(hass, player, song, extra=extra)
    watch = Watch(hass, player)
    await watch.until_is("idle")

    told = {request.content_type for request in kitchen.asked("SET_PARAMETER")}
    assert told == types
