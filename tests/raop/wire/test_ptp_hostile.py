"""PTP messages of strangers: any bytes give a value or the module's own error, soon."""

from collections.abc import Callable
import sys
from types import FrameType
from typing import Any

import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.session.ptp import Peer
from custom_components.airplay.raop.session.ptp_readiness import Habit
from custom_components.airplay.raop.wire.ptp import (
    MAX_BYTES,
    Header,
    MessageKind,
    PortIdentity,
    PtpAnnounce,
    PtpFollowUp,
    PtpSync,
)
from custom_components.airplay.raop.wire.ptp_requests import (
    DelayRequest,
    DelayResponse,
    UnicastRequest,
)

POD = PortIdentity(0xAABBCCFFFEDDEEFF, 1)
START = 1_700_000_000_000_000_000
TARGET = bytes(10)
EMPTY_ITEM, WISH = bytes.fromhex("00010000"), bytes.fromhex("00040006b0000000012c")

type Parse = Callable[[bytes], object]
PARSERS: dict[str, Parse] = {
    "header": Header.parse,
    "announce": PtpAnnounce.parse,
    "sync": PtpSync.parse,
    "follow_up": PtpFollowUp.parse,
    "delay_request": DelayRequest.parse,
    "delay_response": DelayResponse.parse,
    "unicast": UnicastRequest.parse,
    "leading": lambda message: Peer(1, Habit.FOLLOWS, START).receive(message, START),
    "following": lambda message: Peer(1, Habit.LEADS, START).receive(message, START),
}
BODIES = {
    "zeros": bytes(1),
    "ones": b"\xff",
    "items": EMPTY_ITEM,
    "wishes": WISH,
    "long item": bytes.fromhex("0004ffff"),
}


def is_refused(parse: Parse, message: bytes) -> bool:
    """Return whether a message is refused; any other error is raised."""
    try:
        parse(message)
    except ReceiverProtocolError:
        return True
    return False


def filled(kind: MessageKind, fill: bytes, size: int) -> bytes:
    """Return a message of a size whose body, after a target, is a repeated part."""
    body = TARGET + fill * (size // len(fill) + 1)
    return Header(kind, POD, 1).build(body[: size - Header.SIZE])


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("kind", MessageKind)
def test_a_message_of_any_length_is_parsed_or_refused(
    name: str, kind: MessageKind
) -> None:
    parse, outcomes = PARSERS[name], set()
    for fill in BODIES.values():
        for size in range(Header.SIZE, MAX_BYTES + 1):
            message = filled(kind, fill, size)
            outcomes.add(is_refused(parse, message))
            # Its length says more, or less, than came.
            assert is_refused(parse, message[:-1])
            assert is_refused(parse, message[:2] + bytes((0, 33)) + message[4:])
    for size in range(Header.SIZE):
        assert is_refused(parse, filled(kind, b"\0", Header.SIZE)[:size])

    assert outcomes


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("kind", MessageKind)
def test_more_than_the_longest_message_is_refused(name: str, kind: MessageKind) -> None:
    for size in (MAX_BYTES + 1, 0xFFFF):
        assert is_refused(PARSERS[name], filled(kind, b"\0", size))


def steps(parse: Parse, message: bytes) -> int:
    """Return the number of lines and calls that a message costs."""
    count = 0

    def trace(_frame: FrameType, _event: str, _value: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        is_refused(parse, message)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("fill", BODIES)
def test_work_grows_linearly_and_ends_with_the_longest_message(
    name: str, fill: str
) -> None:
    parse, part = PARSERS[name], BODIES[fill]
    for kind in MessageKind:
        costs = {
            size: steps(parse, filled(kind, part, size))
            for size in (64, 128, 256, MAX_BYTES)
        }
        longest = filled(kind, part, MAX_BYTES)
        longer = [steps(parse, longest + bytes(1 << power)) for power in range(9, 21)]

        assert all(cost <= 200 + 6 * size for size, cost in costs.items())
        assert max(longer) <= 1.5 * costs[MAX_BYTES]
