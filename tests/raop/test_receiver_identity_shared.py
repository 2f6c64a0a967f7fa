"""To which of several receivers with one ID a record belongs, and what its name is."""

import pytest

from custom_components.airplay.raop.errors import WrongReceiverError
from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_identity import (
    check_id,
    completed,
    key_of,
    merge,
)
from custom_components.airplay.raop.receiver_records import Service

ID = "0a0b0c0d0e01"
HERE, THERE = "10.0.0.5", "10.0.0.6"


def raop(name: str, host: str = HERE, port: int = 5000) -> Service:
    return Service(f"{ID.upper()}@{name}", host, port)


def airplay(name: str, host: str = HERE) -> Service:
    return Service(name, host, 7000, {"deviceid": "0A:0B:0C:0D:0E:01"})


def key(
    service: Service, *known: tuple[Service | None, Service | None], **ids: Receiver
) -> str:
    """Return the ID for a record, by the records of the receivers that are known."""
    receivers = [merge(*each) for each in known]
    by_id = {each.id: each for each in receivers} | ids
    return key_of(service, by_id, is_raop="@" in service.instance)


def test_the_first_receiver_with_an_id_has_it_as_it_is() -> None:
    assert key(raop("Kitchen")) == ID
    other = Service("0A0B0C0D0E02@Hall", HERE, 5000)
    assert key(raop("Kitchen"), (other, None)) == ID


@pytest.mark.parametrize(
    "moved", [raop("Kitchen", THERE), raop("Kitchen", HERE, 5001), raop("Den")]
)
def test_a_receiver_that_moves_or_is_renamed_remains_the_same(moved: Service) -> None:
    assert key(moved, (raop("Kitchen"), None)) == ID


@pytest.mark.parametrize("clone", [raop("Den", THERE), raop("Den", HERE, 5001)])
def test_another_name_elsewhere_is_another_receiver(clone: Service) -> None:
    assert key(clone, (raop("Kitchen"), None)) == f"{ID}@Den"


def test_a_record_belongs_to_the_receiver_that_lacks_one_of_its_kind() -> None:
    assert key(airplay("Anything", THERE), (raop("Kitchen"), None)) == ID
    both = (raop("Kitchen"), airplay("Kitchen"))
    assert key(airplay("Den", THERE), both) == f"{ID}@Den"


@pytest.mark.parametrize(
    ("record", "owner"),
    [
        (airplay("Den", "10.0.0.9"), f"{ID}@Den"),
        (airplay("Kitchen", "10.0.0.9"), ID),
        (airplay("Küche", THERE), f"{ID}@Den"),
        (airplay("Küche", HERE), ID),
    ],
)
def test_the_second_record_goes_by_name_and_then_by_place(
    record: Service, owner: str
) -> None:
    kitchen, den = merge(raop("Kitchen"), None), merge(raop("Den", THERE), None)
    known = {ID: kitchen, f"{ID}@Den": den}

    assert key_of(record, known, is_raop=False) == owner


def test_a_receiver_is_completed_under_the_id_that_it_has_here() -> None:
    clone = completed(f"{ID}@Den", None, raop("Den"), is_raop=True)

    both = completed(f"{ID}@Den", clone, airplay("Den"), is_raop=False)

    assert both.id == f"{ID}@Den"
    assert both.raop == raop("Den")
    assert both.airplay == airplay("Den")


@pytest.mark.parametrize(
    ("of_raop", "of_airplay", "name"),
    [
        ("Kitchen", "Kitchen (2)", "Kitchen"),
        ("Kitchen (2)", "Kitchen", "Kitchen"),
        ("Kitchen", "Kitchen #2", "Kitchen"),
        ("Kitchen (2)", "Kitchen (2)", "Kitchen (2)"),
        ("Kitchen", "Room (2)", "Room (2)"),
        ("Kitchen", "Kitchen (Sonos)", "Kitchen (Sonos)"),
    ],
)
def test_a_number_after_a_name_is_left_out_if_a_record_has_none(
    of_raop: str, of_airplay: str, name: str
) -> None:
    assert merge(raop(of_raop), airplay(of_airplay)).name == name


@pytest.mark.parametrize(
    "said", [ID, "0A:0B:0C:0D:0E:01", "0A-0B-0C-0D-0E-02", "", "?"]
)
def test_a_receiver_is_believed_that_gives_one_of_its_ids_or_none(said: str) -> None:
    other = Service("Kitchen", HERE, 7000, {"deviceid": "0A:0B:0C:0D:0E:02"})

    check_id(merge(raop("Kitchen"), other), said)


def test_a_receiver_that_is_known_by_no_id_is_believed() -> None:
    check_id(merge(Service("10.0.0.5:5000", HERE, 5000), None), ID)


@pytest.mark.parametrize(
    "known",
    [
        merge(raop("Kitchen"), None),
        merge(raop("Kitchen"), airplay("Kitchen")),
        merge(Service("10.0.0.5:5000", HERE, 5000), airplay("Kitchen")),
        completed(f"{ID}@Den", None, raop("Den"), is_raop=True),
    ],
)
def test_another_id_is_that_of_another_receiver(known: Receiver) -> None:
    with pytest.raises(WrongReceiverError, match=f"0a0b0c0d0e02, .* of {known.name}"):
        check_id(known, "0A:0B:0C:0D:0E:02")
