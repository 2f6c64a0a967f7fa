"""A UDP outlet and the ports of its receiver."""

from collections.abc import Iterator

import pytest

from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from custom_components.airplay.raop.session.backlog import Format
from tests.raop.engine.fakes import UdpSink


@pytest.fixture(params=["127.0.0.1", "::1"])
def host(request: pytest.FixtureRequest) -> str:
    """Return an address of either family."""
    return str(request.param)


@pytest.fixture
def sink(host: str) -> Iterator[UdpSink]:
    """Return a receiver's ports."""
    opened = UdpSink(host)
    yield opened
    opened.close()


@pytest.fixture
def outlet(host: str, sink: UdpSink) -> Iterator[UdpOutlet]:
    """Return an outlet that is connected and may send."""
    opened = UdpOutlet(host, host, Format())
    opened.connect(*sink.ports())
    opened.start(100)
    yield opened
    opened.close()
