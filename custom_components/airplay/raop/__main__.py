"""`python -m raop`: the command line, and the sender process for Home Assistant."""

from pathlib import Path
import sys


def _put_library_first() -> None:
    """Look for modules in the standard library before the folder around this package.

    That folder is a Home Assistant integration: its platforms are called `select` or
    `number`, and on PYTHONPATH they would stand in front of the modules of that name.
    """
    around = Path(__file__).resolve().parent.parent
    for entry in [each for each in sys.path if each]:
        if Path(entry).resolve() == around:
            sys.path.remove(entry)
            sys.path.append(entry)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    _put_library_first()
    from .cli import run

    return run(sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
