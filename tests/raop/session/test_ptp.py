"""Our clock towards one receiver, message by message."""

import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.session.clock_estimate.clock_map import SAME
from custom_components.airplay.raop.session.ptp import Outgoing, Peer
from custom_components.airplay.raop.session.ptp_readiness import Habit
from custom_components.airplay.raop.wire.ptp import (
    EVENT_PORT,
    GENERAL_PORT,
    Header,
    MessageKind,
    PortIdentity,
    PtpAnnounce,
    PtpFollowUp,
    PtpSync,
)
from tests.raop.vectors import octets

OUR_ID = 0xFFFF001122334455
THEIRS = PortIdentity(0xAABBCCFFFEDDEEFF, 1)
MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND


def make_peer(habit: Habit = Habit.FOLLOWS) -> Peer:
    """Return a receiver that was just added."""
    return Peer(OUR_ID, habit, START)


def kinds(messages: list[Outgoing]) -> list[MessageKind]:
    """Return the kinds of messages."""
    return [Header.parse(each.message).kind for each in messages]


def probe(sequence: int = 1, kind: MessageKind = MessageKind.DELAY_REQUEST) -> bytes:
    """Return a receiver's delay request to us."""
    return Header(kind, THEIRS, sequence).build(bytes(10))


def claim(priority1: int) -> bytes:
    """Return an Announce of the receiver's own clock."""
    return PtpAnnounce(THEIRS, 1, THEIRS.clock_id, priority1=priority1).build()


def sync_of(peer: Peer, now_ns: int) -> Outgoing:
    """Return the Sync that is due."""
    (found,) = [each for each in peer.due(now_ns) if each.follow_up]
    return found


def tell(sync: Outgoing, sent_ns: int, now_ns: int) -> bytes | None:
    """Return the Follow_Up of a Sync that has left."""
    assert sync.follow_up
    return sync.follow_up(sent_ns, now_ns)


def test_a_new_peer_is_shown_our_clock_at_once() -> None:
    messages = make_peer().due(START)

    assert kinds(messages) == [
        MessageKind.ANNOUNCE,
        MessageKind.SIGNALING,
        MessageKind.SYNC,
    ]
    assert [each.port for each in messages] == [GENERAL_PORT, GENERAL_PORT, EVENT_PORT]
    announce = PtpAnnounce.parse(messages[0].message)
    assert announce.grandmaster_id == OUR_ID
    # Sonos claims 248, HomePods too: the smaller number wins.
    assert announce.priority1 == 128


def test_announces_come_every_second_and_syncs_eight_times_as_often() -> None:
    peer = make_peer()
    sent: list[MessageKind] = []
    now_ns = START
    while now_ns < START + 10 * SECOND:
        sent += kinds(peer.due(now_ns))
        assert peer.next_ns is not None
        assert peer.next_ns > now_ns
        now_ns = peer.next_ns

    assert sent.count(MessageKind.ANNOUNCE) == 10
    assert sent.count(MessageKind.SIGNALING) == 10
    assert sent.count(MessageKind.SYNC) == 80


def test_each_kind_counts_its_messages() -> None:
    peer = make_peer()
    syncs = [sync_of(peer, START + n * 125 * MS) for n in range(9)]

    assert [PtpSync.parse(each.message).sequence for each in syncs] == list(range(9))
    again = PtpAnnounce.parse(peer.due(START + 2 * SECOND)[0].message)
    assert again.sequence == 2


def test_missed_turns_are_skipped() -> None:
    peer = make_peer()
    peer.due(START)

    late = peer.due(START + 60 * SECOND)

    assert kinds(late).count(MessageKind.SYNC) == 1
    assert peer.next_ns == START + 60 * SECOND + 125 * MS
    assert not peer.due(START + 60 * SECOND + 100 * MS)


def test_a_follow_up_carries_the_departure_of_its_sync() -> None:
    sync = sync_of(make_peer(), START)

    message = tell(sync, START + 5, START + 80_000)

    assert message
    follow_up = PtpFollowUp.parse(message)
    assert follow_up.precise_ns == START + 5
    assert follow_up.sequence == PtpSync.parse(sync.message).sequence


def test_a_follow_up_that_would_be_late_is_omitted_but_not_all_are() -> None:
    peer = make_peer()
    told = []
    for n in range(12):
        sent_ns = START + n * 125 * MS
        gap_ns = 80_000 if not n else 5 * MS
        told.append(bool(tell(sync_of(peer, sent_ns), sent_ns, sent_ns + gap_ns)))

    assert told == [True, *[False] * 6, True, *[False] * 4]


def test_a_machine_that_is_always_slow_leaves_nothing_out() -> None:
    peer = make_peer()
    for n in range(20):
        sent_ns = START + n * 125 * MS
        assert tell(sync_of(peer, sent_ns), sent_ns, sent_ns + 3 * MS + n * 1000)


