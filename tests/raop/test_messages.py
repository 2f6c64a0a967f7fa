"""The messages between the sender process and its owner."""

import base64
from contextlib import suppress
from dataclasses import fields
import json
from typing import get_args

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.messages import (
    MAX_LINE_BYTES,
    MAX_PICTURE_BYTES,
    Command,
    Event,
    LogLine,
    Media,
    Member,
    MessageError,
    Play,
    Reply,
    SetArtwork,
    SetVolume,
    Stop,
    decode_command,
    decode_event,
    encode_command,
    encode_event,
)

COMMANDS = get_args(Command.__value__)
EVENTS = get_args(Event.__value__)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)

st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


def whole[T](kind: type[T]) -> st.SearchStrategy[T]:
    """Draw every field, also those that have defaults."""
    return st.builds(kind, **{each.name: ... for each in fields(kind)})  # type: ignore[arg-type]


def line(name: object, body: object, number: object = 1) -> bytes:
    return json.dumps({"type": name, "id": number, "body": body}).encode()


@given(st.integers(), st.one_of(*map(whole, COMMANDS)))
def test_commands_come_out_as_they_went_in(number: int, command: Command) -> None:
    assert decode_command(encode_command(number, command)) == (number, command)


@given(st.one_of(*map(whole, EVENTS)))
def test_events_come_out_as_they_went_in(event: Event) -> None:
    assert decode_event(encode_event(event)) == event


@given(st.one_of(*map(whole, COMMANDS)))
def test_a_command_is_exactly_one_line(command: Command) -> None:
    encoded = encode_command(1, command)

    assert encoded.find(b"\n") == len(encoded) - 1


def test_a_play_command_carries_all_settings_of_its_members() -> None:
    member = Member(
        receiver="0011aabbccdd",
        name="Kitchen",
        host="10.0.0.2",
        port=5000,
        txt={"et": "0,1"},
        password="geheim",
        volume=30,
    )
    play = Play(
        stream="s", members=(member,), media=Media(url="/a.wav", name="a"), start_at=1
    )

    assert decode_command(encode_command(7, play)) == (7, play)


def test_fields_that_are_absent_have_their_defaults() -> None:
    _, command = decode_command(line("SetVolume", {"receiver": "r", "volume": 5}))

    assert command == SetVolume(receiver="r", volume=5.0, muted=False)


@pytest.mark.parametrize("word", ["Left", "", "both", None, 1, ["left"]])
def test_a_channel_that_there_is_not_is_refused(word: object) -> None:
    with pytest.raises(MessageError, match="none of stereo, left, right, mono"):
        decode_command(line("Tune", {"receiver": "r", "channel": word}))


def test_secrets_are_not_in_the_text_of_messages() -> None:
    member = Member(
        receiver="r", name="n", host="h", port=1, password="geheim", credentials="token"
    )
    play = Play(stream="s", members=(member,), media=Media(url="http://key", name="a"))

    assert not [word for word in ("geheim", "token", "key") if word in repr(play)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\n",
        b"{}",
        b"null",
        b"[]",
        b'"Stop"',
        b"not JSON",
        b"\xff\xfe",
        b"[" * 100_000,
        line("Stop", {"stream": "s"})[:-1],
        line("Stop", {"stream": "s"}) * 2,
        line("Stop", []),
        line("Stop", {"stream": "s"}, number="1"),
        line("Stop", {"stream": "s"}, number=True),
        line(1, {}),
        b"[" + line("Stop", {"stream": "s"}) + b"]",
        json.dumps({"type": "Stop", "id": 1}).encode(),
        json.dumps({"type": "Stop", "id": 1, "body": {}, "more": 1}).encode(),
    ],
)
def test_lines_that_are_no_messages_are_refused(garbage: bytes) -> None:
    with pytest.raises(MessageError):
        decode_command(garbage)
    with pytest.raises(MessageError):
        decode_event(garbage)


@pytest.mark.parametrize("name", ["Dance", "Reply", "Member", "RaopError", ""])
def test_commands_that_do_not_exist_are_refused(name: str) -> None:
    with pytest.raises(MessageError, match="unknown message"):
        decode_command(line(name, {}))


@pytest.mark.parametrize("name", ["Dance", "Play", "Tags"])
def test_events_that_do_not_exist_are_refused(name: str) -> None:
    with pytest.raises(MessageError, match="unknown message"):
        decode_event(line(name, {}))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "Stop is incomplete"),
        ({"stream": "s", "colour": "red"}, "Stop has an unknown field"),
        ({"stream": 1}, "Stop.stream has the wrong type"),
        ({"stream": {}}, "Stop.stream has the wrong type"),
        ({"stream": None}, "Stop.stream has the wrong type"),
    ],
)
def test_commands_of_another_shape_are_refused(body: object, reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        decode_command(line("Stop", body))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" * 400, "true"])
def test_invalid_numbers_are_refused(number: str) -> None:
    louder = line("SetVolume", {"receiver": "r", "volume": "here"})

    with pytest.raises(MessageError, match="volume is not a number"):
        decode_command(louder.replace(b'"here"', number.encode()))


def test_error_about_a_message_contains_no_secret() -> None:
    member = {"receiver": "r", "name": "n", "host": "h", "port": 1, "password": 4711}
    body = {"stream": "s", "members": [member], "media": {"url": "u", "name": "n"}}

    with pytest.raises(MessageError) as refused:
        decode_command(line("Play", body))

    assert "4711" not in str(refused.value)


def test_the_longest_line_is_read() -> None:
    event = LogLine(level=1, logger="l", text="")
    room = MAX_LINE_BYTES - len(encode_event(event))

    encoded = encode_event(LogLine(level=1, logger="l", text="x" * room))

    assert len(encoded) == MAX_LINE_BYTES
    assert isinstance(decode_event(encoded), LogLine)


def test_the_biggest_picture_fits_into_a_line() -> None:
    picture = base64.b64encode(bytes(MAX_PICTURE_BYTES)).decode()

    artwork = SetArtwork(stream="s", picture=picture)

    assert decode_command(encode_command(1, artwork)) == (1, artwork)


def test_longer_lines_are_not_read() -> None:
    encoded = encode_event(Reply(id=1))

    with pytest.raises(MessageError, match="too long"):
        decode_event(encoded + b" " * MAX_LINE_BYTES)


def test_longer_lines_are_not_written() -> None:
    picture = SetArtwork(stream="s", picture="x" * MAX_LINE_BYTES)

    with pytest.raises(MessageError, match="SetArtwork is too long"):
        encode_command(1, picture)


@given(st.binary())
def test_arbitrary_bytes_raise_nothing_but_message_errors(garbage: bytes) -> None:
    with pytest.raises(MessageError):
        decode_command(garbage)


@given(
    st.sampled_from([each.__name__ for each in (*COMMANDS, *EVENTS)]),
    st.dictionaries(
        st.sampled_from(
            sorted({each.name for kind in COMMANDS for each in fields(kind)})
        ),
        JSON,
    ),
)
def test_arbitrary_bodies_raise_nothing_but_message_errors(
    name: str, body: dict[str, object]
) -> None:
    for decode in (decode_command, decode_event):
        with suppress(MessageError):
            decode(line(name, body))


def test_a_number_belongs_to_its_command() -> None:
    assert decode_command(line("Stop", {"stream": "s"}, number=42)) == (
        42,
        Stop(stream="s"),
    )
