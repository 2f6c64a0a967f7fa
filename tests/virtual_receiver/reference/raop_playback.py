"""A virtual receiver and the sender written by hand, for tests of the receiver."""

from tests.virtual_receiver import Cadence, Quirks, VirtualReceiver

from .raop_sender import RaopReferenceSender, noise

LEAD_S = 0.15
TOLERANCE_NS = 2_000_000
SOUND = noise(20)
FAST = Cadence(interval_s=0.1, first_interval_s=0.05)


def reference_sender(
    receiver: VirtualReceiver, **changes: object
) -> RaopReferenceSender:
    """Make a sender for a receiver."""
    return RaopReferenceSender(receiver.host, receiver.port, **changes)  # type: ignore[arg-type]


def quirky(**quirks: object) -> VirtualReceiver:
    """Make a receiver with quirks."""
    return VirtualReceiver(cadence=FAST, quirks=Quirks(**quirks))  # type: ignore[arg-type]


def assert_on_time(receiver: VirtualReceiver, announced_ns: int, sound: bytes) -> None:
    """Check that all of a sound was played, beginning when it was announced."""
    heard = receiver.heard(sound)
    assert heard.is_complete, (heard, receiver.stats)
    assert heard.first_frame_ns is not None
    assert abs(heard.first_frame_ns - announced_ns) < TOLERANCE_NS
