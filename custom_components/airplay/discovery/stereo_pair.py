"""Stereo pairs: two receivers that act as one speaker."""

from collections.abc import Iterable

from ..raop.api import Receiver


def partner_of(receiver: Receiver, seen: Iterable[Receiver]) -> Receiver | None:
    """Return the other receiver of a pair, if it is seen."""
    others = [
        each
        for each in seen
        if receiver.pair_id and each.pair_id == receiver.pair_id
        if each.id != receiver.id
    ]
    return min(others, key=lambda each: each.id, default=None)


def leader_of(one: Receiver, other: Receiver) -> Receiver:
    """Return the receiver that represents a pair; in doubt, the one with the smaller ID."""
    if one.leads_pair != other.leads_pair:
        return one if one.leads_pair else other
    return min(one, other, key=lambda each: each.id)


def are_apart(own: Receiver, other: Receiver) -> bool:
    """Whether two receivers that were a pair announce that they no longer are.

    A missing value means nothing while a sender plays there or no record is known,
    because it may be missing only temporarily.
    """
    if not _is_complete(own):
        return False
    if own.pair_id is None:
        return True
    return _is_complete(other) and own.pair_id != other.pair_id


def _is_complete(receiver: Receiver) -> bool:
    return receiver.airplay is not None and not receiver.has_session
