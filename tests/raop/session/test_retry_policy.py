"""When a lost member is tried again, and when the policy gives up."""

import pytest

from custom_components.airplay.raop.errors import (
    AuthenticationError,
    HopelessLinkError,
    MissingReceiverError,
    PasswordRequiredError,
    RaopError,
    ReceiverBusyError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    ReceiverUnreachableError,
    UnsupportedReceiverError,
)
from custom_components.airplay.raop.session.retry_policy import RetryPolicy

GONE = ReceiverUnreachableError("gone")
MINUTE_S = 60.0


def test_attempts_become_rare_and_continue() -> None:
    link = RetryPolicy()

    waits = [link.next_wait_s() for _ in range(7)]

    assert waits == [1, 2, 5, 15, 30, 30, 30]


@pytest.mark.parametrize("note", [RetryPolicy.was_seen, RetryPolicy.came_back])
def test_a_sign_of_life_begins_the_attempts_anew(note: object) -> None:
    link = RetryPolicy()
    for _ in range(4):
        link.next_wait_s()

    note(link)  # type: ignore[operator]

    assert link.next_wait_s() == 1


@pytest.mark.parametrize(
    "kind",
    [
        AuthenticationError,
        PasswordRequiredError,
        ReceiverRefusedError,
        UnsupportedReceiverError,
    ],
)
def test_errors_that_need_a_person_are_not_retried(kind: type[RaopError]) -> None:
    error = kind("no")

    assert RetryPolicy().verdict(error, 0) is error


@pytest.mark.parametrize(
    "kind", [ReceiverUnreachableError, ReceiverBusyError, ReceiverProtocolError]
)
def test_temporary_errors_are_retried(kind: type[RaopError]) -> None:
    assert RetryPolicy().verdict(kind("not now"), 0) is None


def test_the_fifth_dropout_within_ten_minutes_is_one_too_many() -> None:
    link = RetryPolicy()
    for minute in range(4):
        link.dropped_out(minute * MINUTE_S)
        assert link.verdict(GONE, minute * MINUTE_S) is None
        link.came_back()

    link.dropped_out(9 * MINUTE_S)

    # All five are ten minutes old at most until the first one is older.
    for at_s in (9 * MINUTE_S, 10 * MINUTE_S):
        error = link.verdict(GONE, at_s)
        assert isinstance(error, HopelessLinkError)
        assert "5 times within 10 minutes" in str(error)
    assert link.drop_outs == 5
    link.came_back()
    assert link.verdict(GONE, 10 * MINUTE_S + 1) is None


def test_rare_dropouts_do_not_count() -> None:
    link = RetryPolicy()
    for at in range(20):
        link.dropped_out(at * 3 * MINUTE_S)
        assert link.verdict(GONE, at * 3 * MINUTE_S) is None
        link.came_back()

    assert link.drop_outs == 20


def test_a_member_that_is_gone_for_ten_minutes_is_given_up() -> None:
    link = RetryPolicy()
    link.dropped_out(100)
    link.missed(160)

    assert link.verdict(GONE, 699) is None
    assert isinstance(link.verdict(GONE, 700), MissingReceiverError)


def test_a_member_busy_for_ten_minutes_is_given_up_as_busy() -> None:
    link = RetryPolicy()
    link.missed(0)
    busy = ReceiverBusyError("plays for another sender")

    assert link.verdict(busy, 599) is None
    assert link.verdict(busy, 600) is busy


def test_a_member_that_came_back_has_ten_minutes_again() -> None:
    link = RetryPolicy()
    link.missed(0)
    link.came_back()

    assert link.verdict(GONE, 700) is None
    link.missed(700)
    assert link.verdict(GONE, 1299) is None
