"""Diagnoses receivers, for the command line."""

import argparse
from collections.abc import Iterable
from dataclasses import asdict
import json
import sys

from ..diagnosis import (
    Diagnosed,
    DiagnosisCode as Code,
    DiagnosisProgress,
    DoorFinding,
    LinkFinding,
    WayFinding,
)
from ..engine.engine import Engine
from ..engine.net.port_pool import limit_udp_ports
from ..engine.net.probe import informed
from ..errors import ReceiverUnreachableError
from ..messages import Diagnose, Event
from ..receiver import Receiver
from ..receiver_identity import merge
from ..receiver_lanes import LaneKind
from ..receiver_records import Service
from .identity import identity_from_environment
from .play import member_of
from .printable import printable

# The exit codes of `cli`, by verdicts; all others are 1.
_EXIT_CODES: dict[int, tuple[Code, ...]] = {
    0: (Code.OK, Code.UNCONFIRMED, Code.ONE_WAY),
    3: (
        Code.NAME_UNKNOWN,
        Code.NO_ROUTE,
        Code.OFFLINE,
        Code.TCP_BLOCKED,
        Code.PORT_CLOSED,
        Code.MUTE,
        Code.SLOW,
        Code.HANGS_UP,
    ),
    4: (
        Code.PASSWORD_REQUIRED,
        Code.WRONG_PASSWORD,
        Code.NEEDS_PAIRING,
        Code.PAIRING_LOST,
        Code.LOCKED,
        Code.UNLOCKED,
        Code.HOME_ONLY,
    ),
    5: (Code.IN_USE,),
    7: (
        Code.PTP_BLOCKED,
        Code.UDP_BLOCKED,
        Code.UDP_PORT_CLOSED,
        Code.OTHER_ADDRESS,
        Code.SILENT,
    ),
    8: (
        Code.PTP_PORTS_TAKEN,
        Code.PTP_NOT_PERMITTED,
        Code.PTP_UNAVAILABLE,
        Code.UDP_PORTS_TAKEN,
        Code.SEND_BLOCKED,
    ),
}
_LABEL = 16


async def examine(options: argparse.Namespace) -> int:
    """Diagnose each receiver, one after the other; return the exit code.

    It is that of the first receiver that does not work. Audio is never sent to two at a
    time, so that each has the whole network.
    """
    limit_udp_ports(options.udp_ports)
    report = _DoctorReport(as_json=options.json)
    engine = Engine(identity_from_environment(), report.handle_event)
    engine.start()
    try:
        for host, port in options.receiver:
            member = member_of(options, await _found(options, host, port))
            name = f"{host}:{port}"
            await engine.run(
                Diagnose(diagnosis=name, member=member, tries_each=options.each)
            )
    finally:
        await engine.close()
    codes = (exit_code(each) for each in report.verdicts)
    return next((code for code in codes if code), 0)


def exit_code(verdict: Code) -> int:
    """Return the exit code for a verdict, as `raop play` has it for that cause."""
    return next((code for code, those in _EXIT_CODES.items() if verdict in those), 1)


async def _found(options: argparse.Namespace, host: str, port: int) -> Receiver:
    """Return a receiver with the records that are given, or that it reports."""
    given = dict(options.txt)
    receiver = merge(Service(f"{host}:{port}", host, port, given), None)
    if given or options.lane == LaneKind.RAOP:
        return receiver
    try:
        return await informed(receiver)
    except ReceiverUnreachableError:
        # The doctor finds out why.
        return receiver


class _DoctorReport:
    """Prints what the doctor finds, as a table or as JSON, one line per receiver."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._is_terminal = sys.stderr.isatty()
        self.verdicts: list[Code] = []

    def handle_event(self, event: Event) -> None:
        """Print an event of the engine."""
        match event:
            case DiagnosisProgress() if self._is_terminal and not self._as_json:
                words = " ".join(each for each in (event.step, event.way) if each)
                sys.stderr.write(f"\r\x1b[K{words} ...")
                sys.stderr.flush()
            case Diagnosed():
                self._end_progress()
                self.verdicts.append(event.code)
                self._tell(event)

    def _end_progress(self) -> None:
        if self._is_terminal and not self._as_json:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _tell(self, found: Diagnosed) -> None:
        if self._as_json:
            sys.stdout.write(json.dumps(asdict(found)) + "\n")
        else:
            sys.stdout.write("".join(f"{line}\n" for line in table(found)))
        sys.stdout.flush()


def table(found: Diagnosed) -> list[str]:
    """Return the lines about one receiver; nothing in them controls a terminal."""
    findings = found.findings
    rows: list[tuple[str, str]] = [
        ("name", f"{each.name}: {', '.join(each.addresses) or 'unknown'}")
        for each in findings.names
    ]
    rows += [("port", _door(each)) for each in findings.doors]
    facts = (findings.manufacturer, findings.model, findings.firmware)
    if known := " ".join(each for each in facts if each):
        rows.append(("receiver", known))
    for way in findings.ways:
        rows.append(("way", f"{way.way}: {_outcome(way)}"))
        rows += _figures(way.link) if way.link else []
    rows += [
        ("took", f"{found.took_s:.1f} s"),
        (found.code.value, found.sentence),
    ]
    head = printable(findings.name)
    return [head, *(f"  {label:{_LABEL}} {printable(text)}" for label, text in rows)]


def _door(door: DoorFinding) -> str:
    host = f"[{door.address}]" if ":" in door.address else door.address
    took = "" if door.connect_ms is None else f", {door.connect_ms:g} ms"
    return f"{host}:{door.port} {door.state}{took}"


def _outcome(way: WayFinding) -> str:
    failure = way.failure
    if failure is None:
        return "unconfirmed" if way.link and way.link.is_unconfirmed else "plays"
    about = " ".join(
        each for each in (failure.request, str(failure.status or "")) if each
    )
    return f"{failure.code}{f' ({about})' if about else ''}"


def _figures(link: LinkFinding) -> Iterable[tuple[str, str]]:
    yield "  packets", f"{link.packets}, {link.lost} lost ({link.lost_percent:.1f} %)"
    if link.gaps:
        yield "  gaps", f"{link.gaps}, {link.gaps_noticed} noticed"
    if link.round_trip_ms is not None:
        jitter_ms = link.round_trip_jitter_ms or 0.0
        repeats = f", {link.tcp_repeats} repeats" if link.tcp_repeats else ""
        yield "  round trip", f"{link.round_trip_ms} ms ± {jitter_ms} ms{repeats}"
    if link.answer_ms is not None:
        yield "  answer", f"{link.answer_ms} ms"
    if link.ptp_messages is not None:
        yield "  PTP", f"{link.ptp_messages} messages, {link.ptp_probes} requests"
    else:
        yield "  time requests", str(link.timing_requests)
    if link.clock_offset_ms is not None:
        spread_ms = (link.clock_spread_us or 0) / 1000
        yield "  clock", f"{link.clock_offset_ms} ms, spread {spread_ms} ms"
    yield "  margin", f"{link.margin_ms} ms"
    yield "  UDP from", ", ".join(link.udp_from) or "nowhere"
    if link.strangers:
        yield "  strangers", ", ".join(link.strangers)
    if link.refusal:
        yield "  not sent", link.refusal
