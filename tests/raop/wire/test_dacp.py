"""The orders in a receiver's requests."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.buttons import Button
from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.dacp import DacpRequest, parse_request


@pytest.mark.parametrize(
    ("name", "button"),
    [
        ("play", Button.PLAY),
        ("pause", Button.PAUSE),
        ("playpause", Button.PLAY_PAUSE),
        ("discrete-pause", Button.PAUSE),
        ("playresume", Button.RESUME),
        ("stop", Button.STOP),
        ("nextitem", Button.NEXT),
        ("previtem", Button.PREVIOUS),
        ("beginff", Button.FAST_FORWARD),
        ("beginrew", Button.REWIND),
        ("shuffle_songs", Button.SHUFFLE_TOGGLE),
        ("volumeup", Button.VOLUME_UP),
        ("volumedown", Button.VOLUME_DOWN),
        ("mutetoggle", Button.MUTE_TOGGLE),
    ],
)
def test_commands(name: str, button: Button) -> None:
    assert parse_request(name, ()) == (DacpRequest(button),)


@pytest.mark.parametrize(
    ("key", "value", "order"),
    [
        ("dmcp.volume", "40", DacpRequest(Button.VOLUME_SET, 40)),
        ("dmcp.volume", "100.000000", DacpRequest(Button.VOLUME_SET, 100)),
        ("dmcp.volume", "300", DacpRequest(Button.VOLUME_SET, 100)),
        ("dmcp.volume", "-3", DacpRequest(Button.VOLUME_SET, 0)),
        ("dmcp.device-volume", "-15.000000", DacpRequest(Button.VOLUME_REPORT, 50)),
        ("dmcp.device-volume", "0", DacpRequest(Button.VOLUME_REPORT, 100)),
        ("dmcp.device-volume", "3", DacpRequest(Button.VOLUME_REPORT, 100)),
        ("dmcp.device-volume", "-30", DacpRequest(Button.VOLUME_REPORT, 0)),
        ("dmcp.device-volume", "-60", DacpRequest(Button.VOLUME_REPORT, 0)),
        ("dmcp.device-volume", "-144.000000", DacpRequest(Button.VOLUME_REPORT, None)),
        ("dmcp.device-prevent-playback", "1", DacpRequest(Button.SWITCHED_AWAY)),
        ("dmcp.device-prevent-playback", "0", DacpRequest(Button.SWITCHED_BACK)),
        ("dmcp.device-busy", "1", DacpRequest(Button.SWITCHED_AWAY)),
        ("dmcp.device-busy", "0", DacpRequest(Button.SWITCHED_BACK)),
        ("dacp.shufflestate", "1", DacpRequest(Button.SHUFFLE_SET, 1)),
        ("dacp.shufflestate", "0", DacpRequest(Button.SHUFFLE_SET, 0)),
        ("dacp.repeatstate", "0", DacpRequest(Button.REPEAT_SET, 0)),
        ("dacp.repeatstate", "1", DacpRequest(Button.REPEAT_SET, 1)),
        ("dacp.repeatstate", "2", DacpRequest(Button.REPEAT_SET, 2)),
        ("dacp.repeatstate", "9", DacpRequest(Button.REPEAT_SET, 2)),
        ("dacp.playingtime", "61500", DacpRequest(Button.SEEK, 61_500)),
    ],
)
def test_properties(key: str, value: str, order: DacpRequest) -> None:
    assert parse_request("setproperty", ((key, value),)) == (order,)


@pytest.mark.parametrize(
    ("key", "speaker", "order"),
    [
        # The id that shairport-sync 5.1 sent in the lab.
        (
            "include-speaker-id",
            "36453981863910",
            DacpRequest(Button.VOLUME_SET, 40, 36_453_981_863_910),
        ),
        ("include-speaker-id", "0x0A0B", DacpRequest(Button.VOLUME_SET, 40, 0x0A0B)),
        ("speaker-id", "0x0A0B,0x0C", DacpRequest(Button.VOLUME_RELATIVE, 40, 0x0A0B)),
    ],
)
def test_volume_of_one_speaker(key: str, speaker: str, order: DacpRequest) -> None:
    query = ((key, speaker), ("dmcp.volume", "40"))

    assert parse_request("setproperty", query) == (order,)


def test_several_properties_at_once() -> None:
    query = (("dacp.shufflestate", "1"), ("x", "y"), ("dmcp.device-volume", "-3"))

    assert parse_request("setproperty", query) == (
        DacpRequest(Button.SHUFFLE_SET, 1),
        DacpRequest(Button.VOLUME_REPORT, 90),
    )


def test_unknown_property_has_no_order_and_unknown_command_is_none() -> None:
    assert parse_request("setproperty", (("dacp.userrating", "x"),)) == ()
    assert parse_request("explode", ()) is None


@pytest.mark.parametrize("text", [" -3", "-3\t", "\x1e-3\x1f"])
def test_blanks_around_a_number_do_not_count(text: str) -> None:
    query = (("dmcp.device-volume", text),)

    assert parse_request("setproperty", query) == (
        DacpRequest(Button.VOLUME_REPORT, 90),
    )


@pytest.mark.parametrize(
    "text", ["", "loud", "nan", "inf", "1e9", "9" * 30, "--1", "1,5"]
)
def test_values_that_are_no_numbers_are_refused(text: str) -> None:
    with pytest.raises(ReceiverProtocolError):
        parse_request("setproperty", (("dmcp.device-volume", text),))


def test_invalid_speakers_are_refused() -> None:
    query = (("dmcp.volume", "1"), ("speaker-id", "kitchen"))

    with pytest.raises(ReceiverProtocolError):
        parse_request("setproperty", query)


KEYS = st.sampled_from(
    [
        "dmcp.volume",
        "dmcp.device-volume",
        "dacp.repeatstate",
        "speaker-id",
        "dacp.playingtime",
    ]
)


@given(
    st.text() | st.just("setproperty"), st.lists(st.tuples(KEYS | st.text(), st.text()))
)
def test_nothing_else_is_raised(name: str, query: list[tuple[str, str]]) -> None:
    try:
        parse_request(name, query)
    except ReceiverProtocolError:
        return
