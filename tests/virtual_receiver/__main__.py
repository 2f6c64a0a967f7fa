"""Run virtual receivers by hand: python -m tests.virtual_receiver --name Kitchen."""

import argparse
import asyncio
from collections.abc import Mapping
from ipaddress import ip_address
import json
from pathlib import Path
import signal
import sys
from typing import Any

from tests.virtual_receiver.network.mdns import Advertisement
from tests.virtual_receiver.playback.audio_output import Speaker

from .airplay2 import AirPlay2Receiver, PtpPorts
from .clock import realtime_ns
from .pairing import Gate
from .quirks import parse_quirks
from .receiver import VirtualReceiver


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.virtual_receiver",
        description="An AirPlay receiver that plays into a file.",
    )
    parser.add_argument("--name", default="Virtual")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 for any free one")
    parser.add_argument("--id", default="0A0B0C0D0E01", help="12 hex digits")
    parser.add_argument("--password")
    parser.add_argument("--wav", type=Path, help="file for what is played")
    parser.add_argument("--play", action="store_true", help="make it audible")
    parser.add_argument("--json", action="store_true", help="one line per event")
    parser.add_argument("--txt", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--quirk", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--mdns", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument(
        "--airplay", action="store_true", default=None, help="also _airplay._tcp"
    )
    parser.add_argument("--airplay2", action="store_true", help="speak AirPlay 2")
    parser.add_argument("--code", metavar="PIN", help="of AirPlay 2: pair by a code")
    parser.add_argument(
        "--ptp",
        metavar="EVENT,GENERAL",
        type=parse_ports,
        default=PtpPorts(),
        help="other UDP ports than 319 and 320, with senders on any port",
    )
    parser.add_argument(
        "--interface",
        action="append",
        metavar="ADDRESS",
        help="announce on the interface with this address only",
    )
    return parser


def parse_ports(text: str) -> PtpPorts:
    """Read the two PTP ports."""
    event, general = (int(word) for word in text.split(","))
    return PtpPorts(event, general, None, None)


def build(options: argparse.Namespace) -> VirtualReceiver:
    """Make the requested receiver."""
    kind: type[VirtualReceiver] = VirtualReceiver
    more: dict[str, Any] = {}
    if options.airplay2:
        kind, more = AirPlay2Receiver, {"ptp": options.ptp}
        if options.code is not None:
            more["gate"] = Gate("home_kit", options.code)
    return kind(
        options.name,
        host=options.host,
        port=options.port,
        receiver_id=options.id.upper(),
        password=options.password,
        wav=options.wav,
        quirks=parse_quirks(options.quirk),
        txt=dict(pair.partition("=")[::2] for pair in options.txt),
        record=False,
        **more,
    )


def print_event(event: str, details: Mapping[str, object]) -> None:
    """Write one event as a line of JSON."""
    line = {"event": event, "at_s": realtime_ns() / 1e9, **details}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def run(options: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    receiver = build(options)
    if options.json:
        receiver.subscribe(print_event)
    speaker = await Speaker.open() if options.play else None
    if speaker is not None:
        receiver.recording.subscribe(lambda packet: speaker.play(packet.sound))
    is_unspecified = ip_address(options.host).is_unspecified
    async with receiver:
        advertisement = Advertisement(
            receiver,
            interfaces=options.interface,
            addresses=options.interface if is_unspecified else None,
            airplay=options.airplay,
        )
        if options.mdns:
            await advertisement.announce()
        announce_ready(receiver, options, is_audible=speaker is not None)
        await stopped.wait()
        await advertisement.withdraw()
    if speaker is not None:
        await speaker.close()


def announce_ready(
    receiver: VirtualReceiver, options: argparse.Namespace, *, is_audible: bool
) -> None:
    """Print one line that senders may connect."""
    if options.json:
        ready: dict[str, object] = {
            "name": receiver.name,
            "host": receiver.host,
            "port": receiver.port,
        }
        if isinstance(receiver, AirPlay2Receiver):
            ready["ptp"] = receiver.ptp_ports
        print_event("ready", ready)
        return
    target = options.wav or ("the sound card" if is_audible else "nowhere")
    sys.stdout.write(
        f"{receiver.name} listens on {receiver.host} port {receiver.port}"
        f" and plays to {target}\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Read the command line and run."""
    parser = arguments()
    options = parser.parse_args()
    if options.code is not None and not options.airplay2:
        parser.error("--code belongs to --airplay2")
    if options.mdns and not options.interface and options.host in ("0.0.0.0", "::"):
        parser.error("--host must be one address, or tell --interface")
    asyncio.run(run(options))


if __name__ == "__main__":
    main()
