"""No parser raises anything but its own error, whatever it is given.

AIRPLAY_FUZZ_SECONDS is how long each parser is fed; AIRPLAY_FUZZ_SEED chooses other
inputs. `python -m tests.fuzz` goes on from what covers new code.
"""

from collections import deque
from itertools import islice
import os
import time

import pytest

from .corpus import corpus_of
from .distill import distilled
from .mutator import Mutator
from .parsers import PARSERS, Parser

SECONDS = float(os.environ.get("AIRPLAY_FUZZ_SECONDS", "0.8"))
SEED = int(os.environ.get("AIRPLAY_FUZZ_SEED", "1"))
# An input is short, so its work must be too.
MOST_NS_AN_INPUT = 1_000_000_000


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.timeout(SECONDS * 10 + 120)
def test_mutated_input_is_parsed_or_refused(name: str) -> None:
    parser = PARSERS[name]
    mutator = Mutator(parser, SEED, corpus_of(name))
    end_ns = time.thread_time_ns() + round(SECONDS * 1e9)
    began_ns = 0
    for data in mutator.inputs():
        if (began_ns := time.thread_time_ns()) > end_ns:
            break
        try:
            is_accepted = parser.accepts(data)
        except Exception as err:
            err.add_note(f"{name}: {data.hex()}")
            raise
        assert time.thread_time_ns() - began_ns < MOST_NS_AN_INPUT, data.hex()
        if is_accepted:
            mutator.keep(data)


@pytest.mark.parametrize("name", PARSERS)
def test_examples_are_accepted_and_kept_inputs_do_no_harm(name: str) -> None:
    parser = PARSERS[name]

    accepted = [parser.accepts(each) for each in parser.seeds]

    assert any(accepted) is parser.is_whole
    for data in corpus_of(name):
        parser.accepts(data)


def test_a_parser_that_fails_is_found() -> None:
    def parse(data: bytes) -> int:
        return int(data)

    mutator = Mutator(Parser(parse, (b"1",)), SEED)
    inputs = islice(mutator.inputs(), 1000)

    with pytest.raises(ValueError, match="invalid literal"):
        deque(map(parse, inputs), 0)


def test_the_same_seed_makes_the_same_inputs() -> None:
    parser = PARSERS["http"]

    first, second = (list(islice(Mutator(parser, 3).inputs(), 50)) for _ in range(2))

    assert first == second
    assert len(set(first)) > 40


def test_a_corpus_has_the_shortest_inputs_that_reach_everything() -> None:
    parser = PARSERS["udp ports"]

    kept = distilled(parser, [b"1", b"1-2", b"70000-70001", b"9" * 900])

    # The examples reach the rest; a refusal is reached once.
    assert kept == {b"1"}
