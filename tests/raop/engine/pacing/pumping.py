"""What tests of outlets do again and again."""

from custom_components.airplay.raop.engine.pacing.udp_outlet import UdpOutlet
from tests.raop.engine.fakes import MS, FakePackets, UdpSink
from tests.raop.vectors import octets

BURST_NS = 1_600_000
SECOND_NS = 1000 * MS


def sequence(datagram: bytes) -> int:
    """Return the sequence number of a packet."""
    return int.from_bytes(datagram[2:4])


def pump_all(outlet: UdpOutlet, packets: FakePackets, now_ns: int = 0) -> int:
    """Pump until nothing is due for 5 ms; return the time."""
    while (due_ns := outlet.pump(now_ns, packets)) < now_ns + 5 * MS:
        now_ns = max(due_ns, now_ns)
    return now_ns


def ask_time(sink: UdpSink, outlet: UdpOutlet) -> bytes:
    """Have a receiver ask an outlet for the time; return the request."""
    request = octets("timing_request")
    host = sink.timing.getsockname()[0]
    sink.timing.sendto(request, (host, outlet.timing_port))
    return request
