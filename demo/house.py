"""Run Home Assistant and two speakers for the demo."""

import argparse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from .client import is_up, log_in, until
from .household import PASSWORD, USER, furnish
from .place import LOOPBACK, Place
from .progress import step
from .server import HomeAssistantProcess, home_assistant, require_running
from .speakers import VirtualSpeaker, virtual_speakers

_UP_S = 120


@asynccontextmanager
async def house(
    options: argparse.Namespace, place: Place, folder: Path
) -> AsyncIterator[tuple[HomeAssistantProcess, list[VirtualSpeaker]]]:
    """Run Home Assistant and the speakers."""
    with step("Prepare Home Assistant's folder"):
        is_new = options.check or not options.keep
        await furnish(folder, place.host, place.port, is_new=is_new)
    async with AsyncExitStack() as running:
        server = await running.enter_async_context(home_assistant(folder))
        with step("Start two virtual speakers"):
            announced = virtual_speakers(
                place.address,
                folder,
                is_alone=place.is_private,
                is_audible=options.sound,
                is_talkative=not options.check,
            )
            speakers = await running.enter_async_context(announced)
        with step("Start Home Assistant"):
            await _wait_until_up(server, f"http://{LOOPBACK}:{place.port}")
        yield server, speakers


async def _wait_until_up(server: HomeAssistantProcess, url: str) -> None:
    async def answers() -> bool:
        await require_running(server)
        return await is_up(url)

    await until("Home Assistant's web page", answers, _UP_S)
    async with log_in(url, USER, PASSWORD) as client:

        async def runs() -> bool:
            await require_running(server)
            return bool((await client.rest("GET", "/api/config"))["state"] == "RUNNING")

        await until("Home Assistant's start", runs, _UP_S)
