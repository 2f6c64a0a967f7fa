"""Whether the system accepts the packets of an outlet."""

import errno
import logging

import pytest

from custom_components.airplay.raop.engine.pacing.send_health import SendHealth

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
FORBIDDEN = PermissionError(errno.EPERM, "Operation not permitted")


def refused(times: int = 1) -> SendHealth:
    """Return the health of an outlet whose last packets the system refused."""
    health = SendHealth()
    for _ in range(times):
        health.refuse(REFUSED)
    return health


def test_in_the_beginning_all_is_well() -> None:
    health = SendHealth()

    assert (health.errors, health.problem) == (0, None)
    assert health.believe(5) == 5


def test_each_refusal_counts_and_the_last_is_the_problem() -> None:
    health = refused(3)
    health.refuse(FORBIDDEN)

    assert (health.errors, health.problem) == (4, "Operation not permitted")


def test_an_error_without_a_text_of_the_system_is_named_too() -> None:
    health = SendHealth()
    health.refuse(OSError("too much"))

    assert health.problem == "too much"


@pytest.mark.parametrize(("batches", "is_over"), [((63,), False), ((63, 1), True)])
def test_it_is_over_after_64_packets(
    batches: tuple[int, ...], *, is_over: bool
) -> None:
    health = refused()
    for packets in batches:
        health.accept(packets)

    assert (health.problem is None) is is_over
    assert health.errors == 1


def test_only_packets_in_a_row_end_it() -> None:
    health = SendHealth()
    health.accept(100)
    health.refuse(REFUSED)
    health.accept(63)
    health.refuse(REFUSED)
    health.accept(63)
    before = health.problem
    health.accept(1)

    assert before == "Connection refused"
    assert health.problem is None


def test_what_a_receiver_shows_meanwhile_does_not_count() -> None:
    health = SendHealth()
    known = health.believe(7)
    health.refuse(REFUSED)
    meanwhile = health.believe(9)
    health.accept(64)

    assert (known, meanwhile) == (7, 7)
    assert health.believe(9) == 9
    assert refused().believe(9) is None


def test_a_problem_is_logged_once_until_it_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def logged() -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            health.log("10.0.0.5")
            found = [each.getMessage() for each in caplog.records]
            health.log("10.0.0.5")
        assert len(caplog.records) == len(found)
        return found

    health = SendHealth()
    nothing = logged()
    health.refuse(REFUSED)
    first = logged()
    health.refuse(FORBIDDEN)
    second = logged()
    health.accept(64)
    over = logged()
    health.refuse(FORBIDDEN)

    assert nothing == over == []
    assert first == ["Cannot send audio to 10.0.0.5: Connection refused"]
    assert second == ["Cannot send audio to 10.0.0.5: Operation not permitted"]
    assert logged() == second