def test_a_receiver_that_measures_is_confirmed_late_too() -> None:
    peer = make_peer()
    tell(sync_of(peer, START), START, START)
    peer.receive(probe(), START + 1)
    assert peer.probes == 1

    sent_ns = START + 125 * MS
    assert tell(sync_of(peer, sent_ns), sent_ns, sent_ns + 20 * MS)


def test_a_new_stream_is_shown_our_clock_at_once() -> None:
    peer = make_peer()
    peer.due(START)

    peer.begin(START + 300 * MS)

    assert peer.next_ns == START + 300 * MS
    assert len(peer.due(START + 300 * MS)) == 3
    assert peer.next_ns == START + 425 * MS


def test_delay_requests_are_answered_with_their_arrival() -> None:
    (answer,) = make_peer().receive(probe(9), 12_345_678_900_000)

    assert answer == Outgoing(GENERAL_PORT, octets("ptp_delay_resp"))


def test_peer_delay_requests_are_answered_with_a_departure_to_follow() -> None:
    request = probe(7, MessageKind.PEER_DELAY_REQUEST)

    (answer,) = make_peer().receive(request, 12_345_678_900_000)

    assert (answer.port, answer.message) == (EVENT_PORT, octets("ptp_pdelay_resp"))
    told = tell(answer, 12_345_678_950_000, START)
    assert told == octets("ptp_pdelay_resp_follow_up")


def test_unicast_is_granted() -> None:
    (answer,) = make_peer().receive(octets("ptp_unicast_request"), START)

    assert answer == Outgoing(GENERAL_PORT, octets("ptp_unicast_grant"))


@pytest.mark.parametrize(
    "name", ["ptp_signaling", "ptp_sync", "ptp_follow_up", "ptp_delay_resp"]
)
def test_messages_without_a_request_get_no_answer_and_are_no_evidence(
    name: str,
) -> None:
    peer = make_peer()

    assert not peer.receive(octets(name), START)
    assert not peer.has_evidence(START)


@pytest.mark.parametrize("priority1", [127, 129])
def test_an_answer_to_our_announce_is_evidence(priority1: int) -> None:
    peer = make_peer()
    peer.due(START)

    assert not peer.receive(claim(priority1), START + 2 * MS)

    assert peer.has_evidence(START + 2 * MS)
    assert peer.ready_at_ns(START + 2 * MS) == START + 602 * MS


def test_a_clock_that_is_announced_anyway_is_no_evidence() -> None:
    peer = make_peer()
    peer.receive(claim(127), START)
    peer.due(START)
    peer.receive(claim(248), START)

    assert not peer.has_evidence(START)


def test_a_flood_is_not_answered() -> None:
    peer = make_peer()
    answers = [peer.receive(probe(n), START + n) for n in range(64)]
    with pytest.raises(ReceiverProtocolError, match="more"):
        peer.receive(probe(), START + 64)

    assert all(answers)
    assert peer.receive(probe(), START + SECOND + 1)


def test_invalid_ptp_is_refused() -> None:
    with pytest.raises(ReceiverProtocolError):
        make_peer().receive(b"RTSP/1.0 200 OK\r\n\r\n" * 4, START)


def test_the_timeline_of_a_receiver_that_follows_is_our_own() -> None:
    peer = make_peer()

    assert peer.grandmaster_id == OUR_ID
    assert peer.clock_map is SAME
    assert SAME.timeline_ns(START) == SAME.session_ns(START) == START


def test_a_receiver_that_keeps_its_clock_gets_no_messages_and_is_followed() -> None:
    peer = make_peer(Habit.LEADS)
    ahead_ns = 123 * SECOND
    assert (peer.next_ns, peer.due(START), peer.grandmaster_id) == (None, [], None)
    peer.begin(START)

    peer.receive(claim(248), START)
    for n in range(4):
        arrived_ns = START + n * 125 * MS
        peer.receive(PtpSync(THEIRS, n).build(), arrived_ns)
        peer.receive(PtpFollowUp(THEIRS, n, arrived_ns + ahead_ns).build(), arrived_ns)

    assert peer.due(START + SECOND) == []
    assert peer.has_evidence(START + 375 * MS)
    assert peer.ready_at_ns(START + SECOND) == START + 375 * MS
    assert peer.grandmaster_id == THEIRS.clock_id
    assert peer.clock_map
    assert peer.clock_map.timeline_ns(START) == START + ahead_ns
    assert peer.receive(probe(), START)


def test_a_receiver_said_to_keep_its_clock_that_follows_ours_is_not_followed() -> None:
    peer = make_peer(Habit.LEADS)

    peer.receive(PtpAnnounce(THEIRS, 1, OUR_ID).build(), START)

    assert peer.grandmaster_id is None
    assert not peer.has_evidence(START)
