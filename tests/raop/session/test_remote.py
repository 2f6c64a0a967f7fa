"""Orders of receivers: which are permitted, and the answers."""

from random import Random

from hypothesis import given, note, strategies as st
import pytest

from custom_components.airplay.raop.buttons import Button
from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.session.remote import MOST_REMOTES, Answer, Remotes
from custom_components.airplay.raop.session.source_switch import Turn
from custom_components.airplay.raop.wire.http import HttpRequest, RequestParser
from tests.fuzz import AT_ONCE, BATCHES

KITCHEN = "0a0b0c0d0e01"
ADDRESS = "10.0.0.2"


def request(target: str, active_remote: str | None = "7") -> HttpRequest:
    header = "" if active_remote is None else f"Active-Remote: {active_remote}\r\n"
    parsed = RequestParser().feed(f"GET {target} HTTP/1.1\r\n{header}\r\n".encode())
    assert parsed
    return parsed


class Room:
    """A kitchen speaker that has a session, and a clock."""

    def __init__(self) -> None:
        self.remotes = Remotes()
        self.remotes.add(KITCHEN, 7, "stream", frozenset({ADDRESS}), 0)
        self.now_s = 100.0

    def ask(
        self, command: str, active_remote: str | None = "7", address: str = ADDRESS
    ) -> Answer:
        target = command if command[0] == "/" else f"/ctrl-int/1/{command}"
        return self.remotes.answer(request(target, active_remote), address, self.now_s)

    def press(self, command: str) -> list[Button]:
        answer = self.ask(command)
        assert answer.status == 204
        return [each.order.button for each in answer.orders]


@pytest.fixture
def room() -> Room:
    return Room()


def test_order_names_receiver_and_stream(room: Room) -> None:
    (obeyed,) = room.ask("nextitem").orders

    assert (obeyed.remote.receiver, obeyed.remote.stream) == (KITCHEN, "stream")
    assert obeyed.order.button is Button.NEXT


@pytest.mark.parametrize("active_remote", ["7", " 7", "\x1e7\x1f"])
def test_blanks_around_the_number_of_a_session_do_not_count(
    room: Room, active_remote: str
) -> None:
    asked = HttpRequest("GET", "/ctrl-int/1/play", (), {"active-remote": active_remote})

    assert room.remotes.answer(asked, ADDRESS, 0).status == 204


@pytest.mark.parametrize(
    ("active_remote", "address"),
    [
        ("8", ADDRESS),
        ("7", "10.0.0.3"),
        (None, ADDRESS),
        ("", ADDRESS),
        ("-7", ADDRESS),
        ("\u0667", ADDRESS),
        ("7" * 5000, ADDRESS),
    ],
)
def test_strangers_are_refused(
    room: Room, active_remote: str | None, address: str
) -> None:
    answer = room.remotes.answer(
        request("/ctrl-int/1/play", None)
        if active_remote is None
        else HttpRequest(
            "GET", "/ctrl-int/1/play", (), {"active-remote": active_remote}
        ),
        address,
        0,
    )

    assert answer == Answer(403)


def test_a_number_admits_the_addresses_of_its_receiver(room: Room) -> None:
    room.remotes.seen(KITCHEN, frozenset({"10.0.0.4"}))

    assert room.remotes.admits(" 7", ADDRESS)
    assert room.remotes.admits("7", "10.0.0.4")
    assert not room.remotes.admits("8", ADDRESS)
    assert not room.remotes.admits("7", "10.0.0.3")
    assert room.remotes.knows(ADDRESS)
    assert room.remotes.knows("10.0.0.4")
    assert not room.remotes.knows("10.0.0.3")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("getproperty?properties=dmcp.volume", 400),
        ("explode", 404),
        ("", 404),
        ("play/", 404),
        ("playstatusupdate?revision-number=1", 404),
        ("/server-info", 404),
        ("/login?pairing-guid=0x1", 404),
        ("/", 404),
        ("setproperty?dmcp.device-volume=loud", 400),
        ("setproperty?dacp.userrating=5", 204),
        ("setproperty", 204),
    ],
)
def test_requests_without_an_order(room: Room, target: str, status: int) -> None:
    answer = room.ask(target if target.startswith("/") else f"/ctrl-int/1/{target}")

    assert answer == Answer(status)


def test_number_of_the_newest_session_stays_valid_after_its_end(room: Room) -> None:
    room.remotes.ended(KITCHEN, 50)
    assert room.press("play") == [Button.PLAY]

    room.remotes.add(KITCHEN, 9, "stream", frozenset({ADDRESS}), 0)

    assert room.ask("play").status == 403
    assert room.ask("play", "9").status == 204


def test_one_press_repeated_many_times_is_one_press(room: Room) -> None:
    pressed = room.press("playpause")
    for _ in range(20):
        room.now_s += 0.2
        pressed += room.press("playpause")
    room.now_s += 1.1
    pressed += room.press("playpause")

    assert pressed == [Button.PLAY_PAUSE] * 2


def test_other_button_in_between_makes_it_another_press(room: Room) -> None:
    pressed = []
    for command in ("pause", "play", "volumeup", "discrete-pause", "playpause"):
        room.now_s += 0.1
        pressed += room.press(command)

    assert len(pressed) == 5


def test_fast_fingers_are_followed(room: Room) -> None:
    pressed = []
    for command in ("nextitem", "nextitem", "volumeup", "volumeup", "previtem"):
        room.now_s += 0.4
        pressed += room.press(command)

    assert len(pressed) == 5


