"""Playing to a receiver that keeps its own clock, as a HomePod with software 27."""

from pathlib import Path
import socket

import pytest

from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers
from custom_components.airplay.raop.engine.ptp.service import PtpService
from custom_components.airplay.raop.messages import Member
from tests.raop.engine.harness import EAGER, EngineHarness, play
from tests.virtual_receiver.airplay2 import PtpPorts
from tests.virtual_receiver.airplay2.homepod import homepod


def free_ports() -> PtpPortNumbers:
    """Return two UDP ports that are free on this machine."""
    pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for sock in pair:
        sock.bind(("127.0.0.1", 0))
    event, general = (sock.getsockname()[1] for sock in pair)
    for sock in pair:
        sock.close()
    return PtpPortNumbers(event, general)


@pytest.mark.parametrize("has_records", [True, False])
async def test_its_clock_is_followed_and_named(
    harness: EngineHarness, song: Path, pcm: bytes, has_records: bool
) -> None:
    """Also if only its address is known, as its answer to /info has its records."""
    ours = free_ports()
    ports = PtpPorts(0, 0, ours.event, ours.general)
    pod = homepod(ptp=ports, cadence=EAGER)
    await harness.add(pod)
    engine = harness.engine
    engine.ptp = PtpService(
        engine._pacer,
        engine.ptp.clock_id,
        ports=ours,
        receivers=PtpPortNumbers(*pod.ptp_ports),
        local=["127.0.0.1"],
    )
    member = Member(
        receiver=pod.receiver_id.lower(),
        name=pod.name,
        host=pod.host,
        port=pod.port,
        txt=pod.txt if has_records else {},
        airplay_port=pod.port,
        airplay_txt=pod.airplay_txt({}) if has_records else {},
        lane="airplay2-realtime",
    )

    assert await harness.run(play(song, member, lead_ms=None)) is None
    await harness.ended()

    assert pod.heard(pcm).is_complete
    assert pod.violations == []
