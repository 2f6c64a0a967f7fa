"""A receiver of AirPlay 2 and a sender written by hand, as tests need them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.virtual_receiver.airplay2.ptp_sockets import PtpPorts
from tests.virtual_receiver.airplay2.receiver import AirPlay2Receiver
from tests.virtual_receiver.quirks import Quirks
from tests.virtual_receiver.raop.timing import Cadence

from .airplay2_clock import CLOCK_ID, ReferenceClock
from .airplay2_sender import AirPlay2ReferenceSender
from .raop_sender import NS_PER_S, noise, now_ns

LEAD_NS = 150_000_000
TOLERANCE_NS = 2_000_000
SOUND = noise(20)
MORE = noise(20, seed=2)
SETTLE_S = 0.05
OFFSET_NS = 7 * NS_PER_S


def receiver(*, more: Quirks | None = None, **details: object) -> AirPlay2Receiver:
    """Make a receiver whose clock settles soon."""
    return AirPlay2Receiver(
        "Kitchen",
        quirks=more or quirks(),
        ptp=PtpPorts(0, 0, None, None),
        cadence=Cadence(interval_s=0.1, first_interval_s=0.05),
        **details,  # type: ignore[arg-type]
    )


def quirks(**changes: object) -> Quirks:
    """Return quirks of a receiver whose clock settles soon."""
    return Quirks(**{"ptp_settle_s": SETTLE_S, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def playing(
    kitchen: AirPlay2Receiver, kind: int = 96, *, offset_ns: int = 0
) -> AsyncIterator[AirPlay2ReferenceSender]:
    """Connect a sender whose clock is known."""
    async with AirPlay2ReferenceSender(kitchen.host, kitchen.port) as sender:
        sender.clock = ReferenceClock(
            kitchen.host, kitchen.ptp_ports, offset_ns=offset_ns
        )
        await sender.begin(kind)
        sender.clock.start()
        await kitchen.wait_until(lambda: knows_clock(kitchen))
        yield sender


def knows_clock(kitchen: AirPlay2Receiver) -> bool:
    """Return whether a receiver plays by the sender's clock."""
    return kitchen.ptp.knows(CLOCK_ID, kitchen.clock.from_monotonic(now_ns()))


def assert_on_time(kitchen: AirPlay2Receiver, heard_ns: int, sound: bytes) -> None:
    """Check that all of a sound was played, beginning when it was announced."""
    heard = kitchen.heard(sound)
    assert heard.is_complete, (heard, kitchen.stats, kitchen.violations)
    assert heard.first_frame_ns is not None
    assert abs(heard.first_frame_ns - heard_ns) < TOLERANCE_NS
