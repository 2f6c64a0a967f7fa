"""Following a receiver that keeps its own PTP clock: its time from ours and back."""

from ..wire.ptp import PtpAnnounce, PtpFollowUp, PtpSync
from .clock_estimate.clock_map import ClockMap, Timeline
from .clock_estimate.estimate import Estimate
from .clock_estimate.round_trips import RoundTrips

_MS_NS = 1_000_000

# Beyond this, being out of sync is worse than the noise of a moved line (10 ms
# between two speakers in a room are reported to disturb).
_STEP_NS = 10 * _MS_NS
# Half a second of Syncs or Follow_Ups that wait for each other.
_MOST_OPEN = 4
# No clock has this id.
_NOBODY = -1


class FollowedClock:
    """Estimates a receiver's clock from its Syncs and from round trips to it.

    The map is what receivers are told, so it does not jump: a better estimate is
    approached slowly, and only a step of the clock moves it at once.
    """

    def __init__(self) -> None:
        self.grandmaster_id: int | None = None
        self.map: ClockMap | None = None
        self.reliable_at_ns: int | None = None
        self._reliable: Timeline | None = None
        self._source_id = _NOBODY
        self._arrivals: dict[int, tuple[int, int]] = {}
        self._departures: dict[int, int] = {}
        self._round_trips = RoundTrips()
        self._estimate = Estimate()
        self._is_renewed = False

    @property
    def next_request_ns(self) -> int:
        """The session time of the next Delay_Req; far away before the first Sync."""
        return self._round_trips.next_ns

    @property
    def timeline(self) -> Timeline | None:
        """The clock for anchors with its map; the one before until a new one is known.

        None before the first Sync.
        """
        is_better = self.reliable_at_ns is not None or self._reliable is None
        if self.map and self.grandmaster_id is not None and is_better:
            return Timeline(self.grandmaster_id, self.map)
        return self._reliable

    def is_of(self, announce: PtpAnnounce) -> bool:
        """Whether an Announce names the clock that is followed, and its source."""
        known = self.grandmaster_id, self._source_id
        return known == (announce.grandmaster_id, announce.source.clock_id)

    def hears(self, sync: PtpSync) -> bool:
        """Whether a Sync is from the clock that is followed."""
        return sync.source.clock_id == self._source_id

    def announced(self, announce: PtpAnnounce) -> None:
        """Record the receiver's clock; estimate a new one from scratch."""
        if announce.grandmaster_id != self.grandmaster_id:
            self._forget()
            self.grandmaster_id = announce.grandmaster_id
        self._source_id = announce.source.clock_id

    def synced(self, sync: PtpSync, arrived_ns: int) -> None:
        """Record a Sync and the session time of its arrival."""
        if not self.hears(sync):
            return
        if sync.is_two_step:
            _keep(self._arrivals, sync.sequence, (arrived_ns, sync.correction_ns))
            self._match(sync.sequence)
        else:
            self._add(arrived_ns, sync.origin_ns + sync.correction_ns)

    def followed_up(self, follow_up: PtpFollowUp) -> None:
        """Record the departure time of a Sync."""
        if follow_up.source.clock_id != self._source_id:
            return
        left_ns = follow_up.precise_ns + follow_up.correction_ns
        _keep(self._departures, follow_up.sequence, left_ns)
        self._match(follow_up.sequence)

    def ask(self, now_ns: int) -> int:
        """Return the number of a Delay_Req that leaves now."""
        return self._round_trips.ask(now_ns)

    def departed(self, number: int, sent_ns: int) -> None:
        """Record when a Delay_Req really left."""
        self._round_trips.departed(number, sent_ns)

    def answered(self, source_id: int, number: int, arrived_ns: int) -> None:
        """Record a Delay_Resp; the time in it is of no use (reported for HomePods)."""
        if source_id != self._source_id:
            return
        round_trip_ns = self._round_trips.answered(number, arrived_ns)
        if round_trip_ns is not None:
            self._estimate.add_round_trip(arrived_ns, round_trip_ns)

    def _match(self, sequence: int) -> None:
        """Use a Sync once both it and its Follow_Up have arrived, in any order."""
        if sequence in self._arrivals and sequence in self._departures:
            arrived_ns, correction_ns = self._arrivals.pop(sequence)
            self._add(arrived_ns, self._departures.pop(sequence) + correction_ns)

    def _add(self, arrived_ns: int, left_ns: int) -> None:
        offset_ns = left_ns - arrived_ns
        if self.map is None:
            self._round_trips.begin(arrived_ns)
        if not self._estimate.add_sync(arrived_ns, offset_ns):
            # The map stays until the new estimate is good enough.
            self._estimate = Estimate(self._estimate.rate)
            self._estimate.add_sync(arrived_ns, offset_ns)
            self._round_trips.begin(arrived_ns)
            self._is_renewed = True
        better = self._estimate.clock_map
        assert better is not None
        self._approach(better, arrived_ns)

    def _approach(self, better: ClockMap, now_ns: int) -> None:
        """Move the map toward an estimate, if that is good enough."""
        known, is_sure = self.map, self._estimate.is_sure
        if known is None or self.reliable_at_ns is None:
            self.map = better
            self.reliable_at_ns = now_ns if is_sure else None
        elif is_sure:
            is_far = abs(better.ahead_of_ns(known, now_ns)) > _STEP_NS
            if self._is_renewed and is_far:
                self.map, self.reliable_at_ns = better, now_ns
            else:
                self.map = known.toward(better, now_ns)
            self._is_renewed = False

    def _forget(self) -> None:
        """Know nothing of the clock, but what receivers are told until it is known."""
        self._reliable = self.timeline if self.reliable_at_ns else self._reliable
        self.map = self.reliable_at_ns = None
        self._arrivals.clear()
        self._departures.clear()
        self._round_trips = RoundTrips()
        self._estimate = Estimate()
        self._is_renewed = False


def _keep[T](known: dict[int, T], sequence: int, value: T) -> None:
    """Remember the newest few; the others never find their counterpart."""
    known.pop(sequence, None)
    known[sequence] = value
    if len(known) > _MOST_OPEN:
        del known[next(iter(known))]
