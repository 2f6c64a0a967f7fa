"""The command line: find receivers, play on them, diagnose them, serve Home Assistant.

Each command imports what it needs: most of a start is the time of imports.
"""

import argparse
from collections.abc import Callable
from contextlib import suppress
import os
import re
import sys

from .errors import (
    AuthenticationError,
    MediaError,
    RaopError,
    ReceiverBusyError,
    ReceiverSilentError,
    ReceiverUnreachableError,
    UdpPortsTakenError,
)
from .receiver_lanes import AIRPLAY2, AIRPLAY2_NTP, LaneKind
from .udp_ports import PortRange, needed_ports

_EXIT_CODES: tuple[tuple[type[RaopError], int], ...] = (
    (ReceiverUnreachableError, 3),
    (AuthenticationError, 4),
    (ReceiverBusyError, 5),
    (MediaError, 6),
    (ReceiverSilentError, 7),
    (UdpPortsTakenError, 8),
    (RaopError, 1),
)
_INTERRUPTED = 130
_DEFAULT_PORT = 5000
_ENDPOINT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>\d+))?")


def run(arguments: list[str]) -> int:
    """Parse the arguments, run the command, and return its exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except RaopError as err:
        from .program.report import say_error

        say_error(err, as_json=getattr(options, "json", False))
        return next(code for kind, code in _EXIT_CODES if isinstance(err, kind))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raop", description=__doc__)
    commands = parser.add_subparsers(required=True)
    scan = commands.add_parser("scan", help="list the receivers on this network")
    scan.add_argument("--seconds", type=float, default=3)
    scan.add_argument("--interface", action="append", help="address of this machine")
    scan.add_argument(
        "--json", action="store_true", help="print one JSON object per receiver"
    )
    scan.set_defaults(command=_scan)
    play = commands.add_parser("play", help="play files or URLs without gaps")
    play.add_argument("media", metavar="FILE", nargs="+")
    play.add_argument(
        "--receiver",
        action="append",
        required=True,
        metavar="HOST:PORT",
        type=_endpoint,
    )
    play.add_argument("--volume", type=_percent, metavar="PCT")
    play.add_argument("--start-at", type=float, metavar="UNIX_SECONDS")
    play.add_argument("--depth-ms", type=int, default=1000)
    play.add_argument("--lead-ms", type=int)
    _add_access(play)
    play.add_argument(
        "--json", action="store_true", help="print one JSON object per event"
    )
    play.set_defaults(command=_play)
    doctor = commands.add_parser("doctor", help="find out why a receiver is silent")
    doctor.add_argument("receiver", metavar="HOST:PORT", nargs="+", type=_endpoint)
    doctor.add_argument(
        "--each", action="store_true", help="try each method, which takes longer"
    )
    _add_access(doctor)
    doctor.add_argument(
        "--json", action="store_true", help="print one JSON object per receiver"
    )
    doctor.set_defaults(command=_examine, volume=None)
    serve = commands.add_parser("serve", help="run commands from standard input")
    serve.set_defaults(command=_serve)
    return parser


def _add_access(command: argparse.ArgumentParser) -> None:
    """Add what a receiver requires, and how it is played to."""
    command.add_argument("--password")
    command.add_argument(
        "--txt", action="append", default=[], type=_pair, metavar="KEY=VALUE"
    )
    command.add_argument("--lane", choices=[*LaneKind, AIRPLAY2, AIRPLAY2_NTP])
    command.add_argument("--credentials", help="pairing keys as pyatv prints them")
    command.add_argument(
        "--udp-ports",
        metavar="A-B",
        type=_port_range,
        help="open UDP ports of this range only",
    )


def _serve(_options: argparse.Namespace) -> int:
    import asyncio

    from .engine.net.port_pool import limit_udp_ports
    from .engine.process import serve
    from .program.identity import identity_from_environment

    if ports := os.environ.get("AIRPLAY_UDP_PORTS"):
        limit_udp_ports(PortRange.parse(ports))
    asyncio.run(serve(identity_from_environment()))
    return 0


def _scan(options: argparse.Namespace) -> int:
    import asyncio

    from .scan import json_line, scan, text_line

    found = asyncio.run(scan(options.seconds, options.interface))
    for receiver in found:
        line = json_line(receiver) if options.json else text_line(receiver)
        sys.stdout.write(line + "\n")
    if not found and not options.json:
        sys.stdout.write("No receivers answered.\n")
    return 0


def _examine(options: argparse.Namespace) -> int:
    import asyncio

    from .program.doctor import examine

    return asyncio.run(examine(options))


def _play(options: argparse.Namespace) -> int:
    from .audio.prepared import PreparedProcess

    # First of all: what decodes takes as long to start as all the rest.
    prepared = None
    with suppress(OSError):
        prepared = PreparedProcess.start()
    try:
        import asyncio

        from .program.play import play

        is_whole = asyncio.run(play(options, prepared))
    finally:
        if prepared:
            prepared.close()
    return 0 if is_whole else _INTERRUPTED


def _endpoint(text: str) -> tuple[str, int]:
    match = _ENDPOINT.fullmatch(text)
    port = int(match["port"] or _DEFAULT_PORT) if match else 0
    if match is None or not 0 < port < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return match["v6"] or match["host"], port


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _port_range(text: str) -> PortRange:
    try:
        ports = PortRange.parse(text)
    except ValueError as err:
        raise argparse.ArgumentTypeError(str(err)) from err
    if ports.size < needed_ports(1):
        raise argparse.ArgumentTypeError(
            f"{text!r} has fewer than {needed_ports(1)} ports"
        )
    return ports


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 100")
    return value
