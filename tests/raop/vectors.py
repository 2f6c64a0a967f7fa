"""The protocol's test vectors, and the sound that some of them are made from."""

import json
from pathlib import Path

import numpy as np

_VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())


def word(name: str, field: str) -> str:
    """Return a vector's field as text."""
    found = _VECTORS[name][field]
    assert isinstance(found, str)
    return found


def number(name: str, field: str) -> int:
    """Return a vector's field as a number."""
    found = _VECTORS[name][field]
    assert isinstance(found, int)
    return found


def octets(name: str, field: str = "hex") -> bytes:
    """Return a vector's hexadecimal field as bytes."""
    return bytes.fromhex(word(name, field))


def pattern_pcm() -> bytes:
    """Return the 352 frames of the vector `alac_pattern_352`."""
    frame = np.arange(352)
    left, right = (93 * frame) % 65536 - 32768, 32767 - (61 * frame) % 65536
    return np.stack((left, right), axis=1).astype("<i2").tobytes()
