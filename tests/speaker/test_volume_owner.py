"""The owner of a volume, with its events in any order."""

from collections.abc import Callable
from random import Random

from hypothesis import given, note, strategies as st
import pytest

from custom_components.airplay.player.origin import Origin
from custom_components.airplay.speaker.volume_owner import (
    ANSWER_S,
    DEAF_S,
    ECHO_S,
    OwnedLevel,
    VolumeOwner,
)
from tests.fuzz import AT_ONCE, BATCHES


def make_owner(level: float = 0.5) -> VolumeOwner:
    """Return an owner whose volume was written long ago."""
    owner = VolumeOwner(level)
    owner.order(level, is_muted=False, origin=Origin.USER, now_s=-100)
    assert owner.poll(-100)
    return owner


def order(owner: VolumeOwner, level: float, now_s: float) -> OwnedLevel | None:
    owner.order(level, is_muted=False, origin=Origin.USER, now_s=now_s)
    return owner.poll(now_s)


def test_user_change_is_written_immediately_and_once() -> None:
    owner = make_owner()

    assert order(owner, 0.3, 0) == OwnedLevel(0.3, False)
    assert owner.poll(10) is None


@pytest.mark.parametrize("after_s", [0, 0.5, 1.9, 3])
def test_echo_is_ignored_at_once_and_late(after_s: float) -> None:
    owner = make_owner()
    order(owner, 0.3, 0)

    # Rounded by a receiver with twenty steps.
    assert not owner.report(0.32, after_s)
    assert owner.poll(after_s + 10) is None
    assert owner.level == 0.3


def test_late_echo_of_a_replaced_volume_is_ignored() -> None:
    owner = make_owner()
    order(owner, 0.3, 0)
    order(owner, 0.6, 0.9)

    assert not owner.report(0.3, 3)
    assert owner.level == 0.6


def test_volume_before_our_change_is_ignored() -> None:
    owner = make_owner(0.5)
    order(owner, 0.3, 0)

    assert not owner.report(0.5, 1)
    assert owner.level == 0.3


def test_change_at_the_receiver_is_followed_and_answered_once() -> None:
    owner = make_owner(0.5)

    for step in range(5):
        assert owner.report(0.6 + step / 50, step / 10)
    assert owner.poll(0.4) is None
    assert owner.origin is Origin.DEVICE

    answered = owner.poll(0.4 + ANSWER_S)
    assert answered
    assert answered.level == pytest.approx(0.68)
    assert not owner.report(0.68, 0.9)
    assert owner.poll(60) is None


def test_volume_of_the_user_replaces_an_answer() -> None:
    owner = make_owner(0.5)
    owner.report(0.7, 0)

    assert order(owner, 0.2, 0.1) == OwnedLevel(0.2, False)
    assert owner.poll(5) is None


def test_apple_reports_the_previous_volume() -> None:
    owner = make_owner(0.5)
    owner.reports_previous = True

    assert not owner.report(0.9, 0)
    assert not owner.report(None, 0)
    assert owner.report(0.7, 0, is_wish=True)


def test_reports_of_mute_and_zero_are_equal() -> None:
    owner = make_owner(0.5)

    assert owner.report(None, 0)
    assert (owner.level, owner.is_muted) == (0.5, True)
    assert not owner.report(0, 1)
    assert owner.report(0.4, 2)
    assert (owner.level, owner.is_muted) == (0.4, False)


def test_receiver_above_the_ceiling_is_lowered_at_once() -> None:
    owner = make_owner(0.5)
    owner.limit(0.6, 0)

    assert owner.report(0.9, 10)
    assert owner.poll(10) == OwnedLevel(0.6, False)
    # Its knob is still being turned.
    assert not owner.report(1.0, 10.5)
    assert owner.poll(10.5) is None
    assert owner.poll(10 + DEAF_S) == OwnedLevel(0.6, False)


def test_receiver_that_ignores_the_maximum_is_not_corrected_forever() -> None:
    owner = make_owner(0.5)
    owner.limit(0.6, 0)
    written, now_s = 0, 10.0

    for _ in range(50):
        owner.report(0.9, now_s)
        written += owner.poll(now_s) is not None
        now_s += 1

    assert written == 3
    assert owner.level == 0.6


