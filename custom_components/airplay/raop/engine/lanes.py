"""Chooses the way to a receiver."""

from ..messages import Identity, Member
from ..session.backlog import AudioKey
from .lane import Lane
from .pacer import Pacer
from .raop_lane import RaopLane


def make_lane(member: Member, identity: Identity, pacer: Pacer, key: AudioKey) -> Lane:
    """Return the lane on which a member is played to; nothing is connected yet."""
    return RaopLane(member, identity, pacer, key)
