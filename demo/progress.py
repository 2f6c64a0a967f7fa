"""The output on the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
import sys
import time

_BEGAN = time.monotonic()


class CheckError(Exception):
    """A check failed; the text has the reason and the remedy."""


def say(text: str) -> None:
    """Print a line with the seconds since the start."""
    sys.stdout.write(f"[{time.monotonic() - _BEGAN:5.1f} s] {text}\n")
    sys.stdout.flush()


def show(text: str) -> None:
    """Print text unchanged."""
    sys.stdout.write(text)
    sys.stdout.flush()


@contextmanager
def step(text: str) -> Iterator[list[str]]:
    """Print a step and its duration; the list is for remarks."""
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
