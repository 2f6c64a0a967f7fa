"""The members of a stream, for all events while a command to play is at work."""

from dataclasses import replace

from custom_components.airplay.raop.messages import Member
from custom_components.airplay.raop.session.roster import Roster


def one(name: str) -> Member:
    return Member(receiver=name, name=name, host="10.0.0.2", port=5000)


A, B, C = one("a"), one("b"), one("c")


def names(members: tuple[Member, ...]) -> str:
    return " ".join(each.receiver for each in members)


def playing(*members: Member) -> Roster:
    roster = Roster()
    roster.expect("play", members)
    roster.adopt("play")
    return roster


def test_a_command_has_its_members_when_it_starts() -> None:
    roster = playing(A, B)
    roster.expect("next", [C])

    assert names(roster.members) == "a b"
    assert names(roster.of("next")) == "c"
    assert roster.is_awaited
    roster.adopt("next")

    assert names(roster.members) == "c"
    assert not roster.is_awaited


def test_joins_and_leaves_during_a_command_run_before_and_after_it() -> None:
    roster = playing(A, B)
    roster.expect("next", [A, B])

    roster.add(C)
    roster.remove("b")

    assert names(roster.members) == "a c"
    roster.adopt("next")
    assert names(roster.members) == "a c"


def test_a_command_that_fails_keeps_the_others() -> None:
    roster = playing(A)
    roster.expect("next", [B])
    roster.add(C)

    assert roster.give_up("next")

    assert names(roster.members) == "a c"
    assert not roster.is_awaited
    assert not roster.give_up("next")


def test_of_several_commands_the_last_one_counts() -> None:
    roster = playing(A)
    roster.expect("older", [B])
    roster.expect("newer", [C])

    assert not roster.give_up("older")
    assert names(roster.of("older")) == "a"
    roster.adopt("newer")

    assert names(roster.members) == "c"


def test_a_command_that_was_not_announced_keeps_the_members() -> None:
    roster = playing(A, B)

    roster.adopt("again")

    assert names(roster.members) == "a b"


def test_new_records_of_a_member_are_adopted() -> None:
    roster = playing(A)
    roster.expect("next", [replace(A, volume=30)])

    assert roster.seen(replace(A, host="10.0.0.3", volume=90))
    assert not roster.seen(B)

    assert roster.member_for("a") == replace(A, host="10.0.0.3")
    assert roster.of("next") == (replace(A, host="10.0.0.3", volume=30),)


def test_new_records_during_the_first_command_are_adopted() -> None:
    roster = Roster()
    roster.expect("play", [A])

    assert roster.seen(replace(A, port=7000))

    assert roster.of("play")[0].port == 7000


def test_a_member_that_was_switched_away_stays_a_silent_member() -> None:
    roster = playing(A, B)

    roster.switch_away("a")
    roster.switch_away("c")

    assert names(roster.members) == "a b"
    assert names(roster.active) == "b"
    assert roster.member_for("a") is None
    roster.switch_back("a")
    assert names(roster.active) == "a b"


def test_a_member_that_joins_or_plays_again_is_no_longer_away() -> None:
    roster = playing(A, B)
    roster.switch_away("a")
    roster.add(A)
    assert roster.member_for("a") == A

    roster.switch_away("a")
    roster.adopt("again")
    assert roster.member_for("a") == A


def test_members_are_known_now_and_after_the_next_command() -> None:
    roster = playing(A)
    assert roster.is_last("a")
    assert not roster.is_last("b")

    roster.expect("next", [A, B])

    assert not roster.is_last("a")
    assert roster.has("b")
    assert not roster.has("c")


def test_a_group_stays_one_until_other_media_is_played() -> None:
    roster = playing(A)
    shown = [roster.is_group]
    roster.add(B)
    roster.remove("a")
    shown.append(roster.is_group)
    roster.expect("next", [A])
    roster.adopt("next")
    shown.append(roster.is_group)

    assert shown == [False, True, False]
