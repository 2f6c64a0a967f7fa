"""Copy standard input to a file and note in another one when each piece came.

pcm_recorder.py PCM INDEX; a line of INDEX is the monotonic time in nanoseconds, the number of
bytes before the piece and its length.
"""

import os
from pathlib import Path
import sys
import time


def main() -> None:
    """Record until standard input ends."""
    pcm_path, index_path = map(Path, sys.argv[1:])
    total = 0
    with (
        pcm_path.open("wb", buffering=0) as pcm,
        index_path.open("w", buffering=1, encoding="ascii") as index,
    ):
        while piece := os.read(0, 65536):
            now = time.monotonic_ns()
            pcm.write(piece)
            index.write(f"{now} {total} {len(piece)}\n")
            total += len(piece)


if __name__ == "__main__":
    main()
