"""Actions in one house: plans, drawn by a state machine of hypothesis.

The plans are made before the first action. The timing of a sequence differs each time,
so that hypothesis could neither shrink nor confirm a failure; and during a try it seeds
the random numbers from which Home Assistant makes its ids.
"""

from dataclasses import dataclass
from typing import Any, override

from hypothesis import HealthCheck, Phase, seed, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from .house import MANNERS, ROOMS, House
from .media import BAD, FAILING, GOOD, LIVE

_SPEAKERS = st.integers(0, len(ROOMS) - 1)
_WAIT_S = st.sampled_from([0.0, 0.05, 0.3, 1.2, 2.5])
_BUTTONS = st.sampled_from(
    [
        *("media_pause", "media_play", "media_play_pause") * 2,
        *("media_next_track", "media_previous_track") * 2,
        "media_stop",
        "clear_playlist",
    ]
)
_ORDERS = st.sampled_from(
    [
        ("shuffle_set", "shuffle", True),
        ("shuffle_set", "shuffle", False),
        ("repeat_set", "repeat", "off"),
        ("repeat_set", "repeat", "one"),
        ("repeat_set", "repeat", "all"),
    ]
)
_BEGINNINGS = st.sampled_from(["long.wav", "long.wav", "list.m3u"])
_EVENTS = st.sampled_from(
    [*("drop", "come_back") * 4, *("vanish", "reload") * 2, "kill"]
)
_MANNERS = st.sampled_from([*MANNERS, *["good"] * 4])


@dataclass(frozen=True, slots=True)
class Step:
    """One of a house's methods, and how to call it."""

    name: str
    args: tuple[Any, ...]
    fields: dict[str, Any]

    async def take(self, house: House) -> None:
        """Do it."""
        await getattr(house, self.name)(*self.args, **self.fields)


type Plan = list[Step]


def draw_plan(number: int, steps: int) -> Plan:
    """Draw a plan of so many steps; the same number draws the same one."""
    drawn: list[Plan] = []

    class Drawn(Household):
        @override
        def teardown(self) -> None:
            drawn.append(self.plan)

    run_state_machine_as_test(
        seed(number)(Drawn),
        settings=settings(
            # The first one is the simplest of all, and the third a change of these.
            max_examples=2,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[*HealthCheck],
        ),
    )
    return drawn[1]


class Household(RuleBasedStateMachine):
    """Actions of people, speakers and networks in one house, in any order."""

    def __init__(self) -> None:
        """Begin with an empty plan."""
        super().__init__()
        self.plan: Plan = []

    @initialize(names=st.tuples(*[_BEGINNINGS] * len(ROOMS)))
    def begin(self, names: tuple[str, ...]) -> None:
        """Let all speakers play."""
        for which, name in enumerate(names):
            self._add("put", which, 0, name)
        self._add("listen", 1.2)

    @rule(which=_SPEAKERS, name=st.sampled_from(GOOD + LIVE + FAILING), wait_s=_WAIT_S)
    def play(self, which: int, name: str, wait_s: float) -> None:
        """Play something else."""
        self._add("put", which, wait_s, name)

    @rule(which=_SPEAKERS, wait_s=_WAIT_S)
    def play_long(self, which: int, wait_s: float) -> None:
        """Play media without an end."""
        self._add("put", which, wait_s, "long.wav")

    @rule(
        which=_SPEAKERS,
        name=st.sampled_from(GOOD + FAILING + BAD),
        enqueue=st.sampled_from(["add", "next", "play", "replace"]),
        wait_s=_WAIT_S,
    )
    def enqueue(self, which: int, name: str, enqueue: str, wait_s: float) -> None:
        """Put something into the queue."""
        self._add("put", which, wait_s, name, enqueue=enqueue)

    @rule(
        which=_SPEAKERS,
        button=_BUTTONS,
        times=st.sampled_from([1, 1, 2, 5]),
        wait_s=_WAIT_S,
    )
    def press(self, which: int, button: str, times: int, wait_s: float) -> None:
        """Press one button, maybe several times."""
        for _ in range(times):
            self._add("give", which, wait_s / times, button)

    @rule(
        which=_SPEAKERS,
        one=_BUTTONS,
        other=_BUTTONS,
        between_s=st.sampled_from([0.0, 0.02, 0.1, 0.6]),
        wait_s=_WAIT_S,
    )
    def press_two(
        self, which: int, one: str, other: str, between_s: float, wait_s: float
    ) -> None:
        """Press another button before the first one is done."""
        self._add("give", which, between_s, one)
        self._add("give", which, wait_s, other)

    @rule(which=_SPEAKERS, position_s=st.integers(0, 40), wait_s=_WAIT_S)
    def seek(self, which: int, position_s: int, wait_s: float) -> None:
        """Go to another place."""
        self._add("give", which, wait_s, "media_seek", seek_position=position_s)

    @rule(which=_SPEAKERS, order=_ORDERS)
    def order(self, which: int, order: tuple[str, str, Any]) -> None:
        """Shuffle or repeat."""
        action, field, value = order
        self._add("give", which, 0, action, **{field: value})

    @rule(
        which=_SPEAKERS,
        way=st.sampled_from(["set", "up", "down", "mute", "unmute", "limit"]),
        percent=st.integers(0, 100),
    )
    def turn(self, which: int, way: str, percent: int) -> None:
        """Make it louder or quieter."""
        match way:
            case "set":
                self._add("give", which, 0, "volume_set", volume_level=percent / 100)
            case "mute" | "unmute":
                is_muted = way == "mute"
                self._add("give", which, 0, "volume_mute", is_volume_muted=is_muted)
            case "limit":
                self._add("limit", which, max(10, percent))
            case _:
                self._add("give", which, 0, f"volume_{way}")

    @rule(which=_SPEAKERS, manners=_MANNERS)
    def behave(self, which: int, manners: str) -> None:
        """Set the quirks of a receiver for the next connections."""
        self._add("behave", which, manners)

    @rule(
        which=_SPEAKERS,
        manners=_MANNERS,
        button=_BUTTONS,
        waits_s=st.tuples(st.sampled_from([0.3, 1.2, 2.5]), _WAIT_S),
    )
    def meet(
        self, which: int, manners: str, button: str, waits_s: tuple[float, float]
    ) -> None:
        """Let a receiver be different to a session that begins now."""
        self._add("behave", which, manners)
        self._add("drop", which)
        self._add("put", which, waits_s[0], "long.wav")
        self._add("give", which, waits_s[1], button)

    @rule(which=_SPEAKERS, event=_EVENTS, wait_s=_WAIT_S)
    def happen(self, which: int, event: str, wait_s: float) -> None:
        """Let an event happen without a command."""
        self._add(event, *([] if event == "kill" else [which]))
        self._add("listen", wait_s)

    @rule(wait_s=st.sampled_from([1.0, 3.0]))
    def listen(self, wait_s: float) -> None:
        """Let it play."""
        self._add("listen", wait_s)

    def _add(self, name: str, *args: Any, **fields: Any) -> None:
        self.plan.append(Step(name, args, fields))
