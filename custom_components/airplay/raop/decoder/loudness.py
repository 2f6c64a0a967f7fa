"""Level the loudness of PCM."""

from collections.abc import Iterator


def scaled(blocks: Iterator[bytes], factor: float) -> Iterator[bytes]:
    """Return blocks of s16le PCM times a factor, unchanged if it is 1.

    A sample that would be too loud, because a tag with the peak is wrong, is limited.
    """
    if factor == 1.0:
        return blocks
    # Only what is leveled needs numpy: the process that all others come from has none.
    from ..audio.mixer import from_floats, to_floats

    return (from_floats(to_floats(block, len(block)) * factor) for block in blocks)
