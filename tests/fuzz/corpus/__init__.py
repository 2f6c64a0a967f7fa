"""Inputs that found a fault once, or that reach rare parts of a parser."""

from pathlib import Path

_FOLDER = Path(__file__).parent


def corpus_of(name: str) -> list[bytes]:
    """Return the kept inputs of a parser; each is a line of hexadecimal digits."""
    path = _FOLDER / f"{name.replace(' ', '_')}.txt"
    if not path.exists():
        return []
    return [bytes.fromhex(line) for line in path.read_text().splitlines()]


def keep(name: str, inputs: set[bytes]) -> None:
    """Write the inputs of a parser, shortest first."""
    path = _FOLDER / f"{name.replace(' ', '_')}.txt"
    lines = [each.hex() for each in sorted(inputs, key=lambda each: (len(each), each))]
    path.write_text("".join(f"{line}\n" for line in lines))
