"""iTunes' rule for receivers that are switched to another input."""

from custom_components.airplay.raop.session.source_switch import SourceSwitch, Turn


def playing(since_s: float = 0) -> SourceSwitch:
    switch = SourceSwitch()
    switch.began(since_s)
    return switch


def left(at_s: float) -> SourceSwitch:
    """Return a receiver that was switched away and whose session we ended for it."""
    switch = playing()
    assert switch.turn_for(is_prevented=True, now_s=at_s) is Turn.LEAVE
    switch.ended(at_s)
    return switch


def test_switched_away_leaves_and_switched_back_returns() -> None:
    switch = left(20)

    assert switch.turn_for(is_prevented=False, now_s=40) is Turn.RETURN
    assert switch.turn_for(is_prevented=False, now_s=41) is Turn.NOTE


def test_first_second_after_our_start_is_ignored() -> None:
    switch = playing(10)

    assert switch.turn_for(is_prevented=True, now_s=10.9) is Turn.NOTHING
    assert switch.turn_for(is_prevented=False, now_s=10.95) is Turn.NOTHING
    assert switch.turn_for(is_prevented=True, now_s=11) is Turn.LEAVE


def test_pair_after_our_own_teardown_does_not_resume() -> None:
    switch = playing()
    switch.ended(30)

    assert switch.turn_for(is_prevented=True, now_s=30.2) is Turn.NOTHING
    assert switch.turn_for(is_prevented=False, now_s=30.4) is Turn.NOTHING


def test_pair_after_the_teardown_of_a_switch_does_not_resume_but_the_user_does() -> (
    None
):
    switch = left(20)

    assert switch.turn_for(is_prevented=True, now_s=20.2) is Turn.NOTHING
    assert switch.turn_for(is_prevented=False, now_s=20.4) is Turn.NOTHING
    assert switch.turn_for(is_prevented=False, now_s=60) is Turn.RETURN


def test_end_of_the_other_source_much_later_is_no_pair() -> None:
    switch = left(20)

    assert switch.turn_for(is_prevented=True, now_s=21) is Turn.NOTHING
    assert switch.turn_for(is_prevented=False, now_s=600) is Turn.RETURN


def test_idle_receiver_is_only_noted() -> None:
    switch = SourceSwitch()

    assert switch.turn_for(is_prevented=True, now_s=1) is Turn.NOTE
    assert switch.turn_for(is_prevented=False, now_s=2) is Turn.NOTE


def test_new_session_forgets_the_switch() -> None:
    switch = left(20)

    switch.began(30)
    switch.ended(90)

    assert switch.turn_for(is_prevented=False, now_s=120) is Turn.NOTE


def test_the_end_of_a_session_that_had_not_begun_changes_nothing() -> None:
    switch = SourceSwitch()
    switch.ended(10)

    # No pair follows a TEARDOWN that there was not.
    assert switch.turn_for(is_prevented=True, now_s=11) is Turn.NOTE