def test_volume_of_an_announcement_is_not_reported_back() -> None:
    owner = make_owner(0.5)

    owner.hold(0.9)
    assert not owner.report(0.9, 10)
    owner.release(20)
    assert not owner.report(0.9, 21)

    assert owner.level == 0.5
    assert owner.poll(60) is None
    assert owner.report(0.7, 30)


@pytest.mark.parametrize(
    ("found", "level", "is_known"),
    [
        ([1.0], 0.2, False),
        # A receiver that always returns the same may know no other.
        ([1.0, 1.0, 1.0], 0.2, False),
        ([0.5], 0.2, False),
        ([0.49], 0.49, True),
        ([1.0, 0.8], 0.8, True),
        ([0.8, 1.0], 1.0, True),
    ],
)
def test_a_loud_volume_is_accepted_once_it_has_changed(
    found: list[float], level: float, is_known: bool
) -> None:
    owner = VolumeOwner(0.2)

    for at_s, each in enumerate(found):
        owner.find(each, at_s)

    assert owner.level == pytest.approx(level)
    assert owner.is_known is is_known
    assert owner.due_s is None


def test_first_volume_is_the_receivers_own() -> None:
    owner = VolumeOwner(0.2)
    owner.find(0.4, 0)

    assert owner.poll(0) is None
    assert (owner.level, owner.origin) == (0.4, Origin.DEVICE)
    owner.find(0.3, 1)
    assert owner.poll(1) == OwnedLevel(0.4, False)


MS = 1000
MANNERS = (
    *("silent", "echoes", "echoes late", "echoes twice"),
    *("says previous", "Apple", "requests"),
)
STEPS = 12


class Receiver:
    """A receiver of one kind: how it handles volumes from the sender and its own knob."""

    def __init__(self, manner: str) -> None:
        self.manner = manner
        self.level = 0.5
        # Its future reports, with their times.
        self.saying: list[tuple[float, float]] = []

    def told(self, level: float, now_s: float) -> None:
        previous, self.level = self.level, level
        match self.manner:
            case "echoes":
                self.saying.append((now_s, level))
            case "echoes late":
                self.saying.append((now_s + 3, level))
            case "echoes twice":
                self.saying += [(now_s, level), (now_s + 1.5, level)]
            case "says previous" | "Apple":
                self.saying.append((now_s + 0.1, previous))

    def turned(self, level: float, now_s: float) -> None:
        if self.manner != "requests":
            self.level = level
        self.saying.append((now_s, level))


