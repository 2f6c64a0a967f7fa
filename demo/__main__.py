"""Start Home Assistant with two virtual speakers; --check does the trying itself."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
import signal
import socket
import sys

from .check import check, print_log
from .client import is_up, log_in, until
from .household import PASSWORD, SAMPLE, USER, furnish
from .network import (
    enter_private_network,
    forward,
    listen,
    own_address,
    why_no_private_network,
)
from .progress import CheckError, say, show, step
from .server import HomeAssistantProcess, home_assistant, require_running
from .speakers import VirtualSpeaker, virtual_speakers

_FOLDER = Path(__file__).parents[1] / ".demo"
_UP_S = 120
_INNER_PORT = 8123

_WELCOME = """
  Open      {url}
  Log in    user name: {user}   password: {password}

  1. Go to Settings > Devices & services. {names} are under "Discovered".
  2. Select Add on each, then Submit.
  3. Go to Media > My media > {sample}, and choose the speaker
     to play on at the bottom right.

  What the speakers play is written to:
{files}
  Home Assistant's log: {log}
  Ctrl-C ends everything.

"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything runs, and where a browser finds it."""

    address: str
    host: str
    port: int
    url: str
    is_private: bool
    """Nobody else is on this network."""
    entrance: socket.socket | None
    """Where connections from outside our own network come in."""


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="try everything without a person"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 lets other machines in, too"
    )
    parser.add_argument("--port", type=int, help="default: the first free from 8123")
    parser.add_argument("--sound", action="store_true", help="make the speakers heard")
    parser.add_argument(
        "--keep", action="store_true", help="go on with what was set up the last time"
    )
    parser.add_argument(
        "--private", action="store_true", help="use a network of its own (root)"
    )
    return parser


def choose_place(options: argparse.Namespace) -> Place:
    """Find a network for the speakers and a port for the web page."""
    missing = why_no_private_network()
    address = own_address()
    wants_private = options.private or options.check or address is None
    if (wants_private and missing is None) or options.private:
        return _private_place(options, missing)
    if address is None:
        raise CheckError(
            "this machine has no network with a default route, which the speakers"
            f" need; connect it, or run this with {missing}"
        )
    with listen(options.host, options.port) as entrance:
        port: int = entrance.getsockname()[1]
    return Place(address, options.host, port, _url(options.host, port), False, None)


def _private_place(options: argparse.Namespace, missing: str | None) -> Place:
    if missing is not None:
        raise CheckError(f"a network of its own needs {missing}")
    if options.check:
        address = enter_private_network()
        url = _url("127.0.0.1", _INNER_PORT)
        return Place(address, "127.0.0.1", _INNER_PORT, url, True, None)
    entrance = listen(options.host, options.port)
    url = _url(options.host, entrance.getsockname()[1])
    return Place(enter_private_network(), "127.0.0.1", _INNER_PORT, url, True, entrance)


def _url(host: str, port: int) -> str:
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104


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
            await _wait_until_up(server, f"http://127.0.0.1:{place.port}")
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


async def demonstrate(options: argparse.Namespace, place: Place) -> None:
    """Let a person try it until Ctrl-C."""
    folder = _FOLDER / "home"
    async with house(options, place, folder) as (server, speakers):
        entrance = place.entrance and await forward(place.entrance, place.port)
        files = (f"    {each.name:12} {each.wav}\n" for each in speakers)
        welcome = _WELCOME.format(
            url=place.url,
            user=USER,
            password=PASSWORD,
            names=" and ".join(speaker.name for speaker in speakers),
            sample=SAMPLE.stem,
            files="".join(files),
            log=server.log,
        )
        show(welcome)
        try:
            while True:
                await asyncio.sleep(1)
                await require_running(server)
        finally:
            say("Stop everything ...")
            if entrance:
                entrance.close()


async def check_all(options: argparse.Namespace, place: Place) -> None:
    """Try everything; say where it failed."""
    folder = _FOLDER / "check"
    try:
        async with house(options, place, folder) as (server, speakers):
            await check(server, place.url, speakers)
    except Exception:
        show("The last lines of Home Assistant's log:\n")
        show(print_log(folder / "console.log"))
        raise
    say("Everything works.")


async def run(options: argparse.Namespace, place: Place) -> int:
    """Do it until it is done or a signal comes; return the exit code."""
    work = asyncio.create_task(
        check_all(options, place) if options.check else demonstrate(options, place)
    )
    loop = asyncio.get_running_loop()
    signals: list[int] = []

    def stop(number: int) -> None:
        if not signals:
            work.cancel()
        signals.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    with suppress(asyncio.CancelledError):
        await work
    if not signals:
        return 0
    say("Everything has ended.")
    was_asked = signals[0] == signal.SIGINT and not options.check
    return 0 if was_asked else 128 + signals[0]


def main() -> int:
    """Run the command line."""
    options = arguments().parse_args()
    try:
        return asyncio.run(run(options, choose_place(options)))
    except CheckError as err:
        say(f"Failed: {err}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
