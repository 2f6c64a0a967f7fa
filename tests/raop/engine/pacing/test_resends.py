"""Retransmissions: what a bad link needs, and what a flood of requests gets."""

from collections.abc import Callable
from random import Random

import pytest

from custom_components.airplay.raop.engine.pacing.resends import Resends
from custom_components.airplay.raop.session.backlog import Format
from custom_components.airplay.raop.session.lead import START_PACKETS
from custom_components.airplay.raop.wire.rtp import ResendRequest
from tests.raop.engine.fakes import MS, PACKET_NS, FakePackets

SECOND_NS = 1000 * MS
TURN_NS = 800_000


class Link:
    """A stream whose packets are lost at random, and a receiver that asks for them."""

    def __init__(self, loss: float) -> None:
        self._dice = Random(7)
        self._loss = loss
        self.packets = FakePackets()
        self.resends = Resends(self._deliver)
        self.sent: list[bytes] = []
        # Missing packets, and until when they are of use.
        self.missing: dict[int, int] = {}
        self.too_late = 0

    def _is_lost(self) -> bool:
        return self._dice.random() < self._loss

    def _deliver(self, reply: bytes) -> None:
        self.sent.append(reply)
        if not self._is_lost():
            self.missing.pop(int.from_bytes(reply[6:8]), None)

    def play(self, packets: int, ask: Callable[[int], None]) -> None:
        """Send packets in time; `ask` is called after each."""
        for number in range(packets):
            now_ns = number * PACKET_NS
            sequence = self.packets.next_sequence
            self.packets.fill(1)
            if self._is_lost():
                self.missing[sequence & 0xFFFF] = now_ns + 2 * SECOND_NS
            ask(now_ns)
            for turn in range(10):
                self.resends.pump(
                    now_ns + turn * TURN_NS,
                    self.packets,
                    Format(),
                    self.packets.next_sequence,
                )
            for late in [each for each, end in self.missing.items() if end <= now_ns]:
                self.too_late += 1
                del self.missing[late]

    def ask_for_missing(self, now_ns: int) -> None:
        """Ask each 250 ms for each packet that is missing, as shairport-sync does."""
        if now_ns // PACKET_NS % 31:
            return
        for sequence in self.missing:
            if not self._is_lost():
                self.resends.ask(ResendRequest(sequence, 1))


@pytest.mark.parametrize("loss", [0.05, 0.3])
def test_a_link_that_loses_a_third_gets_what_it_needs(loss: float) -> None:
    link = Link(loss)

    link.play(125 * 30, link.ask_for_missing)

    assert link.too_late <= 125 * 30 * 0.003
    assert len(link.sent) > 125 * 30 * loss


def test_an_outage_of_four_seconds_is_repaired() -> None:
    link = Link(0)
    link.packets.fill(500)
    link.resends.ask(ResendRequest(100, 500))

    link.play(125, lambda _: None)

    assert {each[6:8] for each in link.sent} >= {
        sequence.to_bytes(2) for sequence in range(100, 600)
    }


def test_a_flood_of_requests_is_answered_within_a_budget() -> None:
    link = Link(0)

    def flood(_: int) -> None:
        for _ in range(2):
            link.resends.ask(ResendRequest(0, 0xFFFF))

    link.play(1250, flood)

    # 500 at once, and 200 a second for ten seconds.
    assert 1000 < len(link.sent) <= 2500
    assert sum(map(len, link.sent)) < 4_000_000


def test_one_packet_is_sent_again_a_few_times_only() -> None:
    link = Link(0)

    link.play(1250, lambda _: link.resends.ask(ResendRequest(100, 1)))

    assert len(link.sent) == 8


def test_requests_for_packets_that_do_not_exist_cost_nothing() -> None:
    link = Link(0)

    link.play(125, lambda _: link.resends.ask(ResendRequest(30_000, 1000)))
    assert not link.sent

    link.resends.begin(1000)
    link.play(1, lambda _: link.resends.ask(ResendRequest(100, 1)))
    assert len(link.sent) == 1


def test_only_the_packets_of_the_present_start_are_its_losses() -> None:
    link = Link(0)
    link.packets.fill(400)
    cursor = link.packets.next_sequence

    def losses(first: int, count: int) -> int:
        link.resends.ask(ResendRequest(first, count))
        for turn in range(4):
            now_ns = (first + turn) * SECOND_NS
            link.resends.pump(now_ns, link.packets, Format(), cursor)
        return link.resends.start_losses

    assert losses(110, 1) == 0
    link.resends.begin(200)
    assert losses(199, 1) == 0
    assert losses(200, 2) == 2
    assert losses(200 + START_PACKETS - 1, 2) == 3
    link.resends.begin(300)
    assert link.resends.start_losses == 0


def test_copies_wait_for_other_packets_but_not_for_long() -> None:
    link = Link(0)
    link.packets.fill(20)
    cursor = link.packets.next_sequence

    def pump(now_ns: int) -> int:
        return link.resends.pump(now_ns, link.packets, Format(), cursor)

    for number, at_ns in ((100, 41 * MS), (101, 110 * MS)):
        link.sent.clear()
        link.resends.ask(ResendRequest(number, 1))
        base_ns = number * SECOND_NS

        assert pump(base_ns) == base_ns + 110 * MS
        pump(base_ns + 39 * MS)
        assert len(link.sent) == 1
        pump(base_ns + at_ns)
        assert len(link.sent) == 2
