"""The command line: find receivers, play a file on them, serve Home Assistant."""

import argparse
import asyncio
from collections.abc import Callable
import os
import re
import secrets
import signal
import sys

from .engine.engine import Engine
from .engine.net.port_pool import limit_udp_ports
from .engine.net.probe import informed, probe
from .errors import (
    AuthenticationError,
    MediaError,
    RaopError,
    ReceiverBusyError,
    ReceiverSilentError,
    ReceiverUnreachableError,
    UdpPortsTakenError,
)
from .messages import (
    Event,
    Identity,
    Media,
    Member,
    NextFailed,
    NextTaken,
    Play,
    Queue,
    Started,
)
from .receiver import Receiver
from .receiver_identity import merge
from .receiver_lanes import AIRPLAY2, AIRPLAY2_NTP, LaneKind
from .receiver_records import Service
from .report import Report, say_error
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
_STREAM = "command-line"
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
    play.add_argument("--password")
    play.add_argument("--volume", type=_percent, metavar="PCT")
    play.add_argument(
        "--txt", action="append", default=[], type=_pair, metavar="KEY=VALUE"
    )
    play.add_argument("--start-at", type=float, metavar="UNIX_SECONDS")
    play.add_argument("--depth-ms", type=int, default=1000)
    play.add_argument("--lead-ms", type=int)
    play.add_argument("--lane", choices=[*LaneKind, AIRPLAY2, AIRPLAY2_NTP])
    play.add_argument("--credentials", help="pairing keys as pyatv prints them")
    play.add_argument(
        "--udp-ports",
        metavar="A-B",
        type=_port_range,
        help="open UDP ports of this range only",
    )
    play.add_argument(
        "--json", action="store_true", help="print one JSON object per event"
    )
    play.set_defaults(command=_play)
    serve = commands.add_parser("serve", help="run commands from standard input")
    serve.set_defaults(command=_serve)
    return parser


def identity_from_environment() -> Identity:
    """Return our identity from the environment that the owner of the process set."""
    given = os.environ.get("AIRPLAY_DACP_ID", "")
    fresh = f"{secrets.randbelow(15) + 1:X}{secrets.token_hex(8).upper()[1:]}"
    port = os.environ.get("AIRPLAY_DACP_PORT", "")
    is_port = port.isdecimal() and len(port) < 6 and int(port) < 1 << 16
    return Identity(
        dacp_id=given or fresh,
        client_name=os.environ.get("AIRPLAY_CLIENT_NAME") or "Home Assistant",
        dacp_port=int(port) if is_port else 0,
    )


def _serve(_options: argparse.Namespace) -> int:
    from .engine.process import serve

    if ports := os.environ.get("AIRPLAY_UDP_PORTS"):
        limit_udp_ports(PortRange.parse(ports))
    asyncio.run(serve(identity_from_environment()))
    return 0


def _scan(options: argparse.Namespace) -> int:
    from .scan import json_line, scan, text_line

    found = asyncio.run(scan(options.seconds, options.interface))
    for receiver in found:
        line = json_line(receiver) if options.json else text_line(receiver)
        sys.stdout.write(line + "\n")
    if not found and not options.json:
        sys.stdout.write("No receivers answered.\n")
    return 0


def _play(options: argparse.Namespace) -> int:
    limit_udp_ports(options.udp_ports)
    return asyncio.run(_play_until_end(options))


async def _play_until_end(options: argparse.Namespace) -> int:
    members = await _members(options)
    report = Report(as_json=options.json)
    first, *others = (Media(url=each, name=each) for each in options.media)

    def take(event: Event) -> None:
        report.handle_event(event)
        if isinstance(event, (Started, NextTaken, NextFailed)) and others:
            engine.submit(0, Queue(stream=_STREAM, media=others.pop(0)))

    engine = Engine(identity_from_environment(), take)
    engine.start()
    command = Play(
        stream=_STREAM,
        members=tuple(members),
        media=first,
        depth_ms=options.depth_ms,
        lead_ms=options.lead_ms,
        start_at=options.start_at,
    )
    playing = asyncio.create_task(engine.run(command))
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    stopper = asyncio.create_task(interrupted.wait())
    try:
        ended = asyncio.create_task(report.until_ended(playing))
        await asyncio.wait([ended, stopper], return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            ended.cancel()
            playing.cancel()
            return _INTERRUPTED
        ended.result()
        return 0
    finally:
        stopper.cancel()
        await engine.close()
        report.finish()


async def _members(options: argparse.Namespace) -> list[Member]:
    """Return the receivers with the records that are given, or that they report."""
    found = (_receiver(options, host, port) for host, port in options.receiver)
    return [_member(options, receiver) for receiver in await asyncio.gather(*found)]


async def _receiver(options: argparse.Namespace, host: str, port: int) -> Receiver:
    """Return a receiver; ask it and probe it first if no TXT record is given."""
    given = dict(options.txt)
    receiver = merge(Service(f"{host}:{port}", host, port, given), None)
    if given:
        return receiver
    if options.lane != LaneKind.RAOP:
        receiver = await informed(receiver)
    if options.lane in (None, LaneKind.RAOP):
        await probe(
            receiver, password=options.password, credentials=options.credentials
        )
    return receiver


def _member(options: argparse.Namespace, receiver: Receiver) -> Member:
    raop, airplay = receiver.raop, receiver.airplay
    return Member(
        receiver=receiver.name,
        name=receiver.name,
        host=receiver.host,
        port=receiver.port,
        txt=dict(raop.txt) if raop else {},
        airplay_port=airplay.port if airplay else None,
        airplay_txt=dict(airplay.txt) if airplay else {},
        password=options.password,
        credentials=options.credentials,
        # The password is for those of the receivers that ask for one.
        is_bound=False,
        lane=options.lane,
        volume=options.volume,
    )


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
