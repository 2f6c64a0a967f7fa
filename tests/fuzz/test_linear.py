"""The work of each parser grows with the length of its input, and not faster."""

from collections.abc import Callable
import gc
import re
import time

import pytest

from .parsers import PARSERS, Parser
from .shapes import BINARY_LISTS, SHAPES

SIZES = tuple(1 << bits for bits in (14, 16, 18, 20))
# Four times the input may take so much longer; quadratic work takes 16 times as long.
MOST_GROWTH = 8.0
# Less is not measured well.
LEAST_NS = 3_000_000
# Enough to be sure; longer input would show nothing new.
ENOUGH_NS = 20_000_000
ATTEMPTS = 6


def spent_ns(parser: Parser, data: bytes, times: int = 1) -> int:
    """Return the least CPU time that this thread needs to parse."""
    spent = []
    for _ in range(times):
        began_ns = time.thread_time_ns()
        parser.accepts(data)
        spent.append(time.thread_time_ns() - began_ns)
    return min(spent)


def measured_ns(parser: Parser, short: bytes, short_ns: int, long: bytes) -> int | None:
    """Return the time for the longer input, or None if it is not linear.

    A measurement can be disturbed upwards only, so it is repeated before it is believed.
    """
    long_ns = spent_ns(parser, long)
    for _ in range(ATTEMPTS):
        if long_ns <= MOST_GROWTH * max(short_ns, LEAST_NS):
            return long_ns
        # One that was lucky is not the rule.
        short_ns = max(short_ns, spent_ns(parser, short, 2))
        long_ns = min(long_ns, spent_ns(parser, long))
    return None


def check(
    parser: Parser, make: Callable[[int], bytes], before: bytes, after: bytes
) -> str:
    """Return the size from which on work is not linear, or an empty text."""
    short, short_ns = b"", 0
    for size in SIZES:
        long = before + make(size) + after
        if not short:
            long_ns: int | None = spent_ns(parser, long)
        else:
            long_ns = measured_ns(parser, short, short_ns, long)
        if long_ns is None:
            return f"{size} bytes"
        if long_ns > ENOUGH_NS:
            break
        short, short_ns = long, long_ns
    return ""


@pytest.mark.parametrize("name", PARSERS)
def test_work_is_linear(name: str) -> None:
    parser = PARSERS[name]
    shapes = SHAPES | (BINARY_LISTS if parser.is_plist else {})
    gc.collect()
    gc.disable()
    try:
        for shape, make in shapes.items():
            for before, after in ((b"", b""), *parser.frames):
                wrong = check(parser, make, before, after)
                assert not wrong, f"{wrong} of {shape} after {before!r}"
    finally:
        gc.enable()


def test_work_that_is_not_linear_is_noticed() -> None:
    blanks = re.compile(rb" +x")
    searching = Parser(blanks.search, ())

    assert check(searching, lambda size: b" " * (size // 4), b"", b"")
    assert not check(Parser(lambda data: data.count(b" "), ()), bytes, b"", b"")
