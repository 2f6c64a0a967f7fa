"""Our clock towards one receiver, message by message."""

import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.session.clock_estimate.clock_map import (
    SAME,
    Timeline,
)
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
from custom_components.airplay.raop.wire.ptp_requests import DelayRequest
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


def test_a_turn_that_comes_late_does_not_delay_the_next_ones() -> None:
    peer = make_peer()
    peer.due(START + 3 * MS)

    assert peer.next_ns == START + 125 * MS
    assert kinds(peer.due(START + 129 * MS)) == [MessageKind.SYNC]
    assert peer.next_ns == START + 250 * MS


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


def told(*gaps_ns: int) -> list[bool]:
    """Return which Syncs have a Follow_Up that leaves so much later."""
    peer, found = make_peer(), []
    for gap_ns in gaps_ns:
        peer.begin(START)
        found.append(bool(tell(sync_of(peer, START), START, START + gap_ns)))
    return found


def test_a_quarter_of_a_millisecond_more_than_usual_is_late() -> None:
    assert told(80_000, 330_000) == [True, True]
    assert told(80_000, 330_001) == [True, False]


def test_a_shorter_gap_is_the_usual_one_at_once() -> None:
    assert told(330_000, 80_000, 330_001) == [True, True, False]


def test_a_longer_gap_becomes_the_usual_one_slowly() -> None:
    """By a 64th of the difference each time."""
    assert told(80_000, 280_000, 333_125) == [True, True, True]
    assert told(80_000, 280_000, 333_126) == [True, True, False]
    assert all(told(80_000, *[280_000] * 300, 500_000))


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


def test_evidence_from_a_slow_setup_is_kept_when_the_clock_is_announced_again() -> None:
    peer = make_peer()
    peer.begin(START)
    peer.due(START)
    peer.receive(claim(127), START + 300 * MS)

    peer.announce(START + 2000 * MS)

    assert peer.has_evidence(START + 2000 * MS)
    assert peer.next_ns == START + 2000 * MS


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
    answers = [peer.receive(probe(n), START + n) for n in range(256)]
    with pytest.raises(ReceiverProtocolError, match="more"):
        peer.receive(probe(), START + 256)

    assert all(answers)
    assert peer.receive(probe(), START + SECOND + 1)


def test_invalid_ptp_is_refused() -> None:
    with pytest.raises(ReceiverProtocolError):
        make_peer().receive(b"RTSP/1.0 200 OK\r\n\r\n" * 4, START)


def test_the_timeline_of_a_receiver_that_follows_is_our_own() -> None:
    peer = make_peer()

    assert peer.timeline.clock_id == OUR_ID
    assert peer.timeline.map is SAME
    assert SAME.timeline_ns(START) == START


AHEAD_NS = 123 * SECOND


def sync_from(receiver: Peer, number: int, now_ns: int) -> None:
    """Let a Sync of the receiver's arrive, with its Follow_Up."""
    receiver.receive(PtpSync(THEIRS, number).build(), now_ns)
    receiver.receive(PtpFollowUp(THEIRS, number, now_ns + AHEAD_NS).build(), now_ns)


def lead(receiver: Peer, since_ns: int, syncs: int = 4) -> int:
    """Let a receiver that leads send its time and answer us; return when it ended."""
    receiver.receive(claim(248), since_ns)
    for number in range(syncs):
        now_ns = since_ns + number * 125 * MS
        sync_from(receiver, number, now_ns)
        for asked in receiver.due(now_ns):
            request = DelayRequest.parse(asked.message)
            assert asked.port == EVENT_PORT
            assert tell(asked, now_ns + MS, now_ns + 2 * MS) is None
            receiver.receive(request.answer(THEIRS, 0), now_ns + 5 * MS)
    return now_ns


def test_a_receiver_that_keeps_its_clock_is_followed_from_the_start() -> None:
    peer = make_peer(Habit.LEADS)
    assert (peer.next_ns, peer.due(START)) == (START + 5 * SECOND, [])
    assert peer.timeline == Timeline(OUR_ID, SAME)
    assert peer.ready_at_ns(START) == START + 3350 * MS
    peer.begin(START)

    now_ns = lead(peer, START)

    assert peer.has_evidence(now_ns)
    assert peer.ready_at_ns(START + SECOND) == now_ns
    assert peer.timeline.clock_id == THEIRS.clock_id
    # Half of the round trip of 4 ms.
    assert peer.timeline.map.timeline_ns(START) == START + AHEAD_NS + 2 * MS
    assert peer.receive(probe(), START)


def test_it_is_asked_for_its_delay_and_told_no_clock_of_ours() -> None:
    peer = make_peer(Habit.LEADS)
    lead(peer, START, 1)
    next_ns = peer.next_ns
    sent: list[MessageKind] = []
    for n in range(1, 200):
        sent += kinds(peer.due(START + n * 20 * MS))

    assert next_ns == START + SECOND // 64
    assert set(sent) == {MessageKind.DELAY_REQUEST}
    assert len(sent) > 90


def test_answers_to_others_do_not_count() -> None:
    peer = make_peer(Habit.LEADS)
    peer.receive(claim(248), START)
    for number in range(8):
        now_ns = START + number * 125 * MS
        sync_from(peer, number, now_ns)
        peer.due(now_ns)
        theirs = DelayRequest(PortIdentity(5), number).answer(THEIRS, 0)
        peer.receive(theirs, now_ns)

    assert not peer.has_evidence(now_ns)


def test_a_probe_of_a_receiver_that_leads_is_no_evidence() -> None:
    peer = make_peer(Habit.LEADS)
    peer.receive(claim(248), START)

    assert peer.receive(probe(), START)
    assert peer.probes == 0
    assert not peer.has_evidence(START)


