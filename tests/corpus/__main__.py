"""Write the files of the corpus to a folder: `python -m tests.corpus FOLDER`."""

from concurrent.futures import ThreadPoolExecutor
import os
from pathlib import Path
import sys

from .files.table import FILES
from .row import Row
from .servers.table import SERVERS
from .workshop import FFMPEG, Workshop


def main(folder: str) -> int:
    """Write all files, side by side; return how many could not be made."""
    if not FFMPEG:
        sys.exit("ffmpeg is not installed")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    workshop = Workshop(target)

    def make(row: Row) -> bool:
        try:
            workshop.place(row.name, row.build(workshop))
        except (OSError, RuntimeError) as err:
            print(f"{row.name}: {err}", file=sys.stderr)
            return False
        return True

    with ThreadPoolExecutor(os.process_cpu_count()) as makers:
        failures = [*makers.map(make, [*FILES, *SERVERS])].count(False)
    print(f"{len(FILES)} files and those of {len(SERVERS)} servers in {folder}")
    return failures


if __name__ == "__main__":
    sys.exit(bool(main(*sys.argv[1:2])))
