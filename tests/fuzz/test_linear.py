"""The work of each parser grows with the length of its input, and not faster."""

from collections.abc import Callable
import gc
import re
import time

import pytest

from .parsers import PARSERS, Parser
from .shapes import BINARY_LISTS, SHAPES

SIZES = tuple(1 << bits for bits in (10, 12, 14, 16, 18, 20))
# Four times the input may take so much longer; quadratic work takes 16 times as long.
MOST_GROWTH = 8.0
# Less is not measured well.
LEAST_NS = 3_000_000
# Enough to be sure; longer input would show nothing new.
ENOUGH_NS = 20_000_000
ATTEMPTS = 4


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
        if long_ns > ENOUGH_NS and short_ns > LEAST_NS:
            break
        short, short_ns = long, long_ns
    return ""


# On a busy machine; it needs a few seconds of CPU.
@pytest.mark.timeout(900)
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


@pytest.mark.parametrize(
    ("pattern", "before", "shape"),
    [
        (rb" +x", b"", "blanks"),
        (rb"(?m)^\s*file(\d+)\s*=\s*(.+?)\s*$", b"[playlist]", "line feeds"),
        (rb"x:([^\0]*?)[ \t]*\r?\Z", b"x:", "tabs"),
    ],
)
def test_work_that_is_not_linear_is_noticed(
    pattern: bytes, before: bytes, shape: str
) -> None:
    wrong = check(Parser(re.compile(pattern).search, ()), SHAPES[shape], before, b"\0")

    assert wrong


def test_joining_parts_to_a_growing_whole_is_noticed() -> None:
    def join(data: bytes) -> None:
        whole = b""
        for at in range(0, len(data), 64):
            whole = whole[:] + data[at : at + 64]

    assert check(Parser(join, ()), bytes, b"", b"")
    assert not check(Parser(lambda data: data.count(b" "), ()), bytes, b"", b"")