def test_a_receiver_said_to_keep_its_clock_that_follows_ours_is_led() -> None:
    peer = make_peer(Habit.LEADS)

    for at_ms in (500, 750, 1000):
        peer.receive(PtpAnnounce(THEIRS, 1, OUR_ID).build(), START + at_ms * MS)

    assert peer.timeline.clock_id == OUR_ID
    assert peer.timeline.map is SAME
    assert not peer.has_evidence(START + SECOND)
    assert len(peer.due(START + SECOND)) == 3
    assert peer.ready_at_ns(START) == START + 4350 * MS
    peer.receive(probe(), START + 2 * SECOND)
    assert peer.has_evidence(START + 2 * SECOND)


def test_a_receiver_that_leads_no_more_is_led() -> None:
    peer = make_peer(Habit.LEADS)
    now_ns = lead(peer, START)
    gone_ns = now_ns + 5 * SECOND

    asked = peer.due(gone_ns - 1)
    claims = peer.due(gone_ns)

    assert kinds(asked) == [MessageKind.DELAY_REQUEST]
    assert kinds(claims)[0] == MessageKind.ANNOUNCE
    assert peer.timeline.clock_id == OUR_ID
    assert not peer.has_evidence(gone_ns)
    sync_from(peer, 9, gone_ns)
    assert peer.timeline.map is SAME


def test_a_receiver_that_goes_on_announcing_is_followed_whatever_it_is() -> None:
    peer = make_peer()
    peer.begin(START)
    peer.due(START)
    for at_ms in (200, 450, 700, 950):
        peer.receive(claim(248), START + at_ms * MS)
        peer.receive(probe(), START + at_ms * MS)
    before = (peer.timeline.clock_id, peer.has_evidence(START + 950 * MS))

    for at_ms in (1200, 1450):
        peer.receive(claim(248), START + at_ms * MS)
    undecided = peer.timeline.clock_id
    now_ns = lead(peer, START + 1700 * MS)

    assert before == (OUR_ID, False)
    assert undecided == OUR_ID
    assert peer.timeline.clock_id == THEIRS.clock_id
    assert peer.has_evidence(now_ns)
    assert peer.probes == 0
    assert peer.ready_at_ns(now_ns) == now_ns


def test_the_clock_of_one_that_goes_on_announcing_is_not_ready_by_its_probes() -> None:
    peer = make_peer(Habit.FOLLOWS_QUICKLY)
    peer.due(START)
    for at_ms in (200, 400, 600):
        peer.receive(probe(), START + at_ms * MS)
    for at_ms in (1000, 1250, 1500):
        peer.receive(claim(248), START + at_ms * MS)

    assert not peer.has_evidence(START + 1500 * MS)
    assert peer.ready_at_ns(START + 1500 * MS) == START + 4850 * MS


def test_a_grouped_homepod_is_led() -> None:
    """It announces its own clock three times in 0.4 s, and is quiet then."""
    peer = make_peer(Habit.FOLLOWS_QUICKLY)
    peer.begin(START)
    peer.due(START)
    for at_ms in (0, 200, 400):
        peer.receive(claim(248), START + at_ms * MS)
    evidence = []
    for at_ms in (1050, 1175, 1300):
        peer.receive(probe(), START + at_ms * MS)
        evidence.append(peer.has_evidence(START + at_ms * MS))

    assert evidence == [False, False, True]
    assert peer.timeline.clock_id == OUR_ID
    assert peer.ready_at_ns(START + 1300 * MS) == START + 1550 * MS


def test_the_clock_of_another_is_not_the_receivers_own() -> None:
    peer = make_peer()
    peer.due(START)
    other = PtpAnnounce(THEIRS, 1, 77, priority1=248).build()

    peer.receive(other, START + 2 * SECOND)

    assert peer.timeline.clock_id == OUR_ID


def test_a_leader_may_pass_on_the_clock_of_another() -> None:
    peer = make_peer(Habit.LEADS)
    lead(peer, START)
    before = peer.timeline
    for at_ms in (600, 800, 1000):
        other = PtpAnnounce(THEIRS, 1, 77, priority1=129)
        peer.receive(other.build(), START + at_ms * MS)
    meanwhile = (peer.timeline, peer.has_evidence(START + SECOND), peer.next_ns)
    for number in range(14):
        sync_from(peer, number, START + SECOND + number * 125 * MS)

    # Anchors name the clock before until the time of the new one is known.
    assert before.clock_id == THEIRS.clock_id
    assert meanwhile == (before, False, START + 6 * SECOND)
    assert peer.timeline.clock_id == 77
    assert peer.has_evidence(START + 3 * SECOND)


def announced_ms(peer: Peer, until_ms: int) -> list[int]:
    """Return when our Announces leave, in ms after the start."""
    found = []
    for at_ms in range(0, until_ms, 25):
        sent = kinds(peer.due(START + at_ms * MS))
        found += [at_ms] * sent.count(MessageKind.ANNOUNCE)
    return found


def test_a_receiver_that_announced_its_own_clock_is_listened_to_for_a_while() -> None:
    """One that leads announces itself every 20 s while it hears us (reported)."""
    quiet, loud = make_peer(), make_peer()
    loud.due(START)
    loud.receive(claim(248), START + 200 * MS)

    assert announced_ms(quiet, 6000) == [0, 1000, 2000, 3000, 4000, 5000]
    assert announced_ms(loud, 6000) == [1000, 3000, 4000, 5000]


def test_a_new_stream_is_listened_to_again() -> None:
    peer = make_peer()
    peer.due(START - SECOND)
    peer.receive(claim(248), START - SECOND)
    peer.due(START - SECOND // 2)
    peer.begin(START)

    assert announced_ms(peer, 5000) == [0, 1000, 3000, 4000]
