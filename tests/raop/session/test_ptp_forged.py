"""Messages of a clock that are forged, stray, or contradict what was heard before."""

from collections.abc import Callable

import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.session.ptp import Peer
from custom_components.airplay.raop.session.ptp_readiness import Habit
from custom_components.airplay.raop.wire.ptp import (
    Header,
    MessageKind,
    PortIdentity,
    PtpAnnounce,
    PtpFollowUp,
    PtpSync,
)
from custom_components.airplay.raop.wire.ptp_requests import DelayRequest, signaling

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND
OUR_ID = 0xFFFF001122334455
OURS = PortIdentity(OUR_ID)
POD, OTHER = PortIdentity(0xAABBCCFFFEDDEEFF, 1), PortIdentity(0x0102030405060708, 1)
AHEAD_NS = 123 * SECOND
FAR_NS = 3 * SECOND
SYNC_NS = 125 * MS
# Half of a round trip, by which a Sync is late.
WAY_NS = 2 * MS

type Forged = Callable[[int], list[bytes]]
"""Returns messages of an instant."""


def announce(source: PortIdentity, grandmaster_id: int) -> bytes:
    return PtpAnnounce(source, 7, grandmaster_id, priority1=248).build()


def time_of(
    source: PortIdentity, ahead_ns: int, now_ns: int, number: int
) -> list[bytes]:
    return [
        PtpSync(source, number).build(),
        PtpFollowUp(source, number, now_ns + AHEAD_NS + ahead_ns).build(),
    ]


def one_step(ahead_ns: int, now_ns: int) -> list[bytes]:
    left_ns = now_ns + AHEAD_NS + ahead_ns
    return [PtpSync(POD, 9, left_ns, is_two_step=False).build()]


def answers(source: PortIdentity) -> list[bytes]:
    """Return an answer to each request that may be open."""
    return [
        DelayRequest(OURS, number).answer(source, START) for number in range(40, 256)
    ]


def headed(kind: MessageKind) -> Forged:
    return lambda _: [Header(kind, POD, 3).build(bytes(20))]


FORGED: dict[str, Forged] = {
    "Announce of another clock": lambda _: [announce(POD, OTHER.clock_id)],
    "Announce of another source": lambda _: [announce(OTHER, POD.clock_id)],
    "Announce of a stranger": lambda _: [announce(OTHER, OTHER.clock_id)],
    "Announce of our clock": lambda _: [announce(POD, OUR_ID)],
    "Announce like nqptp's": lambda _: [
        PtpAnnounce(POD, 7, POD.clock_id, priority1=127).build()
    ],
    "Sync alone": lambda _: [PtpSync(POD, 7).build()],
    "Follow_Up alone": lambda now: time_of(POD, FAR_NS, now, 900)[1:],
    "Follow_Up of the next Sync": lambda now: time_of(POD, FAR_NS, now, 65_535)[1:],
    "Sync ahead": lambda now: time_of(POD, FAR_NS, now, 900),
    "Sync behind": lambda now: time_of(POD, -FAR_NS, now, 900),
    "Sync of one step ahead": lambda now: one_step(FAR_NS, now),
    "Sync of one step behind": lambda now: one_step(-FAR_NS, now),
    "Sync of a stranger": lambda now: time_of(OTHER, FAR_NS, now, 900),
    "Delay_Req": headed(MessageKind.DELAY_REQUEST),
    "Pdelay_Req": headed(MessageKind.PEER_DELAY_REQUEST),
    "Pdelay_Resp": headed(MessageKind.PEER_DELAY_RESPONSE),
    "Pdelay_Resp_Follow_Up": headed(MessageKind.PEER_DELAY_FOLLOW_UP),
    "Delay_Resp of a stranger": lambda _: answers(OTHER)[:9],
    "Delay_Resp to a stranger": lambda _: [
        DelayRequest(OTHER, number).answer(POD, START) for number in range(9)
    ],
    "Signaling": lambda _: [signaling(POD, 3)],
}
OF_A_CLOCK = {
    MessageKind.ANNOUNCE,
    MessageKind.SYNC,
    MessageKind.FOLLOW_UP,
    MessageKind.DELAY_RESPONSE,
}


