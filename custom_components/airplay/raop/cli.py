"""The command line: find receivers, play a file on them, serve Home Assistant."""

import argparse
import asyncio
from collections.abc import Callable
import json
import os
import re
import secrets
import signal
import sys
import time

from .engine.engine import Engine
from .engine.probe import probe
from .errors import (
    AuthenticationError,
    MediaError,
    RaopError,
    ReceiverBusyError,
    ReceiverSilentError,
    ReceiverUnreachableError,
    error_for,
)
from .messages import (
    Event,
    Identity,
    Media,
    MediaChanged,
    Member,
    MemberChanged,
    Play,
    Progress,
    Started,
    StreamChanged,
)
from .receiver import Lane

_EXIT_CODES: tuple[tuple[type[RaopError], int], ...] = (
    (ReceiverUnreachableError, 3),
    (AuthenticationError, 4),
    (ReceiverBusyError, 5),
    (MediaError, 6),
    (ReceiverSilentError, 7),
    (RaopError, 1),
)
_INTERRUPTED = 130
_DEFAULT_PORT = 5000
_STREAM = "command-line"
_BAR = 30
_ENDPOINT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>\d+))?")


def run(arguments: list[str]) -> int:
    """Parse the arguments and do what they ask; return the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except RaopError as err:
        _say_error(err, as_json=getattr(options, "json", False))
        return next(code for kind, code in _EXIT_CODES if isinstance(err, kind))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raop", description=__doc__)
    commands = parser.add_subparsers(required=True)
    scan = commands.add_parser("scan", help="list the receivers on this network")
    scan.add_argument("--seconds", type=float, default=3)
    scan.add_argument("--interface", action="append", help="an address of this machine")
    scan.add_argument("--json", action="store_true", help="one JSON object a receiver")
    scan.set_defaults(command=_scan)
    play = commands.add_parser("play", help="play a file or URL")
    play.add_argument("media", metavar="FILE")
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
    play.add_argument("--lead-ms", type=int, default=700)
    play.add_argument("--lane", choices=[lane.value for lane in Lane])
    play.add_argument("--json", action="store_true", help="one JSON object an event")
    play.set_defaults(command=_play)
    serve = commands.add_parser("serve", help="take commands on standard input")
    serve.set_defaults(command=_serve)
    return parser


def identity_from_environment() -> Identity:
    """Return who we are, as the owner of the process says."""
    given = os.environ.get("AIRPLAY_DACP_ID", "")
    fresh = f"{secrets.randbelow(15) + 1:X}{secrets.token_hex(8).upper()[1:]}"
    return Identity(
        dacp_id=given or fresh,
        client_name=os.environ.get("AIRPLAY_CLIENT_NAME") or "Home Assistant",
    )


def _serve(_options: argparse.Namespace) -> int:
    from .engine.process import serve

    asyncio.run(serve(identity_from_environment()))
    return 0


def _scan(options: argparse.Namespace) -> int:
    from .scan import scan

    found = asyncio.run(scan(options.seconds, options.interface))
    for receiver in found:
        if options.json:
            row = {
                "id": receiver.id,
                "name": receiver.name,
                "host": receiver.host,
                "port": receiver.port,
                "model": receiver.model,
                "password": receiver.needs_password,
                "obstacle": receiver.obstacle,
                "txt": dict(receiver.raop.txt) if receiver.raop else {},
            }
            sys.stdout.write(json.dumps(row) + "\n")
        else:
            notes = [
                receiver.model or "",
                "password" if receiver.needs_password else "",
            ]
            notes.append(
                f"cannot play: {receiver.obstacle}" if receiver.obstacle else ""
            )
            where = f"{receiver.host}:{receiver.port}"
            words = "  ".join(note for note in notes if note)
            sys.stdout.write(f"{receiver.name:24} {where:28} {words}\n")
    if not found and not options.json:
        sys.stdout.write("No receivers answered.\n")
    return 0


def _play(options: argparse.Namespace) -> int:
    return asyncio.run(_play_until_end(options))


async def _play_until_end(options: argparse.Namespace) -> int:
    members = await _members(options)
    report = _Report(as_json=options.json)
    engine = Engine(identity_from_environment(), report.take)
    engine.start()
    command = Play(
        stream=_STREAM,
        members=tuple(members),
        media=Media(url=options.media, name=options.media),
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
    """Return the receivers; one of which nothing is known is asked first."""
    txt = dict(options.txt)
    if not txt:
        await asyncio.gather(
            *(
                probe(host, port, password=options.password)
                for host, port in options.receiver
            )
        )
    return [_member(options, host, port, txt) for host, port in options.receiver]


def _member(
    options: argparse.Namespace, host: str, port: int, txt: dict[str, str]
) -> Member:
    return Member(
        receiver=f"{host}:{port}",
        name=f"{host}:{port}",
        host=host,
        port=port,
        txt=txt,
        password=options.password,
        lane=options.lane,
        volume=options.volume,
    )


class _Report:
    """Tells a person or a program what happens."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._is_terminal = sys.stderr.isatty()
        self._duration_ms: int | None = None
        self._resent = 0
        self._end: asyncio.Future[StreamChanged] = asyncio.Future()

    def take(self, event: Event) -> None:
        """Take an event of the engine."""
        match event:
            case MemberChanged():
                self._tell(event.state, receiver=event.receiver, text=event.text)
            case MediaChanged():
                self._duration_ms = event.duration_ms
                self._tell("media", title=event.tags.title, artist=event.tags.artist)
            case Started():
                self._tell(
                    "started", at=event.at, first_packet_at=event.first_packet_at
                )
            case Progress():
                self._progress(event)
            case StreamChanged(state="ended"):
                if not self._end.done():
                    self._end.set_result(event)
            case StreamChanged():
                self._tell(event.state, position_ms=event.position_ms, at=event.at)

    async def until_ended(self, playing: asyncio.Task[None]) -> None:
        """Wait until everything was heard; raise what ended it before."""
        await playing
        end = await self._end
        if end.reason == "failed":
            raise error_for(end.code or "", end.text)
        self._tell("ended", reason=end.reason, resent=self._resent)

    def finish(self) -> None:
        """Leave the progress bar's line."""
        if self._is_terminal and not self._as_json:
            sys.stderr.write("\n")

    def _progress(self, event: Progress) -> None:
        resent = sum(member.resent for member in event.members)
        if resent != self._resent:
            self._resent = resent
            self._tell("resends", total=resent)
        if self._as_json:
            self._tell(
                "progress",
                position_ms=event.position_ms,
                at=event.at,
                silence_ms=event.silence_ms,
                worst_lateness_us=event.worst_lateness_us,
                packets=[member.packets for member in event.members],
                timing_replies=[member.timing_replies for member in event.members],
            )
        elif self._is_terminal:
            self._draw(event.position_ms)

    def _draw(self, position_ms: int) -> None:
        seconds = position_ms // 1000
        text = f"{seconds // 60}:{seconds % 60:02}"
        if self._duration_ms:
            done = min(_BAR, _BAR * position_ms // self._duration_ms)
            total = self._duration_ms // 1000
            bar = "#" * done + "-" * (_BAR - done)
            text = f"[{bar}] {text} / {total // 60}:{total % 60:02}"
        sys.stderr.write(f"\r{text} ")
        sys.stderr.flush()

    def _tell(self, event: str, **facts: object) -> None:
        known = {key: value for key, value in facts.items() if value not in (None, "")}
        if self._as_json:
            line = json.dumps({"event": event, "time": time.time(), **known})
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        elif not self._is_terminal or event not in ("progress", "resends"):
            words = " ".join(f"{key}={value}" for key, value in known.items())
            sys.stderr.write(f"{event} {words}\n")


def _say_error(err: RaopError, *, as_json: bool) -> None:
    if as_json:
        line = {
            "event": "error",
            "time": time.time(),
            "code": err.code,
            "text": str(err),
        }
        sys.stdout.write(json.dumps(line) + "\n")
    else:
        sys.stderr.write(f"{err}\n")


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


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 100")
    return value