class Interleaving:
    """A user, a receiver, announcements and restarts, in any order."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.now_s = 0.0
        self.owner = make_owner()
        self.intent = 0.5
        self.wishes = 0
        self.writes = 0
        self.last_write_s = -100.0
        self.quiet_from_s = 0.0
        self.is_announcing = False
        self.receiver = Receiver(dice.choice(MANNERS))
        self.owner.reports_previous = self.receiver.manner == "Apple"
        self.owner.limit(dice.choice([1.0, 1.0, 0.6]), self.now_s)
        self.settle()
        self.story = [f"a receiver that is {self.receiver.manner!r}"]

    def live(self) -> None:
        """Take random steps, and check the volume after each."""
        for _ in range(STEPS):
            step = self.dice.choice(self.steps())
            self.story.append(f"{self.now_s}: {step.__name__}")
            step()
            self.check()
        self.end()

    def steps(self) -> list[Callable[[], None]]:
        """Return the steps that may happen now."""
        may_be_turned = self.receiver.manner != "Apple" and not self.is_announcing
        return [
            self.wait,
            self.set,
            self.restart,
            self.announced if self.is_announcing else self.announce,
            *([self.turn] if may_be_turned and self.now_s > self.quiet_from_s else []),
        ]

    def tenth(self) -> float:
        return self.dice.randrange(11) / 10

    def settle(self) -> None:
        if level := self.owner.poll(self.now_s):
            self.writes += 1
            self.last_write_s = self.now_s
            assert level.audible <= self.owner.maximum
            self.receiver.told(level.audible, self.now_s)

    def run_until(self, then_s: float) -> None:
        """Run the events that are due, in their order."""
        while True:
            due = [at for at, _ in self.receiver.saying]
            due += [self.owner.due_s] if self.owner.due_s is not None else []
            if not due or min(due) > then_s:
                break
            self.now_s = max(self.now_s, min(due))
            for said in [
                each for each in self.receiver.saying if each[0] <= self.now_s
            ]:
                self.receiver.saying.remove(said)
                self.owner.report(said[1], self.now_s)
            self.settle()
        self.now_s = then_s

    def wait(self) -> None:
        wait_ms = self.dice.choice([0, 50, 500, 1500, 2500, 3500, 10_000])
        self.run_until(self.now_s + wait_ms / MS)

    def set(self) -> None:
        level, origin = self.tenth(), self.dice.choice([Origin.USER, Origin.AUTOMATION])
        self.wishes += 1
        self.intent = min(level, self.owner.maximum)
        before = self.writes
        self.owner.order(level, is_muted=False, origin=origin, now_s=self.now_s)
        self.settle()
        assert self.writes == before + 1
        self.quiet_from_s = self.now_s + max(DEAF_S, ECHO_S)

    def turn(self) -> None:
        """Turn the knob, as quickly as people do."""
        for level in [self.tenth() for _ in range(self.dice.randint(1, 4))]:
            if abs(level - self.owner.level) <= 0.05:
                continue
            self.wishes += 1
            self.receiver.turned(level, self.now_s)
            if level > self.owner.maximum:
                self.intent = self.owner.maximum
                self.run_until(self.now_s)
                self.quiet_from_s = self.now_s + max(DEAF_S, ECHO_S)
                return
            self.intent = level
            self.run_until(self.now_s + 0.1)
        self.run_until(self.now_s + ANSWER_S)
        self.quiet_from_s = self.now_s + ECHO_S

    def restart(self) -> None:
        """Restart Home Assistant with its stored volume, and start a session with that."""
        fresh = VolumeOwner(0.2)
        fresh.maximum = self.owner.maximum
        fresh.reports_previous = self.owner.reports_previous
        fresh.restore(self.owner.level, is_muted=self.owner.is_muted)
        self.owner = fresh
        self.is_announcing = False
        self.receiver.saying.clear()
        self.receiver.level = fresh.level
        fresh.sent(self.now_s)
        self.quiet_from_s = self.now_s + ECHO_S

    def announce(self) -> None:
        level = min(self.tenth(), self.owner.maximum)
        self.is_announcing = True
        self.owner.hold(level)
        self.receiver.told(level, self.now_s)

    def announced(self) -> None:
        # Echoes of the announcement are over before it is.
        self.run_until(self.now_s + 1)
        self.is_announcing = False
        self.owner.release(self.now_s)
        self.receiver.told(self.owner.present.audible, self.now_s)
        self.receiver.saying = [
            each for each in self.receiver.saying if each[0] >= self.now_s
        ]
        self.quiet_from_s = self.now_s + ECHO_S

    def check(self) -> None:
        """Check that the volume is the one that was wanted last."""
        assert self.owner.level == pytest.approx(self.intent)
        assert self.owner.level <= self.owner.maximum
        assert self.writes <= self.wishes

    def end(self) -> None:
        """Check that late reports change nothing, and that none follow."""
        if self.is_announcing:
            self.announced()
        self.run_until(self.now_s + 60)
        self.check()
        assert self.owner.due_s is None
        assert not self.receiver.saying
        assert self.receiver.level == pytest.approx(self.owner.level)


@BATCHES
@given(st.integers(0, 1 << 32))
def test_no_order_of_events_sets_a_volume_that_was_not_requested(seed: int) -> None:
    dice = Random(seed)
    for _ in range(AT_ONCE):
        interleaving = Interleaving(dice)
        try:
            interleaving.live()
        finally:
            note("\n".join(interleaving.story))
