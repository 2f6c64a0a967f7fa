"""Plays files on receivers, for the command line."""

import argparse
import asyncio
from importlib import import_module
import signal

from ..audio.prepared import PreparedProcess
from ..engine.net.port_pool import limit_udp_ports
from ..engine.net.probe import informed, probe
from ..messages import Event, Media, Member, NextFailed, NextTaken, Play, Queue, Started
from ..receiver import Receiver
from ..receiver_identity import merge
from ..receiver_lanes import LaneKind
from ..receiver_records import Service
from .identity import identity_from_environment
from .report import Report

_STREAM = "command-line"


async def play(options: argparse.Namespace, prepared: PreparedProcess | None) -> bool:
    """Play to the end; return False if a signal ended it earlier.

    `prepared` is the process that opens the media, if it was started before.

    Raises RaopError: it cannot be played.
    """
    limit_udp_ports(options.udp_ports)
    # The rest of the program is read from disk while receivers answer.
    reading = asyncio.to_thread(import_module, "..engine.engine", __package__)
    members, _ = await asyncio.gather(members_of(options), reading)
    from ..audio.decoder_pool import DecoderPool
    from ..engine.engine import Engine

    report = Report(as_json=options.json)
    first, *others = (Media(url=each, name=each) for each in options.media)

    def take(event: Event) -> None:
        report.handle_event(event)
        if isinstance(event, (Started, NextTaken, NextFailed)) and others:
            engine.submit(0, Queue(stream=_STREAM, media=others.pop(0)))

    engine = Engine(identity_from_environment(), take, DecoderPool(prepared))
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
            return False
        ended.result()
        return True
    finally:
        stopper.cancel()
        await engine.close()
        report.finish()


async def members_of(options: argparse.Namespace) -> list[Member]:
    """Return the receivers with the records that are given, or that they report."""
    found = (_receiver(options, host, port) for host, port in options.receiver)
    return [member_of(options, receiver) for receiver in await asyncio.gather(*found)]


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


def member_of(options: argparse.Namespace, receiver: Receiver) -> Member:
    """Return a receiver with the secrets and settings of the arguments."""
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
