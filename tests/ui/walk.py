"""Log in, add a discovered speaker, play on it, and keep pictures of each step."""

import argparse
import asyncio
from pathlib import Path
import sys
import tempfile

import numpy as np
from playwright.async_api import Page, async_playwright  # type: ignore[import-not-found]

from demo.__main__ import arguments
from demo.house import house
from demo.household import PASSWORD, SAMPLE, USER
from demo.make_sample import compose, encode
from demo.place import choose_place
from demo.progress import CheckError, say, step
from demo.speakers import VirtualSpeaker

_FOLDER = Path(__file__).parents[2] / ".demo/ui"
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)
_PATIENCE_MS = 30_000
_SETTLE_MS = 1500
_STOPPED_S = 10
_REPEATS = 12
_PLAYER = "media_player.kitchen"
_DIALOG = {"x": 258, "y": 38, "width": 584, "height": 590}
_CARDS = {"x": 256, "y": 112, "width": 844, "height": 270}


async def log_in(page: Page, url: str) -> None:
    """Log in through the form, as a new browser would."""
    await page.goto(url)
    await page.locator("input[name=username]").fill(USER)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.get_by_text("Log in", exact=True).click()
    await page.wait_for_url("**/home/**")


async def add_discovered(page: Page, url: str, name: str, picture: Path) -> None:
    """Add a speaker from its card under Settings > Devices & services."""
    await page.goto(f"{url}/config/integrations/dashboard")
    card = page.locator("ha-config-flow-card").filter(has_text=name)
    await card.wait_for()
    await page.wait_for_timeout(_SETTLE_MS)
    await page.screenshot(path=picture, clip=_CARDS)
    await card.get_by_role("button", name="Add").click()
    await page.get_by_text("Submit", exact=True).click()
    await page.get_by_text("Finish").or_(page.get_by_text("Skip and finish")).click()
    await card.wait_for(state="detached")


async def play_sample(page: Page, url: str, entity_id: str, picture: Path) -> None:
    """Open the player's dialog, and in it the media browser; choose the sample."""
    await page.goto(f"{url}/home/overview?more-info-entity-id={entity_id}")
    await page.locator("more-info-media_player").wait_for()
    await page.locator(
        "more-info-media_player ha-button, more-info-media_player ha-icon-button"
    ).last.click()
    # Tooltips hold the same words, unseen.
    for name in ("My media", SAMPLE.name):
        await page.get_by_text(name).locator("visible=true").first.click()
    await (
        page.locator("dialog-media-player-browse")
        .get_by_role("button", name="Close")
        .last.click()
    )
    await page.get_by_text(SAMPLE.stem, exact=True).locator("visible=true").wait_for()
    # Removes the focus, and with it the tooltip, from the button.
    await page.get_by_text(SAMPLE.stem, exact=True).locator("visible=true").click()
    await page.wait_for_timeout(2 * _SETTLE_MS)
    await page.screenshot(path=picture, clip=_DIALOG)


async def walk(page: Page, url: str, speaker: VirtualSpeaker, pictures: Path) -> None:
    """Go through all steps once."""
    with step("Log in"):
        await log_in(page, url)
    with step(f"Add {speaker.name}"):
        await add_discovered(page, url, speaker.name, pictures / "discovered.png")
    with step(f"Play {SAMPLE.name} from the media browser"):
        await play_sample(page, url, _PLAYER, pictures / "player.png")
    with step("Stop"):
        await page.get_by_role("button", name="Stop").click()
        await speaker.receiver.wait_idle(_STOPPED_S)
        if not any(speaker.written_since(0)):
            raise CheckError(f"{speaker.name} has played nothing but silence")


async def run(options: argparse.Namespace) -> None:
    """Start the demo and a browser, and walk."""
    ours = arguments().parse_args(["--check"])
    place = choose_place(ours)
    options.pictures.mkdir(parents=True, exist_ok=True)
    async with (
        house(ours, place, _FOLDER) as (_server, speakers),
        async_playwright() as playwright,
    ):
        # Long enough for a slow machine to load its picture.
        encode(np.tile(compose(), _REPEATS), _FOLDER / "media" / SAMPLE.name)
        with tempfile.TemporaryDirectory() as profile:
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=options.chromium,
                headless=True,
                args=_FLAGS,
                viewport={"width": 1100, "height": 720},
            )
            context.set_default_timeout(_PATIENCE_MS)
            page = context.pages[0]
            try:
                await walk(page, place.url, speakers[0], options.pictures)
            except Exception:
                await page.screenshot(path=_FOLDER / "failed.png")
                say(f"What it looked like: {_FOLDER / 'failed.png'}")
                raise
            finally:
                await context.close()


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="scripts/ui_walk", description=__doc__)
    parser.add_argument("--chromium", required=True, help="the browser's program")
    parser.add_argument("--pictures", type=Path, default=_FOLDER.parent / "pictures")
    try:
        asyncio.run(run(parser.parse_args()))
    except CheckError as err:
        say(f"Failed: {err}")
        return 1
    say("Everything works.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
