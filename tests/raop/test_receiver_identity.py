"""The records that belong to one receiver, and its name."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_identity import (
    merge,
    normalize_id,
    receiver_id,
    split_instance,
)
from custom_components.airplay.raop.receiver_records import Service

from .records import MAC, airplay, raop


def test_two_records_make_one_receiver() -> None:
    first, second = raop("et=0,4"), airplay(f"deviceid={MAC}")

    found = merge(first, second)

    assert (found.id, found.name) == ("0011aabbccdd", "Kitchen Speaker")
    assert (found.host, found.port) == ("10.0.0.2", 5000)
    assert (found.raop, found.airplay) == (first, second)


def test_a_raop_record_alone_makes_a_receiver() -> None:
    found = merge(raop(), None)

    assert (found.id, found.name) == ("0011aabbccdd", "Kitchen")
    assert (found.host, found.port) == ("10.0.0.2", 5000)


def test_an_airplay_record_alone_makes_a_receiver() -> None:
    found = merge(None, airplay(f"deviceid={MAC}"))

    assert (found.id, found.name) == ("0011aabbccdd", "Kitchen Speaker")
    assert (found.host, found.port) == ("10.0.0.3", 7000)


def test_no_record_makes_no_receiver() -> None:
    with pytest.raises(ValueError, match="at least one service"):
        merge(None, None)


def test_a_receiver_without_records_has_no_port() -> None:
    assert Receiver("id", "name", "host", None, None).port == 0


@pytest.mark.parametrize(
    ("first", "second", "identity"),
    [
        (raop(), airplay("deviceid=FF:FF:FF:FF:FF:FF"), "0011aabbccdd"),
        (raop(instance="Kitchen"), airplay(f"deviceid={MAC}"), "0011aabbccdd"),
        (raop("pk=abc", instance="Kitchen"), None, "abc"),
        (raop("pk=abc", instance="Kitchen"), airplay("deviceid=junk"), "abc"),
        (raop(instance="Kitchen"), None, "Kitchen"),
        (None, airplay("pk=abc"), "abc"),
        (None, airplay(), "Kitchen Speaker"),
    ],
)
def test_identity_falls_back_to_known_fields(
    first: Service | None, second: Service | None, identity: str
) -> None:
    assert merge(first, second).id == identity


def test_a_name_that_is_empty_falls_back_to_the_instance() -> None:
    assert merge(raop(instance="0011AABBCCDD@"), None).name == "0011AABBCCDD@"


def test_an_airplay_record_without_a_name_leaves_the_raop_name() -> None:
    assert merge(raop(), airplay(instance="")).name == "Kitchen"


def test_both_records_of_a_receiver_have_one_identity() -> None:
    first = receiver_id(raop(), is_raop=True)
    second = receiver_id(airplay(f"deviceid={MAC}"), is_raop=False)

    assert first == second == "0011aabbccdd"


@pytest.mark.parametrize(
    ("instance", "parts"),
    [
        ("0011AABBCCDD@Kitchen", ("0011aabbccdd", "Kitchen")),
        ("0011AABBCCDD@me@home.local", ("0011aabbccdd", "me@home.local")),
        ("me@home", (None, "me@home")),
        ("0011AABBCCDD", (None, "0011AABBCCDD")),
        ("@", (None, "@")),
    ],
)
def test_instances_are_split_at_the_first_at(
    instance: str, parts: tuple[str | None, str]
) -> None:
    assert split_instance(instance) == parts


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        (MAC, "0011aabbccdd"),
        ("00-11-aa-bb-cc-dd", "0011aabbccdd"),
        ("0011AABBCCD", None),
        ("0011AABBCCDDE", None),
        ("0011AABBCCDG", None),
        ("", None),
    ],
)
def test_identities_are_twelve_hex_digits(text: str, identity: str | None) -> None:
    assert normalize_id(text) == identity


@given(st.binary(min_size=6, max_size=6), st.text(min_size=1), st.text(min_size=1))
def test_records_of_one_receiver_always_share_its_identity(
    mac: bytes, name: str, other_name: str
) -> None:
    first = raop(instance=f"{mac.hex().upper()}@{name}")
    second = Service(other_name, "h", 1, {"deviceid": mac.hex(":")})

    assert receiver_id(first, is_raop=True) == receiver_id(second, is_raop=False)
    assert merge(first, second).id == mac.hex()


@pytest.mark.parametrize(
    ("features", "port"), [("0x5A7FFFF7,0xE", 5000), ("0x5A7FDFD5,0x3C155FDE", 7000)]
)
def test_port_of_pairing_is_that_of_the_newer_protocol_if_supported(
    features: str, port: int
) -> None:
    raop = Service("0A0B0C0D0E01@Den", "10.0.0.7", 5000, {"tp": "UDP"})
    airplay = Service("Den", "10.0.0.7", 7000, {"features": features})

    known = merge(raop, airplay)

    assert known.pairing_port == port
    assert known.takes_airplay2 is (port == 7000)
    assert merge(raop, None).pairing_port == 5000


@pytest.mark.parametrize(
    ("said", "pair_id", "title", "leads"),
    [
        ("tsid=AB-1 gpn=Den flags=0x1a404", "ab-1", "Den", True),
        ("tsid=AB-1 gpn=Den flags=0x18404", "ab-1", "Den", False),
        ("tsid=AB-1 flags=0x2000", "ab-1", "Kitchen Speaker", True),
        ("gpn=TV flags=0x2000", None, "Kitchen Speaker", False),
        ("tsid= gpn=Den flags=nonsense", None, "Kitchen Speaker", False),
        ("", None, "Kitchen Speaker", False),
    ],
)
def test_stereo_pair_is_recognized_by_its_id(
    said: str, pair_id: str | None, title: str, *, leads: bool
) -> None:
    found = merge(None, airplay(said))

    assert found.pair_id == pair_id
    assert found.pair_name == (title if title == "Den" else None)
    assert found.title == title
    assert found.leads_pair is leads
