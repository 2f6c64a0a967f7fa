"""Volume and progress."""

import math

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.wire.parameters import (
    parse_volume_db,
    percent_of_db,
    progress_body,
    volume_body,
    volume_db,
)


@pytest.mark.parametrize(
    ("percent", "db"),
    [
        (100, 0.0),
        (50, -15.0),
        (1, -29.7),
        (0, -144.0),
        (-5, -144.0),
        (150, 0.0),
        (math.nan, -144.0),
        (math.inf, 0.0),
    ],
)
def test_percent_become_decibels(percent: float, db: float) -> None:
    assert volume_db(percent) == pytest.approx(db)


def test_muted_is_mute_at_any_volume() -> None:
    assert volume_db(80, is_muted=True) == -144.0


@pytest.mark.parametrize(
    ("db", "percent"),
    [
        (0.0, 100),
        (-15.0, 50),
        (-29.7, 1),
        (-30.0, 0),
        (-90.0, 0),
        (-144.0, 0),
        (3.0, 100),
        (math.nan, 0),
    ],
)
def test_decibels_become_percent(db: float, percent: float) -> None:
    assert percent_of_db(db) == pytest.approx(percent)


@given(st.floats(0.001, 100))
def test_a_volume_converts_back(percent: float) -> None:
    assert percent_of_db(volume_db(percent)) == pytest.approx(percent, abs=1e-9)


@given(st.floats())
def test_every_volume_is_on_the_scale_of_receivers(percent: float) -> None:
    db = volume_db(percent)

    assert db == -144.0 or -30.0 <= db <= 0.0


@pytest.mark.parametrize(
    ("db", "body"),
    [
        (-15.0, b"volume: -15.000000\r\n"),
        (-29.7, b"volume: -29.700000\r\n"),
        (-30.0, b"volume: -30.000000\r\n"),
        (-30.001, b"volume: -144.000000\r\n"),
        (-1000.0, b"volume: -144.000000\r\n"),
        (math.nan, b"volume: -144.000000\r\n"),
        (0.0, b"volume: 0.000000\r\n"),
        (-0.0, b"volume: 0.000000\r\n"),
        (-1e-9, b"volume: 0.000000\r\n"),
        (-4e-7, b"volume: 0.000000\r\n"),
        (6.0, b"volume: 0.000000\r\n"),
    ],
)
def test_volumes_are_written_on_the_scale(db: float, body: bytes) -> None:
    assert volume_body(db) == body


@given(st.floats(-30, 0))
def test_a_written_volume_is_read_back(db: float) -> None:
    assert parse_volume_db(volume_body(db)) == pytest.approx(db, abs=1e-6)


@pytest.mark.parametrize(
    ("body", "db"),
    [
        (b"\r\nvolume: -20.000000\r\n", -20.0),
        (b"volume: -20.000000\r\n\r\n", -20.0),
        (b"volume: 0\n", 0.0),
        (b"Volume:-144.0", -144.0),
        (b"other: 1\r\nvolume: -3.5\r\n", -3.5),
    ],
)
def test_volumes_are_found_among_lines(body: bytes, db: float) -> None:
    assert parse_volume_db(body) == db


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"volume:",
        b"volume: loud",
        b"volume: nan",
        b"volume: -1e3",
        b"volume: 1 2",
        b"myvolume: -3.0",
        b"volume: 99999.0",
    ],
)
def test_anything_else_is_no_volume(body: bytes) -> None:
    assert parse_volume_db(body) is None


def test_a_negative_zero_is_read_as_zero() -> None:
    level = parse_volume_db(b"volume: -0.000000\r\n")

    assert level is not None
    assert math.copysign(1, level) == 1


@given(st.binary())
def test_arbitrary_bytes_are_a_volume_or_none(body: bytes) -> None:
    level = parse_volume_db(b"volume:" + body)

    assert level is None or math.isfinite(level)


def test_progress_names_three_rtp_times() -> None:
    assert progress_body(1, 44101, 88201) == b"progress: 1/44101/88201\r\n"


def test_progress_wraps_at_32_bits() -> None:
    body = progress_body(-1, 1 << 32, (1 << 32) + 5)

    assert body == b"progress: 4294967295/0/5\r\n"
