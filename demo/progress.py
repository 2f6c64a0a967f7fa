"""What the person at the terminal sees."""

from collections.abc import Iterator
from contextlib import contextmanager
import sys
import time

_BEGAN = time.monotonic()


class CheckError(Exception):
    """Something is not as it should be; the text says what and what to do."""


def say(text: str) -> None:
    """Print a line with the seconds since the command."""
    sys.stdout.write(f"[{time.monotonic() - _BEGAN:5.1f} s] {text}\n")
    sys.stdout.flush()


def show(text: str) -> None:
    """Print text as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()


@contextmanager
def step(text: str) -> Iterator[list[str]]:
    """Print a step when it begins and how long it took; the list takes remarks."""
    say(f"{text} ...")
    began = time.monotonic()
    remarks: list[str] = []
    try:
        yield remarks
    except Exception:
        say(f"{text}: FAILED after {time.monotonic() - began:.1f} s")
        raise
    told = "".join(f", {remark}" for remark in remarks)
    say(f"{text}: ok ({time.monotonic() - began:.1f} s){told}")
