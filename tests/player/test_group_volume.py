"""A group's volume as arithmetic."""

import pytest

from custom_components.airplay.player.group_volume import GroupVolume

FULL = {"a": 1.0, "b": 1.0}


def test_all_change_by_the_same_factor() -> None:
    assert GroupVolume().spread({"a": 0.4, "b": 0.2}, FULL, 0.6) == {"a": 0.6, "b": 0.3}


def test_volume_ratios_outlive_zero() -> None:
    balance = GroupVolume()

    silent = balance.spread({"a": 0.4, "b": 0.1}, FULL, 0)

    assert silent == {"a": 0.0, "b": 0.0}
    assert balance.spread(silent, FULL, 0.8) == {"a": 0.8, "b": 0.2}


def test_volume_ratios_outlive_a_maximum() -> None:
    balance, maxima = GroupVolume(), {"a": 0.5, "b": 1.0}

    held = balance.spread({"a": 0.4, "b": 0.2}, maxima, 1)

    assert held == {"a": 0.5, "b": 0.5}
    assert balance.spread(held, maxima, 0.4) == {"a": 0.4, "b": 0.2}


def test_speaker_that_was_changed_has_a_new_ratio() -> None:
    balance = GroupVolume()
    balance.spread({"a": 0.4, "b": 0.2}, FULL, 0.4)

    assert balance.spread({"a": 0.4, "b": 0.8}, FULL, 0.4) == {"a": 0.2, "b": 0.4}


def test_raising_one_speaker_from_zero_raises_the_others() -> None:
    balance = GroupVolume()
    silent = balance.spread({"a": 0.4, "b": 0.2}, FULL, 0)

    assert balance.spread(silent | {"b": 0.3}, FULL, 0.6) == pytest.approx(
        {"a": 0.6, "b": 0.6}
    )


def test_silence_without_known_ratios_is_raised_evenly() -> None:
    assert GroupVolume().spread({"a": 0, "b": 0}, FULL, 0.5) == {"a": 0.5, "b": 0.5}


def test_joining_and_leaving_speakers_change_no_other_volume() -> None:
    balance = GroupVolume()
    balance.spread({"a": 0.4, "b": 0.2}, FULL, 0.4)

    three = balance.spread({"a": 0.4, "b": 0.2, "c": 0.1}, FULL | {"c": 1.0}, 0.8)

    assert three == {"a": 0.8, "b": 0.4, "c": 0.2}
    assert balance.spread({"b": 0.4, "c": 0.2}, FULL | {"c": 1.0}, 0.2) == {
        "b": 0.2,
        "c": 0.1,
    }
