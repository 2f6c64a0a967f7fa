"""When the way to a clock is measured."""

from custom_components.airplay.raop.session.clock_estimate.round_trips import RoundTrips

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND
FAST_NS = SECOND // 64


def begun() -> RoundTrips:
    """Return round trips whose first request is due at the start."""
    trips = RoundTrips()
    trips.begin(START)
    return trips


def test_nothing_is_asked_before_the_beginning() -> None:
    assert RoundTrips().next_ns > START + 3600 * 24 * 365 * 100 * SECOND


def test_the_first_is_due_at_once_and_each_has_its_number() -> None:
    trips = begun()

    assert trips.next_ns == START
    assert [trips.ask(START + n) for n in range(3)] == [0, 1, 2]


def test_numbers_have_16_bits() -> None:
    trips = begun()
    numbers = [trips.ask(START) for _ in range(65_538)]

    assert numbers[65_534:] == [65_534, 65_535, 0, 1]


def test_a_start_and_a_new_estimate_are_in_a_hurry() -> None:
    trips = begun()

    def interval_ns(at_s: float) -> int:
        now_ns = START + round(at_s * SECOND)
        trips.answered(trips.ask(now_ns), now_ns)
        return trips.next_ns - now_ns

    fast = [interval_ns(at_s) for at_s in (0, 4.999)]
    usual = interval_ns(5)
    trips.begin(START + 20 * SECOND)

    assert (fast, usual) == ([FAST_NS, FAST_NS], SECOND // 8)
    assert interval_ns(24.999) == FAST_NS


def test_without_answers_it_asks_rarely() -> None:
    trips = begun()
    trips.ask(START + 10 * SECOND)

    assert trips.next_ns == START + 11 * SECOND


def test_a_round_trip_lasts_from_the_departure_to_the_answer() -> None:
    trips = begun()
    first, second = trips.ask(START), trips.ask(START)
    trips.departed(second, START + 5)

    assert trips.answered(first, START + 9) == 9
    assert trips.answered(second, START + 9) == 4


def test_each_answer_counts_once() -> None:
    trips = begun()
    number = trips.ask(START)
    trips.answered(number, START + 9)
    trips.departed(number, START + 5)

    assert trips.answered(number, START + 9) is None
    assert trips.answered(number + 1, START + 9) is None


def test_impossible_round_trips_do_not_count() -> None:
    trips = begun()
    early, late, last = (trips.ask(START) for _ in range(3))

    assert trips.answered(early, START - 1) is None
    assert trips.answered(late, START + 2 * SECOND + 1) is None
    assert trips.answered(last, START + 2 * SECOND) == 2 * SECOND


def test_few_requests_are_open() -> None:
    trips = begun()
    for _ in range(65):
        trips.ask(START)

    assert trips.answered(0, START) is None
    assert trips.answered(1, START) == 0