def test_flood_of_dacp_requests_does_not_interrupt_playback(room: Room) -> None:
    statuses = [room.ask("volumeup").status for _ in range(100)]

    assert statuses == [204] * 40 + [503] * 60
    room.now_s += 1
    assert [room.ask("volumeup").status for _ in range(30)].count(204) == 20


def test_receiver_sets_its_own_volume_and_no_other(room: Room) -> None:
    own, other = int(KITCHEN, 16), int(KITCHEN, 16) + 1

    mine = f"setproperty?include-speaker-id={own}&dmcp.volume=40"
    assert room.press(mine) == [Button.VOLUME_SET]
    theirs = f"setproperty?include-speaker-id={other}&dmcp.volume=40"
    assert room.ask(theirs) == Answer(403)


def test_commands_come_from_any_address_of_the_receiver_and_from_no_other(
    room: Room,
) -> None:
    room.remotes.add(KITCHEN, 7, "stream", frozenset({ADDRESS, "fd00::2"}), 0)
    room.remotes.seen(KITCHEN, frozenset({"10.0.0.3"}))
    room.remotes.seen("0a0b0c0d0e0f", frozenset({"10.0.0.4"}))

    for own in (ADDRESS, "fd00::2", "10.0.0.3"):
        assert room.ask("nextitem", address=own).status == 204
    for foreign in ("10.0.0.4", "fd00::3"):
        assert room.ask("nextitem", address=foreign).status == 403


def test_speaker_is_not_compared_if_no_id_is_known(room: Room) -> None:
    room.remotes.add("10.0.0.9:5000", 8, "other", frozenset({"10.0.0.9"}), 0)

    answer = room.ask("setproperty?speaker-id=3&dmcp.volume=4", "8", "10.0.0.9")

    assert answer.status == 204


def test_source_switch_is_decided_here(room: Room) -> None:
    away = "setproperty?dmcp.device-prevent-playback=1"
    room.remotes.began(KITCHEN, 99.5)
    assert room.press(away) == []

    room.now_s = 110
    (obeyed,) = room.ask(away).orders
    assert (obeyed.order.button, obeyed.turn) == (Button.SWITCHED_AWAY, Turn.LEAVE)

    room.remotes.ended(KITCHEN, 110)
    room.now_s = 200
    (obeyed,) = room.ask("setproperty?dmcp.device-busy=0").orders
    assert (obeyed.order.button, obeyed.turn) == (Button.SWITCHED_BACK, Turn.RETURN)


def test_switch_is_remembered_over_sessions(room: Room) -> None:
    room.remotes.began(KITCHEN, 100)
    room.remotes.ended(KITCHEN, 160)
    room.remotes.add(KITCHEN, 9, "stream", frozenset({ADDRESS}), 170)
    room.remotes.ended(KITCHEN, 175)

    room.now_s = 176
    answer = room.ask("setproperty?dmcp.device-prevent-playback=1", "9")

    assert answer == Answer(204)


def test_unknown_receivers_begin_and_end_nothing(room: Room) -> None:
    room.remotes.began("nobody", 1)
    room.remotes.ended("nobody", 2)

    assert room.press("play") == [Button.PLAY]


def test_a_button_within_a_session_is_an_order_of_its_receiver(room: Room) -> None:
    (obeyed,) = room.remotes.press(KITCHEN, Button.NEXT, 100.0)

    assert (obeyed.remote.receiver, obeyed.remote.stream) == (KITCHEN, "stream")
    assert obeyed.order.button is Button.NEXT
    assert room.remotes.press(KITCHEN, Button.NEXT, 100.1) == ()
    assert room.remotes.press("0a0b0c0d0e02", Button.NEXT, 100.0) == ()


def test_remotes_do_not_grow(room: Room) -> None:
    for number in range(2 * MOST_REMOTES):
        room.remotes.add(f"{number:012x}", number, "stream", frozenset({ADDRESS}), 0)

    assert len(room.remotes._by_receiver) == MOST_REMOTES
    assert room.ask("play").status == 403


WORDS = [
    *("play", "setproperty", "getproperty", "playpause", "volumeup", "/", "?", "&"),
    *("dmcp.volume=", "dmcp.device-volume=", "dacp.repeatstate=", "speaker-id="),
    *("dmcp.device-prevent-playback=", "dacp.playingtime=", "include-speaker-id="),
    *("1", "-144", "0x", "9" * 12, "%", "%00", "..", "nan", ",", "+", "e9"),
]


def target(dice: Random) -> str:
    """Return words of the protocol in any order, often as values that are set."""
    words = dice.choices(WORDS, k=dice.randrange(13))
    return "".join(["setproperty?", *words] if dice.random() < 0.5 else words)


def orders(dice: Random) -> list[tuple[str, str]]:
    """Return some orders, each with its Active-Remote."""
    return [
        (target(dice), dice.choice("78 ").strip()) for _ in range(dice.randrange(6))
    ]


@BATCHES
@given(st.integers(0, 1 << 32))
def test_arbitrary_requests_are_answered(seed: int) -> None:
    dice = Random(seed)
    for _ in range(AT_ONCE):
        asked = orders(dice)
        note(f"{asked}")
        room = Room()
        for each, active_remote in asked:
            room.now_s += 0.2
            try:
                parsed = request(f"/ctrl-int/1/{each}", active_remote)
            except ReceiverProtocolError:
                continue
            answer = room.remotes.answer(parsed, ADDRESS, room.now_s)

            assert answer.status in (204, 400, 403, 404, 503)
            assert answer.status == 204 or not answer.orders
            assert active_remote == "7" or answer.status == 403
            assert len(answer.encode()) < 300
        assert len(room.remotes._by_receiver) == 1
