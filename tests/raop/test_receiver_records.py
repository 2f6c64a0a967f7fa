"""The parsing of a receiver's records: how often, and the result of odd ones."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
import pickle

import pytest

from custom_components.airplay.raop import receiver_records
from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import AirPlayRecord, RaopRecord
from custom_components.airplay.raop.wire.txt import lower_keys

from .records import MAC, airplay, raop

RECORD = f"deviceid={MAC} model=AppleTV5,3 features=0x5A7FDFD5,0x3C155FDE flags=0x200"
FACTS = [name for name, each in vars(Receiver).items() if isinstance(each, property)]


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often a record is parsed, by its first key."""
    counts: Counter[str] = Counter()

    def counted(txt: Mapping[str, str]) -> dict[str, str]:
        counts[next(iter(txt))] += 1
        return lower_keys(txt)

    monkeypatch.setattr(receiver_records, "lower_keys", counted)
    return counts


def test_each_record_is_parsed_once_however_often_a_receiver_is_asked(
    parses: Counter[str],
) -> None:
    found = merge(raop("et=0,4 tp=UDP md=0,1,2"), airplay(RECORD))
    for _ in range(3):
        for fact in FACTS:
            getattr(found, fact)

    assert len(FACTS) > 20
    assert parses == {"et": 1, "deviceid": 1}


def test_identity_is_found_without_parsing_a_record(parses: Counter[str]) -> None:
    assert merge(None, airplay(RECORD)).id == "0011aabbccdd"
    assert parses == {"deviceid": 1}


def test_receivers_with_the_same_records_are_equal_and_show_no_parsed_values() -> None:
    found = merge(raop("et=0,4"), airplay(RECORD))

    assert found == merge(raop("et=0,4"), airplay(RECORD))
    assert found != merge(raop("et=0"), airplay(RECORD))
    assert "Record" not in repr(found)


def test_copies_of_a_receiver_have_the_facts_of_their_own_records() -> None:
    found = merge(raop("et=0,4"), airplay(RECORD))

    assert replace(found, airplay=None).features is None
    assert replace(found, name="Den").needs_pairing
    assert pickle.loads(pickle.dumps(found)).needs_pairing


def test_a_record_that_is_not_there_is_one_without_values() -> None:
    empty = {"no": "value"}

    assert RaopRecord.parse(None) == RaopRecord.parse(replace(raop(), txt=empty))
    assert AirPlayRecord.parse(None) == AirPlayRecord.parse(
        replace(airplay(), txt=empty)
    )


def test_keys_are_case_insensitive_and_the_first_of_equal_keys_counts() -> None:
    assert lower_keys({"TP": "UDP", "tp": "TCP"}) == {"tp": "UDP"}
