"""Which speakers belong together, as it is kept."""

import pytest

from custom_components.airplay.speaker.group_store import GroupStore


def test_names_move_from_group_to_group() -> None:
    groups = GroupStore([["a", "b", "c"], ["d", "e"]])

    groups.join("b", "e", "f")

    assert groups.as_list() == [["a", "b", "c", "e", "f"]]
    assert groups.group_of("d") == ()


def test_first_two_form_a_group_and_the_last_is_alone() -> None:
    groups = GroupStore()
    groups.join("a", "b")
    assert groups.as_list() == [["a", "b"]]
    assert groups.is_led("b")
    assert not groups.is_led("a")

    groups.leave("a")

    assert groups.as_list() == []
    assert not groups.is_led("b")


def test_next_leader_leads_only_if_the_leader_has_left() -> None:
    groups = GroupStore([["a", "b", "c", "d"]])

    groups.leave("b", heir="d")
    assert groups.as_list() == [["a", "c", "d"]]
    groups.leave("a", heir="d")

    assert groups.as_list() == [["d", "c"]]


@pytest.mark.parametrize(
    ("kept", "groups"),
    [
        (None, []),
        ([["a", "b"], ["b", "c", "d"]], [["a", "b"], ["c", "d"]]),
        ([["a", "a"], ["b"], [], "ab", [1, "c"], {"a": 1}], []),
        ([["a", "gone", "b"]], [["a", "b"]]),
        ({"a": "b"}, []),
    ],
)
def test_stored_groups_are_repaired(kept: object, groups: list[list[str]]) -> None:
    read = GroupStore.of(kept, is_known=lambda name: name != "gone")

    assert read.as_list() == groups
