"""The table of a stream's states: every state with every trigger."""

import pytest

from custom_components.airplay.raop.engine.stream.states import (
    TRANSITIONS,
    StreamStatus,
    StreamTrigger as Trigger,
)
from custom_components.airplay.raop.messages import Media, Play, StreamState as State

# The next state for each trigger in each state; a missing trigger is refused.
EXPECTED = {
    State.NEW: {
        Trigger.CONNECT: State.CONNECTING,
        Trigger.SET_LINE: State.BUFFERING,
        Trigger.PAUSE: State.PAUSED,
    },
    State.CONNECTING: {
        Trigger.CONNECT: State.CONNECTING,
        Trigger.SET_LINE: State.BUFFERING,
        Trigger.PAUSE: State.PAUSED,
        Trigger.END: State.ENDED,
    },
    State.BUFFERING: {
        Trigger.CONNECT: State.CONNECTING,
        Trigger.SET_LINE: State.BUFFERING,
        Trigger.SOUND: State.PLAYING,
        Trigger.NEXT_ITEM: State.PLAYING,
        Trigger.PAUSE: State.PAUSED,
        Trigger.END: State.ENDED,
    },
    State.PLAYING: {
        Trigger.CONNECT: State.CONNECTING,
        Trigger.SET_LINE: State.BUFFERING,
        Trigger.SILENCE: State.BUFFERING,
        Trigger.NEXT_ITEM: State.PLAYING,
        Trigger.PAUSE: State.PAUSED,
        Trigger.END: State.ENDED,
    },
    State.PAUSED: {
        Trigger.CONNECT: State.CONNECTING,
        Trigger.SET_LINE: State.BUFFERING,
        Trigger.END: State.ENDED,
    },
    State.ENDED: {
        Trigger.CONNECT: State.CONNECTING,
        Trigger.SET_LINE: State.BUFFERING,
        Trigger.PAUSE: State.PAUSED,
    },
}


def status_in(state: State) -> StreamStatus:
    status = StreamStatus()
    status.state = state
    return status


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("trigger", Trigger)
def test_trigger_follows_the_table_or_is_refused(
    state: State, trigger: Trigger
) -> None:
    status = status_in(state)
    following = EXPECTED[state].get(trigger)

    assert status.apply(trigger) == (following is not None)
    assert status.state == (following or state)


def test_every_state_has_its_row_and_can_be_reached() -> None:
    reached = {each for row in TRANSITIONS.values() for each in row.values()}

    assert set(TRANSITIONS) == set(State)
    assert reached == set(State) - {State.NEW}


def test_stream_is_quiet_without_a_command() -> None:
    assert StreamStatus().is_quiet


def test_stream_with_a_command_is_quiet_only_while_it_is_paused() -> None:
    status = StreamStatus()
    status.command = Play(stream="s", members=(), media=Media(url="/a", name="a"))
    before = status.is_quiet

    status.apply(Trigger.PAUSE)

    assert not before
    assert status.is_quiet
    assert status.is_paused


def test_change_is_over_even_if_it_fails() -> None:
    status = StreamStatus()
    was_changing = []

    def fail() -> None:
        with status.changing():
            was_changing.append(status.is_changing)
            raise OSError("no")

    with pytest.raises(OSError, match="no"):
        fail()

    assert was_changing == [True]
    assert not status.is_changing
