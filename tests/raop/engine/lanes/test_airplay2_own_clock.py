"""Playing to a receiver that keeps its own clock, as a HomePod with software 27."""

from pathlib import Path
import socket

import pytest

from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers
from custom_components.airplay.raop.engine.ptp.service import PtpService
from custom_components.airplay.raop.messages import Member
from tests.raop.engine.harness import EAGER, EngineHarness, play
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts, txt

MODEL = "AudioAccessory5,1"
HOMEPOD = {"osvers": "27.0", "igl": "1"}


def free_ports() -> PtpPortNumbers:
    """Return two UDP ports that are free on this machine."""
    pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for sock in pair:
        sock.bind(("127.0.0.1", 0))
    event, general = (sock.getsockname()[1] for sock in pair)
    for sock in pair:
        sock.close()
    return PtpPortNumbers(event, general)


async def test_its_clock_is_followed_and_named(
    harness: EngineHarness, song: Path, pcm: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(txt, "MODEL", MODEL)
    ours = free_ports()
    ports = PtpPorts(0, 0, ours.event, ours.general)
    quirks = Quirks(keeps_own_clock=True)
    pod = AirPlay2Receiver("Pod", ptp=ports, cadence=EAGER, quirks=quirks)
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
        txt=pod.txt,
        airplay_port=pod.port,
        airplay_txt=pod.airplay_txt({}) | HOMEPOD,
        lane="airplay2-realtime",
    )

    assert await harness.run(play(song, member, lead_ms=None)) is None
    await harness.ended()

    assert pod.heard(pcm).is_complete
    assert pod.violations == []
