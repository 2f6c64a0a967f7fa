"""Start Home Assistant with two virtual speakers; --check runs an automatic test."""

import argparse
import asyncio
from contextlib import suppress
from pathlib import Path
import signal
import sys

from .check import check, print_log
from .house import house
from .household import PASSWORD, SAMPLE, USER
from .network import forward
from .place import Place, choose_place
from .progress import CheckError, say, show
from .server import require_running

_FOLDER = Path(__file__).parents[1] / ".demo"

_WELCOME = """
  Open      {url}
  Log in    user name: {user}   password: {password}

  1. Go to Settings > Devices & services. {names} are under "Discovered".
  2. Select Add on each, then Submit.
  3. Go to Media, choose a speaker at the bottom right (labeled "Web browser"),
     then My media > {sample}.

  The speakers write their output to:
{files}
  Home Assistant's log: {log}
  Press Ctrl-C to stop everything.

"""


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="test everything automatically"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 also admits other machines"
    )
    parser.add_argument("--port", type=int, help="default: the first free from 8123")
    parser.add_argument("--sound", action="store_true", help="play the output aloud")
    parser.add_argument(
        "--keep", action="store_true", help="keep the setup of the last run"
    )
    parser.add_argument(
        "--private", action="store_true", help="use a private network (root)"
    )
    return parser


async def demonstrate(options: argparse.Namespace, place: Place) -> None:
    """Run the demo until Ctrl-C."""
    folder = _FOLDER / "home"
    async with house(options, place, folder) as (server, speakers):
        entrance = place.entrance and await forward(place.entrance, place.port)
        files = (f"    {each.name:12} {each.wav}\n" for each in speakers)
        welcome = _WELCOME.format(
            url=place.url,
            user=USER,
            password=PASSWORD,
            names=" and ".join(speaker.name for speaker in speakers),
            sample=SAMPLE.name,
            files="".join(files),
            log=server.log,
        )
        show(welcome)
        try:
            while True:
                await asyncio.sleep(1)
                await require_running(server)
        finally:
            say("Stopping everything ...")
            if entrance:
                entrance.close()


async def check_all(options: argparse.Namespace, place: Place) -> None:
    """Run the check; print the log if it fails."""
    folder = _FOLDER / "check"
    try:
        async with house(options, place, folder) as (server, speakers):
            await check(server, place.url, speakers)
    except Exception:
        show("Last lines of Home Assistant's log:\n")
        show(print_log(folder / "console.log"))
        raise
    say("All checks passed.")


async def run(options: argparse.Namespace, place: Place) -> int:
    """Run until the end or a signal; return the exit code."""
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
    say("Stopped.")
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
