"""Keep the shortest inputs that together reach all lines that many inputs reach."""

from collections.abc import Iterable
import sys
from types import CodeType

from .corpus import corpus_of, keep
from .parsers import PARSERS, Parser

# Not one of those that have a name: coverage is measured meanwhile.
_TOOL = 4
_OURS = "custom_components/airplay/"
_LONGEST_BYTES = 600

type Line = tuple[str, int]


def distilled(parser: Parser, inputs: Iterable[bytes]) -> set[bytes]:
    """Return the inputs that reach lines which no shorter one reaches."""
    known: set[Line] = set()
    for seed in parser.seeds:
        known |= _lines(parser, seed)
    kept = set()
    for data in sorted(set(inputs), key=lambda each: (len(each), each)):
        if len(data) > _LONGEST_BYTES:
            break
        if new := _lines(parser, data) - known:
            known |= new
            kept.add(data)
    return kept


def distill(name: str, inputs: Iterable[bytes]) -> int:
    """Write the corpus of a parser anew, from what it has and more; return its size."""
    kept = distilled(PARSERS[name], (*inputs, *corpus_of(name)))
    if kept:
        keep(name, kept)
    return len(kept)


def _lines(parser: Parser, data: bytes) -> set[Line]:
    """Return the lines of the package that an input reaches."""
    reached: set[Line] = set()

    def note(code: CodeType, number: int) -> object:
        if _OURS in code.co_filename:
            reached.add((code.co_filename, number))
            return None
        return sys.monitoring.DISABLE

    monitoring = sys.monitoring
    monitoring.use_tool_id(_TOOL, "distill")
    try:
        monitoring.register_callback(_TOOL, monitoring.events.LINE, note)
        monitoring.set_events(_TOOL, monitoring.events.LINE)
        parser.accepts(data)
    finally:
        monitoring.set_events(_TOOL, 0)
        monitoring.free_tool_id(_TOOL)
        monitoring.restart_events()
    return reached
