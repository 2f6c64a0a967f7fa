"""NTP time: seconds since 1900 and their fraction."""

from hypothesis import given, strategies as st

from custom_components.airplay.raop.wire import ntp
from tests.raop.vectors import number, octets

SECOND_NS = 1_000_000_000
START_OF_ERA_1 = 2085978496 * SECOND_NS


def test_unix_time_becomes_ntp_time() -> None:
    stamp = ntp.from_unix_ns(number("ntp", "unix_ns"))

    assert stamp == int.from_bytes(octets("ntp"))


def test_ntp_time_becomes_unix_time() -> None:
    unix_ns = ntp.to_unix_ns(int.from_bytes(octets("ntp")))

    assert unix_ns == number("ntp", "unix_ns")


def test_ntp_time_wraps_in_2036() -> None:
    assert ntp.from_unix_ns(START_OF_ERA_1) == 0


def test_the_last_nanosecond_before_2036_is_the_greatest_second() -> None:
    assert ntp.from_unix_ns(START_OF_ERA_1 - 1) >> 32 == 0xFFFFFFFF


def test_ntp_time_with_a_clear_first_bit_is_after_2036() -> None:
    assert ntp.to_unix_ns(0x7FFFFFFF << 32) == START_OF_ERA_1 + 0x7FFFFFFF * SECOND_NS


def test_ntp_time_with_the_first_bit_set_is_after_1968() -> None:
    assert ntp.to_unix_ns(0x80000000 << 32) == START_OF_ERA_1 - 0x80000000 * SECOND_NS


@given(st.integers(0, 2**62))
def test_every_unix_time_until_2104_converts_back_to_the_nanosecond(
    unix_ns: int,
) -> None:
    unix_ns %= 4_233_462_143 * SECOND_NS

    assert ntp.to_unix_ns(ntp.from_unix_ns(unix_ns)) == unix_ns


@given(st.integers(0, 2**64 - 1))
def test_every_ntp_time_converts_back_within_a_nanosecond(stamp: int) -> None:
    back = ntp.from_unix_ns(ntp.to_unix_ns(stamp))

    assert abs((back - stamp + 2**63) % 2**64 - 2**63) <= 5


@given(st.integers(-(2**70), 2**70))
def test_ntp_time_is_always_64_bits(unix_ns: int) -> None:
    assert 0 <= ntp.from_unix_ns(unix_ns) < 2**64
