"""Measure, print, and store the results of the benchmarks."""

import argparse
import asyncio
from pathlib import Path
import sys
import tempfile

from . import (
    announcing,
    cost,
    home,
    hungry,
    machine,
    overload,
    pacing,
    path,
    ptp,
    quiet,
    start,
    sync,
)
from .figures import Benchmark, Figure, Lab
from .music import write_wav
from .native import NoCompilerError, build
from .report import failures, read_json, table, write_json, write_readme

_BENCHMARKS = (
    cost.BENCHMARK,
    quiet.BENCHMARK,
    pacing.BENCHMARK,
    start.BENCHMARK,
    announcing.BENCHMARK,
    overload.BENCHMARK,
    hungry.BENCHMARK,
    ptp.BENCHMARK,
    path.BENCHMARK,
    home.BENCHMARK,
    sync.BENCHMARK,
)
_FOLDER = Path(__file__).parent
_MUSIC_S = 60
_COUNTS = (2, 8)
_MIXED = ("ap1", "ap2", "ap2")
_MINUTES = 10.0


def main() -> int:
    """Run the chosen benchmarks and return the exit code."""
    options = _parser().parse_args()
    chosen = [each for each in _BENCHMARKS if each.name in (options.names or _names())]
    facts = machine.describe()
    with tempfile.TemporaryDirectory(prefix="airplay-benchmarks-") as folder:
        try:
            build("receivers", Path(folder))
            build("sender", Path(folder))
        except NoCompilerError as err:
            print(f"skipped: {err}", file=sys.stderr)
            return 0
        music = write_wav(Path(folder) / "music.wav", _MUSIC_S)
        groups = _groups(options)
        lab = Lab(Path(folder), music, options.quick, groups, options.minutes)
        results = asyncio.run(_measure(chosen, lab))
    if options.json:
        write_json(options.json, facts, results)
    if not (options.quick or options.receivers or options.kinds):
        _keep(facts, results)
    missed = failures(results)
    for line in missed:
        print(f"missed: {line}")
    return 1 if options.check and missed else 0


def _keep(facts: dict[str, str], results: dict[Benchmark, list[Figure]]) -> None:
    """Store new results together with the earlier ones."""
    path = _FOLDER / "results.json"
    machine_then, known = read_json(path, _BENCHMARKS)
    if len(results) < len(_BENCHMARKS):
        when = f"{facts['revision']}, {facts['date']}, load {facts['load']}"
        facts = machine_then | dict.fromkeys([each.name for each in results], when)
    merged = known | results
    ordered = {each: merged[each] for each in _BENCHMARKS if each in merged}
    write_json(path, facts, ordered)
    write_readme(_FOLDER / "README.md", facts, ordered)


def _groups(options: argparse.Namespace) -> tuple[tuple[str, ...], ...]:
    """Return the kinds of real receivers, by group."""
    asked = bool(options.receivers or options.kinds)
    classic = options.receivers or (() if asked else _COUNTS)
    mixed = options.kinds or (() if asked else (_MIXED,))
    return (*map(sync.classic_kinds, classic), *mixed)


def _names() -> list[str]:
    return [each.name for each in _BENCHMARKS]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    parser.add_argument("names", nargs="*", choices=_names(), help="default: all")
    parser.add_argument(
        "--quick", action="store_true", help="a short test run, under 60 s"
    )
    parser.add_argument(
        "--check", action="store_true", help="fail if a target is missed"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the results to a file"
    )
    parser.add_argument(
        "--receivers",
        type=int,
        action="append",
        metavar="N",
        help=f"real receivers in sync's group; may be repeated (default {_COUNTS})",
    )
    parser.add_argument(
        "--kinds",
        type=_kinds,
        action="append",
        metavar="KIND,...",
        help=f"a group of {', '.join(sync.LANES)}; may be repeated "
        f"(default {','.join(_MIXED)})",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=_MINUTES,
        help="how long sync plays on each group of real receivers (default %(default)g)",
    )
    return parser


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(","))
    if unknown := set(kinds) - set(sync.LANES):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return kinds


async def _measure(chosen: list[Benchmark], lab: Lab) -> dict[Benchmark, list[Figure]]:
    results = {}
    for benchmark in chosen:
        print(f"\n{benchmark.title}", flush=True)
        results[benchmark] = await benchmark.run(lab)
        print("\n".join(table(results[benchmark])), flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
