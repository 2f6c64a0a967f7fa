"""The PTP clock of this process, shared by all receivers that follow it."""

from collections.abc import Callable, Iterable
from hashlib import sha256
import logging
import socket

from ...errors import PtpUnavailableError, ReceiverProtocolError
from ...session.clock_estimate.clock_map import Timeline
from ...session.ptp import Outgoing, Peer
from ...session.ptp_readiness import Habit
from ...wire.ptp import GENERAL_PORT
from ..net import clock
from ..pacing.pacer import Pacer
from .event_sockets import Address, receive
from .held_peer import HeldPeer
from .links import (
    EVERYWHERE,
    STANDARD,
    Place,
    PtpLink,
    PtpPortNumbers,
    open_links,
    place_from,
    place_of,
    with_port,
)

_LOGGER = logging.getLogger(__name__)

_FAR_NS = 3600 * 1_000_000_000


class PtpPeer:
    """A lane's reference to a receiver that follows our clock or shares its own."""

    def __init__(self, service: PtpService, held: HeldPeer) -> None:
        self._service = service
        self._held = held
        self._peer = held.peer
        self._is_held = True

    @property
    def has_evidence(self) -> bool:
        """Whether the receiver has shown that it shares one clock with us."""
        return self._peer.has_evidence(clock.now_ns())

    @property
    def probes(self) -> int:
        """How often in a row the receiver has measured the path delay to us."""
        return self._peer.probes

    @property
    def messages(self) -> int:
        """How many PTP messages have come from the receiver."""
        return self._held.messages

    @property
    def ready_at_ns(self) -> int:
        """The session time from which an anchor is reliable; it may move."""
        return self._peer.ready_at_ns(clock.now_ns())

    @property
    def lead_ms(self) -> int:
        """The time until `ready_at_ns`, or 0 once it is over."""
        now_ns = clock.now_ns()
        return max(0, -((now_ns - self._peer.ready_at_ns(now_ns)) // 1_000_000))

    @property
    def timeline(self) -> Timeline:
        """The clock for anchors, with its map; ours until the receiver's is known.

        Both change at once, so that no anchor names one clock and another's time.
        """
        return self._peer.timeline

    def listen(self, on_evidence: Callable[[], None]) -> None:
        """Call `on_evidence`, replacing an earlier callback, on each new evidence.

        It is also called once immediately; always on the pacing thread.
        """
        self._service.listen(self._held, self, on_evidence)

    def watch(self, on_timeline: Callable[[int], None]) -> None:
        """Call `on_timeline` with the session time, on the pacing thread, on changes.

        The timeline of a clock that is followed changes with each of its Syncs.
        """
        self._service.run(lambda: self._held.watchers.update({self: on_timeline}))

    def rest_while(self, is_idle: Callable[[], bool]) -> None:
        """Send our clock less often while nothing plays, as `is_idle` tells.

        It is called on the pacing thread, at every turn of the clock.
        """
        self._service.run(lambda: self._held.idlers.update({self: is_idle}))

    def begin(self) -> None:
        """Send our clock immediately and count evidence anew, before a stream's SETUP.

        The answer may take seconds, in which the receiver already measures our clock.
        """
        self._service.post(self._held, Peer.begin)

    def announce(self) -> None:
        """Send our clock immediately: some receivers forget it in a stream's SETUP."""
        self._service.post(self._held, Peer.announce)

    def remove(self) -> None:
        """Release the receiver; idempotent."""
        if self._is_held:
            self._is_held = False
            self._service.release(self._held, self)


class PtpService:
    """Owns UDP ports 319 and 320 of this machine, from the first peer until `close`."""

    def __init__(
        self,
        pacer: Pacer,
        clock_id: int,
        *,
        ports: PtpPortNumbers = STANDARD,
        receivers: PtpPortNumbers = STANDARD,
        local: Iterable[str] = EVERYWHERE,
        on_change: Callable[[PtpUnavailableError | None], None] = lambda _: None,
    ) -> None:
        self.clock_id = clock_id
        self._pacer = pacer
        self._ports = ports
        self._receivers = receivers
        self._local = tuple(local)
        self._links: dict[socket.AddressFamily, PtpLink] = {}
        self._held: dict[Place, HeldPeer] = {}
        self._is_listening = False
        self._on_change = on_change
        self._problem: str | None = None

    @property
    def syncs(self) -> int:
        """The number of timed messages that were sent."""
        return sum(link.event.sent for link in self._links.values())

    @property
    def stamped(self) -> int:
        """The number of sent timed messages that the kernel stamped."""
        return sum(link.event.stamped for link in self._links.values())

    @property
    def ports(self) -> tuple[PtpPortNumbers, ...]:
        """The ports in use, one pair for each address family."""
        return tuple(link.ports for link in self._links.values())

    async def add_peer(
        self, addresses: Iterable[str], habit: Habit = Habit.FOLLOWS
    ) -> PtpPeer:
        """Share one clock with a receiver until each caller has removed its peer.

        Messages go to its first address and are accepted from all (a link-local one
        with its scope). `on_change` gets each new error once, and None when PTP is
        available again.

        Raises PtpUnavailableError: this machine cannot open the PTP ports.
        """
        known = tuple(addresses)
        if not self._links:
            self._open_ports()
        return await self._pacer.run(lambda: self._add(known, habit))

    def post(self, held: HeldPeer, step: Callable[[Peer, int], None]) -> None:
        """See PtpPeer; the step gets the session time, on the pacing thread."""
        self._pacer.post(lambda: step(held.peer, clock.now_ns()))

    def listen(
        self, held: HeldPeer, peer: PtpPeer, on_evidence: Callable[[], None]
    ) -> None:
        """See PtpPeer."""

        def listen() -> None:
            held.listeners[peer] = on_evidence
            on_evidence()

        self._pacer.post(listen)

    def run(self, job: Callable[[], None]) -> None:
        """Run a job on the pacing thread."""
        self._pacer.post(job)

    def release(self, held: HeldPeer, peer: PtpPeer) -> None:
        """See PtpPeer."""
        self._pacer.post(lambda: self._remove(held, peer))

    async def close(self) -> None:
        """Free the ports; no peers are left."""
        if self._links:
            await self._pacer.run(self._free_ports)

    def pump(self, now_ns: int) -> int:
        """Send the due messages; return the session time of the next turn."""
        due_ns = now_ns + _FAR_NS
        for held in tuple(self._held.values()):
            if link := self._links.get(held.family):
                held.rest(now_ns)
                for outgoing in held.peer.due(now_ns):
                    self._send(link, held.address, outgoing)
                held.notify_timeline(now_ns)
            due_ns = min(due_ns, held.peer.next_ns)
        for link in self._links.values():
            link.event.give_up(now_ns)
            due_ns = min(due_ns, link.event.deadline_ns or due_ns)
        return due_ns

    def _open_ports(self) -> None:
        try:
            self._links = open_links(self._local, self._ports)
        except PtpUnavailableError as err:
            self._notify(err)
            raise
        self._notify(None)

    def _notify(self, problem: PtpUnavailableError | None) -> None:
        reason = problem.reason if problem else None
        if reason != self._problem:
            self._problem = reason
            self._on_change(problem)

    def _add(self, addresses: tuple[str, ...], habit: Habit) -> PtpPeer:
        if not self._is_listening:
            self._is_listening = True
            self._pacer.add(self)
            for link in self._links.values():
                self._listen(link)
        place = place_of(addresses[0])
        held = self._held.get(place)
        if held is None:
            peer = Peer(self.clock_id, habit, clock.now_ns())
            held = self._held[place] = HeldPeer(peer, addresses[0])
        held.places.update(place_of(each) for each in addresses)
        held.holders += 1
        return PtpPeer(self, held)

    def _remove(self, held: HeldPeer, peer: PtpPeer) -> None:
        held.remove(peer)
        if not held.holders:
            self._held.pop(held.place, None)

    def _listen(self, link: PtpLink) -> None:
        event = link.event

        def receive_event() -> None:
            event.collect()
            self._receive(link, event.sock)

        self._pacer.listen(event.sock, receive_event)
        self._pacer.listen(link.general, lambda: self._receive(link, link.general))

    def _free_ports(self) -> None:
        self._pacer.remove(self)
        links, self._links = self._links, {}
        self._held.clear()
        self._is_listening = False
        for link in links.values():
            self._pacer.forget(link.event.sock)
            self._pacer.forget(link.general)
            link.close()

    def _receive(self, link: PtpLink, sock: socket.socket) -> None:
        is_event = sock is link.event.sock
        port = self._receivers.event if is_event else self._receivers.general
        for datagram, address, arrived_ns in receive(sock):
            held = self._held_at(place_from(address))
            if held is None:
                continue
            held.messages += 1
            # It may have lapsed since the last message.
            held.has_evidence &= held.peer.has_evidence(arrived_ns)
            try:
                answers = held.peer.receive(
                    datagram, arrived_ns, is_own_port=address[1] == port
                )
            except ReceiverProtocolError as err:
                _LOGGER.debug("%s: %s", address[0], err)
                continue
            for answer in answers:
                self._send(link, address, answer)
            held.notify_evidence(arrived_ns)
            held.notify_timeline(arrived_ns)

    def _held_at(self, place: Place) -> HeldPeer | None:
        if held := self._held.get(place):
            return held
        all_held = self._held.values()
        return next((held for held in all_held if place in held.places), None)

    def _send(self, link: PtpLink, to: Address, outgoing: Outgoing) -> None:
        general = with_port(to, self._receivers.general)
        if outgoing.port == GENERAL_PORT:
            link.send_untimed(outgoing.message, general)
            return
        follow_up = outgoing.follow_up

        def on_sent(sent_ns: int) -> None:
            if follow_up and (message := follow_up(sent_ns, clock.now_ns())):
                link.send_untimed(message, general)

        event = with_port(to, self._receivers.event)
        link.event.send(outgoing.message, event, on_sent)


def clock_id_of(dacp_id: str) -> int:
    """Return the clock id of an installation: its DACP id, 16 hexadecimal digits."""
    try:
        return int(dacp_id, 16) & 0xFFFFFFFFFFFFFFFF
    except ValueError:
        return int.from_bytes(sha256(dacp_id.encode()).digest()[:8])