class Pod:
    """A receiver that leads, and a peer that hears it."""

    def __init__(self, habit: Habit = Habit.LEADS) -> None:
        self.peer = Peer(OUR_ID, habit, START)
        self.now_ns = START
        self._number = 0

    def tick(self) -> None:
        """Send a Sync, and answer a request."""
        self.now_ns += SYNC_NS
        if self._number % 2 == 0:
            self.peer.receive(announce(POD, POD.clock_id), self.now_ns)
        self._number += 1
        left_ns = self.now_ns - WAY_NS
        for message in (
            PtpSync(POD, self._number).build(),
            PtpFollowUp(POD, self._number, left_ns + AHEAD_NS).build(),
        ):
            self.peer.receive(message, self.now_ns)
        for asked in self.peer.due(self.now_ns):
            if Header.parse(asked.message).kind is MessageKind.DELAY_REQUEST:
                request = DelayRequest.parse(asked.message)
                answer = request.answer(POD, 0)
                self.peer.receive(answer, self.now_ns + 2 * WAY_NS)

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        for _ in range(round(seconds * SECOND / SYNC_NS)):
            self.tick()

    @property
    def error_ns(self) -> int:
        """By how much the estimated time is off."""
        timeline = self.peer.timeline
        assert timeline.clock_id == POD.clock_id
        return timeline.map.timeline_ns(self.now_ns) - self.now_ns - AHEAD_NS


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("since_s", [1, 20])
def test_one_forged_message_neither_moves_a_clock_nor_drops_it(
    name: str, since_s: int
) -> None:
    pod = Pod()
    pod.run(since_s)
    assert pod.error_ns == pytest.approx(0, abs=2)
    ready_ns = pod.peer.ready_at_ns(pod.now_ns)

    for message in FORGED[name](pod.now_ns + SYNC_NS // 2):
        pod.peer.receive(message, pod.now_ns + SYNC_NS // 2)
    errors_ns = []
    for _ in range(100):
        pod.tick()
        errors_ns.append(abs(pod.error_ns))

    assert max(errors_ns) <= 2
    assert pod.peer.has_evidence(pod.now_ns)
    assert pod.peer.ready_at_ns(pod.now_ns) == ready_ns


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("after", range(4))
def test_one_forged_message_at_the_start_does_not_spoil_it(
    name: str, after: int
) -> None:
    pod = Pod()
    pod.run(after * SYNC_NS / SECOND)
    for message in FORGED[name](pod.now_ns + 1):
        pod.peer.receive(message, pod.now_ns + 1)
    pod.run(4)

    assert pod.peer.has_evidence(pod.now_ns)
    assert pod.error_ns == pytest.approx(0, abs=2)


@pytest.mark.parametrize("name", FORGED)
def test_one_forged_message_does_not_make_a_receiver_lead(name: str) -> None:
    peer = Peer(OUR_ID, Habit.FOLLOWS, START)
    for number in range(40):
        peer.due(START + number * SYNC_NS)
    now_ns = START + 5 * SECOND
    for message in FORGED[name](now_ns):
        peer.receive(message, now_ns)

    for number in range(40):
        assert peer.timeline.clock_id == OUR_ID
        peer.due(now_ns + number * SYNC_NS)
    assert peer.timeline.map.timeline_ns(now_ns) == now_ns


@pytest.mark.parametrize("name", FORGED)
def test_a_clock_from_another_port_is_refused(name: str) -> None:
    pod = Pod()
    pod.run(2)
    before = pod.peer.timeline

    for message in FORGED[name](pod.now_ns) * 4:
        if Header.parse(message).kind in OF_A_CLOCK:
            with pytest.raises(ReceiverProtocolError, match="from an unexpected port"):
                pod.peer.receive(message, pod.now_ns, is_own_port=False)
        else:
            pod.peer.receive(message, pod.now_ns, is_own_port=False)

    assert pod.peer.timeline == before


def test_a_stray_message_between_is_no_persistence() -> None:
    pod = Pod()
    pod.run(2)
    for _ in range(12):
        pod.peer.receive(announce(POD, OTHER.clock_id), pod.now_ns)
        pod.tick()
        pod.tick()

    assert pod.error_ns == pytest.approx(0, abs=2)


@pytest.mark.parametrize("clock_id", [OTHER.clock_id, OUR_ID])
@pytest.mark.parametrize(
    ("at_ms", "changes"),
    [
        ((0, 200, 400), True),
        ((0, 200, 399), False),
        ((0, 400), False),
        ((0, 3000, 6000), True),
        ((0, 3001, 6000), False),
    ],
)
def test_another_clock_is_followed_once_its_announces_persist(
    clock_id: int, at_ms: tuple[int, ...], *, changes: bool
) -> None:
    pod = Pod()
    pod.run(2)
    for each in at_ms:
        pod.peer.receive(announce(POD, clock_id), pod.now_ns + each * MS)

    assert pod.peer.has_evidence(pod.now_ns) is not changes


def test_a_forged_answer_does_not_shorten_the_way() -> None:
    """It comes as soon as the request has left."""
    pod = Pod()
    pod.run(2)
    number = next(
        DelayRequest.parse(each.message).sequence
        for each in pod.peer.due(pod.now_ns + SYNC_NS // 2)
    )
    forged = DelayRequest(OURS, number).answer(POD, 0)
    pod.peer.receive(forged, pod.now_ns + SYNC_NS // 2)
    pod.run(5)

    assert pod.error_ns == pytest.approx(0, abs=2)
