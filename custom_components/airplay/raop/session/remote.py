"""Remote control requests of receivers: their permission and their answers.

A receiver is identified by the Active-Remote number of its session, which it may send
from any of its addresses: it can find us by IPv6 while it plays by IPv4. A number
stays valid after the end of its session, until the receiver has a newer one: a play
button is also pressed while nothing plays.
"""

from dataclasses import dataclass, field
import re

from ..buttons import Button
from ..errors import ReceiverProtocolError
from ..wire.dacp import DacpRequest, parse_request
from ..wire.http import HttpRequest, encode_response
from .limits.allowance import Allowance
from .source_switch import SourceSwitch, Turn

MOST_REMOTES = 512

_CONTROL = "/ctrl-int/1/"
_GET = "getproperty"
_ACTIVE_REMOTE = re.compile(r"[0-9]{1,10}", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{12}", re.ASCII)
# HomePods repeat one press many times; users press more slowly (pyatv #1068).
_ONE_PRESS_S = {
    Button.PLAY: 1.0,
    Button.PAUSE: 1.0,
    Button.PLAY_PAUSE: 1.0,
    Button.RESUME: 1.0,
    Button.STOP: 1.0,
    Button.SHUFFLE_TOGGLE: 0.5,
    Button.MUTE_TOGGLE: 0.5,
    Button.NEXT: 0.35,
    Button.PREVIOUS: 0.35,
}
_SWITCHES = {Button.SWITCHED_AWAY: True, Button.SWITCHED_BACK: False}
_ORDERS_A_SECOND = 20.0
_ORDERS_AT_ONCE = 40.0


@dataclass(slots=True)
class Remote:
    """One receiver's remote control: that of its newest session."""

    active_remote: int
    receiver: str
    stream: str
    addresses: frozenset[str]
    seen: frozenset[str] = frozenset()
    switch: SourceSwitch = field(default_factory=SourceSwitch)
    pressed: Button | None = None
    pressed_s: float = 0.0
    # Not more than a knob sends.
    orders: Allowance = field(
        default_factory=lambda: Allowance(_ORDERS_A_SECOND, _ORDERS_AT_ONCE)
    )

    def is_at(self, address: str) -> bool:
        """Whether an address, which has no scope, is one of the receiver."""
        return address in self.addresses or address in self.seen

    def is_repeated(self, button: Button, now_s: float) -> bool:
        """Whether this repeats the last press; every repetition extends it."""
        if button not in _ONE_PRESS_S:
            return False
        is_same, for_s = button is self.pressed, now_s - self.pressed_s
        self.pressed, self.pressed_s = button, now_s
        return is_same and for_s < _ONE_PRESS_S[button]


@dataclass(frozen=True, slots=True)
class Obeyed:
    """A command to run, and its meaning for the stream."""

    remote: Remote
    order: DacpRequest
    turn: Turn = Turn.NOTHING


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to the receiver, and the resulting commands."""

    status: int
    orders: tuple[Obeyed, ...] = ()

    def encode(self) -> bytes:
        """Write the response."""
        return encode_response(self.status)


class Remotes:
    """All receivers that may send commands; times are seconds of any clock."""

    def __init__(self) -> None:
        """Start without receivers."""
        self._by_receiver: dict[str, Remote] = {}

    def add(
        self,
        receiver: str,
        active_remote: int,
        stream: str,
        addresses: frozenset[str],
        now_s: float,
    ) -> None:
        """Permit commands by a receiver's new number, which replaces the old one.

        They may come from any of its addresses, which have no scopes.
        """
        known = self._by_receiver.pop(receiver, None)
        switch = known.switch if known else SourceSwitch()
        # The receiver may switch to us as soon as the session is set up.
        switch.began(now_s)
        self._by_receiver[receiver] = Remote(
            active_remote, receiver, stream, addresses, switch=switch
        )
        if len(self._by_receiver) > MOST_REMOTES:
            del self._by_receiver[next(iter(self._by_receiver))]

    def seen(self, receiver: str, addresses: frozenset[str]) -> None:
        """Permit a receiver's commands also from the addresses that it has now."""
        if remote := self._by_receiver.get(receiver):
            remote.seen = addresses

    def began(self, receiver: str, now_s: float) -> None:
        """Record that a receiver's session has started."""
        if remote := self._by_receiver.get(receiver):
            remote.switch.began(now_s)

    def ended(self, receiver: str, now_s: float) -> None:
        """Record that a receiver's session has ended."""
        if remote := self._by_receiver.get(receiver):
            remote.switch.ended(now_s)

    def admits(self, active_remote: str, address: str) -> bool:
        """Whether the number of a session, as a header has it, is one of an address."""
        return self._remote_for(active_remote, address) is not None

    def knows(self, address: str) -> bool:
        """Whether an address, which has no scope, is one of a receiver."""
        return any(each.is_at(address) for each in self._by_receiver.values())

    def answer(self, request: HttpRequest, address: str, now_s: float) -> Answer:
        """Answer a request from an address.

        Paths outside /ctrl-int/1/ are those of remote apps.
        """
        remote = self._remote_for(request.headers.get("active-remote", ""), address)
        if remote is None:
            return Answer(403)
        if not request.path.startswith(_CONTROL):
            return Answer(404)
        name = request.path.removeprefix(_CONTROL)
        if name == _GET:
            # For shairport-sync, 400 means a remote control without its own volume,
            # and 204 or 404 none at all (measured).
            return Answer(400)
        try:
            orders = parse_request(name, request.query)
        except ReceiverProtocolError:
            return Answer(400)
        if orders is None:
            return Answer(404)
        return self._carry_out(remote, orders, now_s)

    def press(self, receiver: str, button: Button, now_s: float) -> tuple[Obeyed, ...]:
        """Return the commands of a button pressed within a receiver's session."""
        remote = self._by_receiver.get(receiver)
        if remote is None:
            return ()
        return self._carry_out(remote, (DacpRequest(button),), now_s).orders

    def _remote_for(self, active_remote: str, address: str) -> Remote | None:
        text = active_remote.strip()
        if not _ACTIVE_REMOTE.fullmatch(text):
            return None
        number = int(text)
        for remote in self._by_receiver.values():
            if remote.active_remote == number and remote.is_at(address):
                return remote
        return None

    def _carry_out(
        self, remote: Remote, orders: tuple[DacpRequest, ...], now_s: float
    ) -> Answer:
        if not remote.orders.spend(now_s):
            return Answer(503)
        if any(not _is_meant(remote, order) for order in orders):
            return Answer(403)
        obeyed = []
        for order in orders:
            if remote.is_repeated(order.button, now_s):
                continue
            if order.button not in _SWITCHES:
                obeyed.append(Obeyed(remote, order))
                continue
            turn = remote.switch.turn_for(
                is_prevented=_SWITCHES[order.button], now_s=now_s
            )
            if turn is not Turn.NOTHING:
                obeyed.append(Obeyed(remote, order, turn))
        return Answer(204, tuple(obeyed))


def _is_meant(remote: Remote, order: DacpRequest) -> bool:
    """Whether a command is for the receiver itself; it may not set other volumes."""
    if order.speaker is None or not _MAC.fullmatch(remote.receiver):
        return True
    return order.speaker == int(remote.receiver, 16)
