"""Whether what a receiver announces about its clock persists."""

import pytest

from custom_components.airplay.raop.session.clock_estimate.claims import Claims

MS = 1_000_000
START = 1_700_000_000_000 * MS


def persist(claims: Claims, *claimed: tuple[object, int]) -> list[bool]:
    """Claim something at each of some times, in ms; return what persists then."""
    return [claims.persists(claim, START + at_ms * MS) for claim, at_ms in claimed]


@pytest.mark.parametrize(
    ("at_ms", "persists"),
    [
        ((0, 200, 400), [False, False, True]),
        ((0, 0, 399, 400), [False, False, False, True]),
        ((0, 3000, 6000, 9000), [False, False, True, True]),
        ((0, 200, 3201, 3400, 3600, 3601), [False] * 5 + [True]),
    ],
)
def test_three_in_a_row_persist(at_ms: tuple[int, ...], persists: list[bool]) -> None:
    found = persist(Claims(), *(("a", each) for each in at_ms))

    assert found == persists


def test_another_claim_begins_anew() -> None:
    found = persist(
        Claims(), ("a", 0), ("a", 200), ("b", 300), ("a", 400), ("a", 600), ("a", 800)
    )

    assert found == [False] * 5 + [True]


def test_the_opposite_makes_it_begin_anew() -> None:
    claims = Claims()
    before = persist(claims, ("a", 0), ("a", 200))
    claims.forget()

    assert before + persist(claims, ("a", 400), ("a", 600), ("a", 800)) == [
        False,
        False,
        False,
        False,
        True,
    ]


def test_the_first_of_a_row_is_new() -> None:
    claims, found = Claims(), []
    for claim, at_ms in (("a", 0), ("a", 200), ("b", 300), ("b", 3301)):
        claims.persists(claim, START + at_ms * MS)
        found.append(claims.is_new)

    assert not Claims().is_new
    assert found == [True, False, True, True]
