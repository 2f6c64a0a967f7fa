"""Check the data of the zoo: what it says is known, and nothing is said twice."""

from collections import Counter
import json
import re

import pytest

from .device import DEVICES, FOLDER, Clock, Device, Lane, Source, quirks_of

GENUS = re.compile(r"G([1-9]|1[0-8])")
# Keys of records whose values tell devices of one kind apart; they are made up here.
PERSONAL = re.compile(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{32,}")
NOTHING_TO_HIDE = {"00:00:00:00:00:00"}
PLACEHOLDERS = {"mac", "uuid", "pk", "pair"}


def each() -> pytest.MarkDecorator:
    """Run a test for each device."""
    return pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)


def test_names_are_unique() -> None:
    counts = Counter(device.name.lower() for device in DEVICES)

    assert len(DEVICES) > 90
    assert not [name for name, count in counts.items() if count > 1]


@each()
def test_facts_fit_each_other(device: Device) -> None:
    assert GENUS.fullmatch(device.genus)
    assert device.raop or device.airplay
    assert device.sources or device.known.behavior is Source.NONE
    assert len(set(device.ways)) == len(device.ways)
    assert bool(device.modelled_on) == (
        device.known.records is Source.INFERRED or device.known.records is Source.INFO
    )
    if device.modelled_on:
        assert device.modelled_on in {other.name for other in DEVICES}
    takes_codes = device.demands.pin or not device.speaks_airplay_2
    assert device.demands.transient is not takes_codes
    for way in device.ways:
        assert (way.lane is Lane.RAOP) <= (way.clock is Clock.NTP)
        assert (way.lane is not Lane.RAOP) <= device.speaks_airplay_2


@each()
def test_quirks_exist_and_have_values_of_their_type(device: Device) -> None:
    defaults = quirks_of({})
    known = quirks_of(device.all_quirks)
    for name in device.all_quirks:
        value = getattr(known, name)
        assert value != getattr(defaults, name), f"{name} is nothing special"


@each()
def test_records_name_no_individual(device: Device) -> None:
    for record in (device.raop, device.airplay):
        if record is None:
            continue
        assert record.port is None or 0 < record.port < 65536
        assert not record.txt.keys() & record.inferred.keys()
        for value in record.filled(dict.fromkeys(PLACEHOLDERS, "")).values():
            assert value in NOTHING_TO_HIDE or not PERSONAL.search(value)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda x: x.name)
def test_file_is_written_as_by_the_formatter(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    told = json.loads(text)

    assert text == json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def test_unknown_field_is_an_error() -> None:
    told = json.loads((FOLDER / "software.json").read_text())[0]

    with pytest.raises(TypeError, match="color"):
        Device.parse({**told, "color": "red"})
    with pytest.raises(ValueError, match="tapes"):
        Device.parse({**told, "ways": [{"lane": "tapes", "clock": "ntp"}]})
    with pytest.raises(KeyError, match="sings"):
        quirks_of({"sings": True})
