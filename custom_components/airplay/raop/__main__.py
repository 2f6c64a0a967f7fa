"""Run `raop` on the command line, and the sender process of Home Assistant.

It runs as an installed program, as `python -m raop`, and by its path from a plain copy
of the integration: `python -P custom_components/airplay/raop/__main__.py`.
"""

from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    # A process that decodes imports nothing of the rest.
    if words[:1] == ["decode"]:
        from .decoder.server import serve

        return serve(words[1:])
    # What is protected here is protected by AirPlay's own means: asyncio needs no TLS.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]
    # Hashes of a few bytes need no second OpenSSL.
    sys.modules.setdefault("_hashlib", None)  # type: ignore[arg-type]
    from .cli import run

    return run(words)


def _load_package() -> None:
    """Import the folder of this file as the package `raop`.

    The folder around it is not on the path: the integration's `select` and `number`
    would shadow the standard library's.
    """
    spec = spec_from_file_location("raop", Path(__file__).with_name("__init__.py"))
    assert spec is not None
    assert spec.loader is not None
    package = sys.modules["raop"] = module_from_spec(spec)
    spec.loader.exec_module(package)


if __name__ == "__main__":
    if __spec__ is None:
        _load_package()
        sys.exit(import_module("raop.__main__").main())
    sys.exit(main())
