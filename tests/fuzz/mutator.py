"""Mutated examples: a small mutator of our own, which needs no compiler and no wheel."""

from collections.abc import Iterator, Sequence
from random import Random

from .parsers import Parser

_NUMBERS = (
    b"0",
    b"-1",
    b"65536",
    b"4294967296",
    b"9" * 20,
    b"9" * 5000,
    b"nan",
    b"1e999",
)
_BYTES = (0x00, 0x01, 0x20, 0x22, 0x2C, 0x3A, 0x7F, 0x80, 0xFE, 0xFF)
_MOST_CHANGES = 8
_MOST_BYTES = 64 * 1024
# How often a new example is kept that was accepted, to be changed further.
_KEPT_OF = 50
_MOST_KEPT = 200


class Mutator:
    """Changes examples at random; the same seed makes the same inputs."""

    def __init__(self, parser: Parser, seed: int, corpus: Sequence[bytes] = ()) -> None:
        self._dice = Random(seed)
        self._known = [*parser.seeds, *corpus] or [b""]
        self._words = (*parser.words, *_NUMBERS)
        self._frames = parser.frames

    def inputs(self) -> Iterator[bytes]:
        """Yield inputs without end."""
        while True:
            data = bytearray(self._dice.choice(self._known))
            for _ in range(self._dice.randrange(1, _MOST_CHANGES)):
                self._change(data)
            if self._frames and self._dice.random() < 0.2:
                before, after = self._dice.choice(self._frames)
                data[:0], data[len(data) :] = before, after
            yield bytes(data[:_MOST_BYTES])

    def keep(self, data: bytes) -> None:
        """Change an input further now and then, as it was accepted."""
        if self._dice.randrange(_KEPT_OF) == 0 and len(self._known) < _MOST_KEPT:
            self._known.append(data)

    def _change(self, data: bytearray) -> None:
        dice = self._dice
        at = dice.randrange(len(data) + 1)
        end = min(len(data), at + dice.randrange(1, 9))
        match dice.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(data):
                data[at] = dice.choice(_BYTES)
            case 2:
                data[at:at] = dice.choice(self._words)
            case 3:
                data[at:end] = dice.choice(self._words)
            case 4:
                del data[at:end]
            case 5:
                data[at:at] = data[at:end] * dice.randrange(2, 20)
            case 6:
                other = dice.choice(self._known)
                data[at:] = other[dice.randrange(len(other) + 1) :]
            case _:
                data[at:at] = dice.randbytes(dice.randrange(1, 9))
