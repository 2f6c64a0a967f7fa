"""Requests that a receiver may send: its buttons, its knob, its other inputs."""

from enum import StrEnum


class Button(StrEnum):
    """A button that was pressed, or a setting that changed, on a receiver.

    `VOLUME_SET`, `VOLUME_RELATIVE` and `VOLUME_REPORT` carry percent of the scale (a
    report without a value means muted), `SEEK` milliseconds, `SHUFFLE_SET` 0 or 1,
    `REPEAT_SET` 0, 1 for one item or 2 for all; the others have no value.
    """

    PLAY = "play"
    PAUSE = "pause"
    PLAY_PAUSE = "play_pause"
    RESUME = "resume"
    STOP = "stop"
    NEXT = "next"
    PREVIOUS = "previous"
    FAST_FORWARD = "fast_forward"
    REWIND = "rewind"
    SEEK = "seek"
    SHUFFLE_TOGGLE = "shuffle_toggle"
    SHUFFLE_SET = "shuffle_set"
    REPEAT_SET = "repeat_set"
    VOLUME_UP = "volume_up"
    VOLUME_DOWN = "volume_down"
    MUTE_TOGGLE = "mute_toggle"
    VOLUME_SET = "volume_set"
    VOLUME_RELATIVE = "volume_relative"
    VOLUME_REPORT = "volume_report"
    SWITCHED_AWAY = "switched_away"
    SWITCHED_BACK = "switched_back"
