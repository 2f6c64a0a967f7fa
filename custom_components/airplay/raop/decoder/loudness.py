"""Level the loudness of PCM."""

from collections.abc import Iterator

import numpy as np

_LEAST, _MOST = -(1 << 15), (1 << 15) - 1


def scaled(blocks: Iterator[bytes], factor: float) -> Iterator[bytes]:
    """Return blocks of s16le PCM times a factor, unchanged if it is 1.

    A sample that would be too loud, because a tag with the peak is wrong, is limited.
    """
    if factor == 1.0:
        return blocks
    return (_scaled(block, factor) for block in blocks)


def _scaled(block: bytes, factor: float) -> bytes:
    samples = np.rint(np.frombuffer(block, "<i2") * np.float32(factor))
    return np.clip(samples, _LEAST, _MOST).astype("<i2").tobytes()
