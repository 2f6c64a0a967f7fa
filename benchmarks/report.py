"""Results for programs (JSON) and for people (the tables in README.md)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
import json
import math
from pathlib import Path
from typing import Any

from .figures import TOLERANCE, Benchmark, Figure

type Results = Mapping[Benchmark, Sequence[Figure]]

_BEGIN = "<!-- results: written by benchmarks/run -->"
_END = "<!-- end of results -->"


def write_json(path: Path, machine: Mapping[str, str], results: Results) -> None:
    """Write all results."""
    figures = {
        benchmark.name: [_row(figure) for figure in found]
        for benchmark, found in results.items()
    }
    document = {"machine": machine, "figures": figures}
    text = json.dumps(document, indent=1, allow_nan=False)
    path.write_text(text + "\n")


def read_json(
    path: Path, benchmarks: Iterable[Benchmark]
) -> tuple[dict[str, str], dict[Benchmark, list[Figure]]]:
    """Return the stored results: the machine, and the figures by benchmark."""
    document = json.loads(path.read_text())
    kept = document["figures"]
    results = {
        each: [_figure(row) for row in kept[each.name]]
        for each in benchmarks
        if each.name in kept
    }
    return document["machine"], results


def write_readme(path: Path, machine: Mapping[str, str], results: Results) -> None:
    """Write the tables into the README, between its marks."""
    before, _, rest = path.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    lines = ["", "Machine: " + "; ".join(f"{k} {v}" for k, v in machine.items()) + "."]
    for benchmark, found in results.items():
        lines += ["", f"### {benchmark.title} (`{benchmark.name}`)", "", benchmark.how]
        lines += ["", *table(found)]
    path.write_text(before + _BEGIN + "\n".join([*lines, "", _END]) + after)


def table(found: Sequence[Figure]) -> list[str]:
    """Return a Markdown table."""
    rows = [
        "| what | figure | beside | ratio | target |",
        "| --- | --- | --- | --- | --- |",
    ]
    for figure in found:
        cells = [
            figure.what,
            f"{_number(figure.value)} {figure.unit}".strip(),
            _peer(figure),
            "" if figure.ratio is None else f"{_number(figure.ratio)} x",
            _target(figure),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def failures(results: Results) -> list[str]:
    """Return the figures that miss their target by more than the tolerance."""
    return [
        f"{benchmark.name}: {figure.what}: {_number(reached)}, target {figure.target:g}"
        for benchmark, found in results.items()
        for figure in found
        if figure.target is not None and figure.exceeds(TOLERANCE)
        for reached in [figure.value if figure.ratio is None else figure.ratio]
    ]


def _figure(row: Mapping[str, Any]) -> Figure:
    """Return a figure from its row in JSON."""
    known = {each.name: row[each.name] for each in fields(Figure)}
    if known["value"] is None:
        known["value"] = math.nan
    return Figure(**known)


def _row(figure: Figure) -> dict[str, object]:
    """Return a figure for JSON, which has no NaN for a missing measurement."""
    row = {**asdict(figure), "ratio": figure.ratio, "missed": figure.exceeds()}
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _peer(figure: Figure) -> str:
    if figure.peer_value is None:
        return ""
    return f"{figure.peer}: {_number(figure.peer_value)} {figure.unit}".strip()


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    unit = f" {figure.unit}".rstrip() if figure.ratio is None else " x"
    verdict = "**missed**" if figure.exceeds() else "met"
    return f"≤ {figure.target:g}{unit}: {verdict}"


def _number(value: float) -> str:
    """Write three significant digits, never an exponent."""
    if not math.isfinite(value):
        return "none"
    if value and abs(value) < 0.001:
        return f"{value:.6f}".rstrip("0")
    whole_digits = len(str(abs(int(value)))) if abs(value) >= 1 else 0
    decimals = 0 if value == int(value) else max(0, 3 - whole_digits)
    return f"{value:,.{decimals}f}"
