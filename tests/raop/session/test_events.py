"""Messages of receivers on the event channel."""

import plistlib

import pytest

from custom_components.airplay.raop.buttons import Button
from custom_components.airplay.raop.session.events import button_of
from custom_components.airplay.raop.wire.rtsp import Call


def call(**words: object) -> Call:
    body = plistlib.dumps(words, fmt=plistlib.FMT_BINARY)
    return Call("POST", "/command", {}, body)


@pytest.mark.parametrize(
    ("value", "button"),
    [
        # HomePods send either, depending on the media that they believe to be playing.
        ("play", Button.PLAY_PAUSE),
        ("paus", Button.PLAY_PAUSE),
        ("nitm", Button.NEXT),
        ("pitm", Button.PREVIOUS),
        ("volu", None),
        (["play"], None),
        (1, None),
    ],
)
def test_buttons_have_names_of_four_letters(
    value: object, button: Button | None
) -> None:
    assert button_of(call(type="sendMediaRemoteCommand", value=value)) is button


def test_everything_else_is_no_button() -> None:
    assert button_of(call(type="updateInfo", value={"name": "Den"})) is None
    assert button_of(call(type="updateInfo", value="play")) is None
    assert button_of(call()) is None
    assert button_of(Call("POST", "/command", {}, b"")) is None
    assert button_of(Call("POST", "/command", {}, b"bplist00nonsense")) is None


def test_what_is_too_long_for_a_command_is_not_parsed() -> None:
    kind = "sendMediaRemoteCommand"

    assert button_of(call(type=kind, value="nitm", more="x" * 1000)) is Button.NEXT
    assert button_of(call(type=kind, value="nitm", more="x" * 5000)) is None
