"""Who gets a place at a port that is open to everyone."""

from dataclasses import replace

from custom_components.airplay.raop.session.limits import places
from custom_components.airplay.raop.session.limits.places import Places, Share

SHARE = Share(
    places=4,
    places_an_address=3,
    per_second=1000,
    at_once=1000,
    per_second_an_address=1,
    at_once_an_address=2,
)


def filled(*addresses: str) -> tuple[Places[int], list[int | None]]:
    """Return places with numbered connections, and which each one has displaced."""
    opened = Places[int](SHARE)
    return opened, [opened.add(at, address) for at, address in enumerate(addresses)]


def test_an_address_displaces_its_own_oldest_connection() -> None:
    opened, displaced = filled("a", "a", "b", "a", "a")

    assert displaced == [None, None, None, None, 0]
    assert len(opened) == 4


def test_the_address_with_the_most_makes_room_for_others() -> None:
    opened, displaced = filled("b", "a", "a", "a", "c", "d", "e")

    assert displaced == [None, None, None, None, 1, 2, 0]
    assert len(opened) == 4


def test_an_end_frees_a_place_once() -> None:
    opened, _ = filled("a", "a", "a")

    opened.remove(0)
    opened.remove(0)

    assert opened.add(3, "a") is None
    assert opened.add(4, "a") == 1


def test_each_address_has_its_own_budget() -> None:
    opened = Places[int](SHARE)

    assert [opened.admits("a", 0.0) for _ in range(3)] == [True, True, False]
    assert opened.admits("b", 0.0)
    assert opened.admits("a", 1.0)


def test_all_addresses_together_have_one_too() -> None:
    opened = Places[int](replace(SHARE, per_second=1, at_once=5))

    admitted = [opened.admits(f"{number}", 0.0) for number in range(100)]

    assert admitted.count(True) == 5


def test_addresses_are_forgotten() -> None:
    opened = Places[int](SHARE)

    for number in range(10 * places._MOST_ADDRESSES):
        opened.admits(f"{number}", 0.0)

    assert len(opened._by_address) == places._MOST_ADDRESSES
