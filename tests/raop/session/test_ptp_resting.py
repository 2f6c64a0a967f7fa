"""Our clock toward a receiver on which nothing plays."""

from custom_components.airplay.raop.session.ptp import Peer
from custom_components.airplay.raop.session.ptp_readiness import Habit
from custom_components.airplay.raop.wire.ptp import MessageKind, PtpFollowUp, PtpSync

from .test_ptp import (
    MS,
    OUR_ID,
    SECOND,
    START,
    claim,
    kinds,
    make_peer,
    probe,
    sync_of,
    tell,
)

SYNC = MessageKind.SYNC


def resting_peer() -> Peer:
    """Return a receiver with nqptp that has just become idle."""
    peer = make_peer()
    peer.due(START)
    peer.receive(claim(127), START + 2 * MS)
    peer.rest(START + 10 * MS, is_idle=True)
    return peer


def syncs_ms(peer: Peer, since_ns: int, until_ns: int) -> list[int]:
    """Return when Syncs are sent, in ms after the start."""
    sent, now_ns = [], max(since_ns, peer.next_ns)
    while now_ns < until_ns:
        if SYNC in kinds(peer.due(now_ns)):
            sent.append((now_ns - START) // MS)
        now_ns = peer.next_ns
    return sent


def test_a_sync_goes_with_each_announce() -> None:
    peer = resting_peer()

    assert syncs_ms(peer, START, START + 4500 * MS) == [125, 1000, 2000, 3000, 4000]


def test_rare_syncs_state_their_interval() -> None:
    peer = resting_peer()
    sync = sync_of(peer, START + 125 * MS)
    follow_up = tell(sync, START + 125 * MS, START + 125 * MS)

    assert follow_up is not None
    assert PtpSync.parse(sync.message).log_interval == 0
    assert PtpFollowUp.parse(follow_up).log_interval == 0


def test_the_clock_is_sent_at_once_when_sound_begins() -> None:
    peer = resting_peer()
    syncs_ms(peer, START, START + 1500 * MS)

    peer.rest(START + 1500 * MS, is_idle=False)

    assert peer.next_ns == START + 1500 * MS
    assert syncs_ms(peer, START, START + 1900 * MS) == [1500, 1625, 1750, 1875]
    assert PtpSync.parse(sync_of(peer, START + 2000 * MS).message).log_interval == -3


def test_a_receiver_that_measures_the_path_gets_every_sync() -> None:
    peer = resting_peer()
    peer.receive(probe(), START + 20 * MS)

    assert len(syncs_ms(peer, START, START + 2000 * MS)) == 15


def test_a_receiver_that_never_answered_gets_every_sync() -> None:
    peer = Peer(OUR_ID, Habit.FOLLOWS, START)
    peer.rest(START, is_idle=True)

    assert len(syncs_ms(peer, START, START + 2 * SECOND)) == 16
