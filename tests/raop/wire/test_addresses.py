"""Which addresses of a receiver are usable, and in which order."""

from ipaddress import ip_network

import pytest

from custom_components.airplay.raop.wire.addresses import (
    MOST_ADDRESSES,
    literals,
    own_networks,
    plain_address,
    rank_addresses,
)

HOME = (ip_network("192.168.1.0/24"), ip_network("2001:db8:1::/64"))


def test_a_network_of_our_own_comes_first_and_what_cannot_be_far_last() -> None:
    best_first = (
        "192.168.1.50",
        "2001:db8:1::50",
        "10.0.0.50",
        "fd00::50",
        "172.17.0.1",
        "fe80::50%2",
        "127.0.0.1",
    )

    assert rank_addresses(reversed(best_first), HOME) == best_first


@pytest.mark.parametrize("order", [1, -1])
def test_a_container_bridge_comes_after_the_address_that_works(order: int) -> None:
    announced = ["172.17.0.1", "192.168.1.50"][::order]

    assert rank_addresses(announced) == ("192.168.1.50", "172.17.0.1")


def test_a_home_network_that_looks_like_a_container_bridge_comes_first() -> None:
    own = (ip_network("172.18.0.0/16"),)

    assert rank_addresses(["10.0.0.5", "172.18.0.1"], own)[0] == "172.18.0.1"


def test_an_address_without_a_network_needs_one_of_that_kind_here() -> None:
    announced = ["169.254.7.7", "10.0.0.5"]

    assert rank_addresses(announced) == ("10.0.0.5",)
    near = (ip_network("169.254.0.0/16"),)
    assert rank_addresses(announced, near) == ("10.0.0.5", "169.254.7.7")


@pytest.mark.parametrize(
    "unusable", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1", "kitchen", ""]
)
def test_unusable_addresses_are_left_out(unusable: str) -> None:
    assert rank_addresses([unusable, "10.0.0.5"]) == ("10.0.0.5",)


def test_the_current_address_stays_first_among_equals_only() -> None:
    announced = ["10.0.0.5", "10.0.0.6", "fd00::6"]

    assert rank_addresses(announced, current="10.0.0.6")[0] == "10.0.0.6"
    assert rank_addresses(announced, current="fd00::6")[0] == "10.0.0.5"
    assert rank_addresses(announced, current="10.0.0.9")[0] == "10.0.0.5"


def test_a_long_list_is_cut_and_a_repeated_address_counts_once() -> None:
    many = [f"10.0.0.{number}" for number in range(1, 100)]

    assert rank_addresses(["10.0.0.1", *many]) == tuple(many[:MOST_ADDRESSES])


def test_networks_of_containers_are_not_our_own() -> None:
    interfaces = [
        ("eth0", "192.168.1.2", 24),
        ("eth0", "2001:db8:1::2%eth0", 64),
        ("docker0", "172.17.0.1", 16),
        ("br-0123456789ab", "172.20.0.1", 16),
        ("br-lan", "10.0.0.1", 24),
        ("hassio", "172.30.32.1", 23),
    ]

    assert own_networks(interfaces) == (*HOME, ip_network("10.0.0.0/24"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("FE80::0:5%eth0", "fe80::5"),
        ("fe80::5%3", "fe80::5"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("Kitchen.local", "Kitchen.local"),
    ],
)
def test_an_address_has_one_plain_form(text: str, plain: str) -> None:
    assert plain_address(text) == plain


def test_host_names_are_no_literals() -> None:
    assert literals(["kitchen.local", "::1", "10.0.0.5"]) == ("::1", "10.0.0.5")
