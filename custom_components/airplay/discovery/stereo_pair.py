"""Stereo pairs: two receivers that are one speaker to their owner."""

from collections.abc import Iterable

from ..raop.api import Receiver


def partner_of(receiver: Receiver, seen: Iterable[Receiver]) -> Receiver | None:
    """Return the other one of a receiver's pair, where that is seen."""
    others = [
        each
        for each in seen
        if receiver.pair_id and each.pair_id == receiver.pair_id
        if each.id != receiver.id
    ]
    return min(others, key=lambda each: each.id, default=None)


def leader_of(one: Receiver, other: Receiver) -> Receiver:
    """Return which one of a pair stands for both; in doubt that of the smaller id."""
    if one.leads_pair != other.leads_pair:
        return one if one.leads_pair else other
    return min(one, other, key=lambda each: each.id)


def are_apart(own: Receiver, other: Receiver) -> bool:
    """Whether two that were a pair say that they are none any more.

    What is missing while somebody plays there, or of which no record is known, may be
    missing only now.
    """
    if not _is_complete(own):
        return False
    if own.pair_id is None:
        return True
    return _is_complete(other) and own.pair_id != other.pair_id


def _is_complete(receiver: Receiver) -> bool:
    return receiver.airplay is not None and not receiver.has_session
