"""The members of a stream: by its last play command, and by joins and leaves."""

from collections.abc import Iterable
from dataclasses import replace

from ..messages import Member


class Roster:
    """The current members, and those of a play command that is in progress.

    Joins and leaves during a play command apply to both. It `is_group` if it had more
    than one member since the last play command.
    """

    def __init__(self) -> None:
        """Start without members."""
        self._present: dict[str, Member] = {}
        self._coming: dict[str, Member] | None = None
        self._command: object = None
        self._away: set[str] = set()
        self.is_group = False

    @property
    def members(self) -> tuple[Member, ...]:
        """All members."""
        return tuple(self._present.values())

    @property
    def active(self) -> tuple[Member, ...]:
        """The members that were not switched to another source."""
        return tuple(each for each in self.members if each.receiver not in self._away)

    @property
    def is_awaited(self) -> bool:
        """Whether a play command is in progress."""
        return self._coming is not None

    def expect(self, command: object, members: Iterable[Member]) -> None:
        """Record a play command; it replaces an earlier one."""
        self._command = command
        self._coming = {each.receiver: each for each in members}

    def adopt(self, command: object) -> None:
        """Make the members of a command the current ones."""
        if self._command is command and self._coming is not None:
            self._present, self._coming = self._coming, None
            self.is_group = len(self._present) > 1
        self._away.clear()

    def give_up(self, command: object) -> bool:
        """Forget a failed command; return whether it was awaited."""
        if self._command is not command or self._coming is None:
            return False
        self._coming = None
        return True

    def of(self, command: object) -> tuple[Member, ...]:
        """Return the members of a command as they are known now."""
        if self._command is command and self._coming is not None:
            return tuple(self._coming.values())
        return self.members

    def add(self, member: Member) -> None:
        """Add or update a member."""
        self._present[member.receiver] = member
        self._away.discard(member.receiver)
        self.is_group = self.is_group or len(self._present) > 1
        if self._coming is not None:
            self._coming[member.receiver] = member

    def remove(self, receiver: str) -> None:
        """Remove a member."""
        self._present.pop(receiver, None)
        self._away.discard(receiver)
        if self._coming is not None:
            self._coming.pop(receiver, None)

    def seen(self, member: Member) -> bool:
        """Adopt the records of a member; return whether it is one."""
        is_known = False
        for those in (self._present, self._coming):
            if those and (known := those.get(member.receiver)):
                those[member.receiver] = with_records(known, member)
                is_known = True
        return is_known

    def member_for(self, receiver: str) -> Member | None:
        """Return the member, unless it was switched to another source."""
        return None if receiver in self._away else self._present.get(receiver)

    def has(self, receiver: str) -> bool:
        """Whether it is a member, now or soon."""
        return receiver in self._present or receiver in (self._coming or ())

    def is_last(self, receiver: str) -> bool:
        """Whether it is the only member, now and soon."""
        everyone = {*self._present, *(self._coming or ())}
        return everyone == {receiver}

    def switch_away(self, receiver: str) -> None:
        """Record that a member was switched to another source."""
        if receiver in self._present:
            self._away.add(receiver)

    def switch_back(self, receiver: str) -> None:
        """Record that a member can be used again."""
        self._away.discard(receiver)


def with_records(member: Member, seen: Member) -> Member:
    """Return a member with the addresses, ports, and records with which it was seen."""
    return replace(
        member,
        host=seen.host,
        port=seen.port,
        txt=seen.txt,
        airplay_port=seen.airplay_port,
        airplay_txt=seen.airplay_txt,
        addresses=seen.addresses,
    )
