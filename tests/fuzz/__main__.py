"""Fuzz one parser, or all in turn: `python -m tests.fuzz [NAME] [--seconds 60]`.

With atheris in the environment the inputs follow the code that they cover, and those
that reach new code are written to a folder; without it they are mutated blindly.
"""

import argparse
from collections.abc import Sequence
import importlib
import importlib.util
from pathlib import Path
import subprocess
import sys
import tempfile
import time

_HAS_ATHERIS = importlib.util.find_spec("atheris") is not None
_LONGEST_BYTES = 4096


def main(arguments: Sequence[str]) -> int:
    """Fuzz; return 1 if an input was found that does harm."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("name", nargs="?", help="a parser; all by default")
    parser.add_argument("--seconds", type=float, default=60, help="for each parser")
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFF)
    parser.add_argument("--folder", type=Path, help="where to keep inputs (atheris)")
    parser.add_argument(
        "--distill",
        action="store_true",
        help="instead, keep what is best of the folder in tests/fuzz/corpus",
    )
    chosen = parser.parse_args(arguments)
    if chosen.distill:
        return _distill(chosen.folder)
    if chosen.name is not None:
        run = _guided if _HAS_ATHERIS else _blind
        return run(chosen.name, chosen.seconds, chosen.seed, chosen.folder)
    from .parsers import PARSERS

    options = [f"--seconds={chosen.seconds}", f"--seed={chosen.seed}"]
    if chosen.folder:
        options.append(f"--folder={chosen.folder}")
    # Each in a process of its own, which atheris ends itself.
    ends = [
        subprocess.run(
            [sys.executable, "-m", "tests.fuzz", name, *options], check=False
        ).returncode
        for name in PARSERS
    ]
    return int(any(ends))


def _distill(folder: Path) -> int:
    from .distill import distill
    from .parsers import PARSERS

    for name in PARSERS:
        found = (folder / name.replace(" ", "_")).glob("*")
        print(f"{name}: {distill(name, [each.read_bytes() for each in found])} kept")
    return 0


def _blind(name: str, seconds: float, seed: int, _: Path | None) -> int:
    from .corpus import corpus_of
    from .mutator import Mutator
    from .parsers import PARSERS

    parser, count = PARSERS[name], 0
    mutator = Mutator(parser, seed, corpus_of(name))
    end_s = time.monotonic() + seconds
    for data in mutator.inputs():
        if time.monotonic() > end_s:
            break
        count += 1
        try:
            if parser.accepts(data):
                mutator.keep(data)
        except Exception as err:  # noqa: BLE001 - any error is a finding
            print(f"{name}: {err!r}\n{data.hex()}")
            return 1
    print(f"{name}: {count} inputs, seed {seed}")
    return 0


def _guided(name: str, seconds: float, seed: int, folder: Path | None) -> int:
    atheris = importlib.import_module("atheris")

    with atheris.instrument_imports(include=["custom_components.airplay"]):
        from .parsers import PARSERS
    from .corpus import corpus_of

    parser = PARSERS[name]
    kept = (folder or Path(tempfile.mkdtemp())) / name.replace(" ", "_")
    kept.mkdir(parents=True, exist_ok=True)
    for number, seed_input in enumerate((*parser.seeds, *corpus_of(name))):
        (kept / f"seed-{number}").write_bytes(seed_input)
    options = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-max_len={_LONGEST_BYTES}",
        f"-seed={seed or 1}",
        f"-artifact_prefix={kept.parent}/{kept.name}-",
        "-timeout=5",
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
    ]
    if parser.words:
        words = kept.parent / f"{kept.name}.dict"
        words.write_text("".join(map(_dictionary_line, parser.words)))
        options.append(f"-dict={words}")

    def parse(data: bytes) -> None:
        parser.accepts(data)

    atheris.Setup([name, *options, str(kept)], parse)
    atheris.Fuzz()
    return 0


def _dictionary_line(word: bytes) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in word[:64]) + '"\n'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
