"""Who shall hear a stream: as a command to play says, and who came and went since."""

from collections.abc import Iterable

from ..messages import Member


class Roster:
    """The members of what plays, and of what is about to take its place.

    Who joins or leaves while a command to play is at work does so on either. It
    `is_group` where there was more than one since the last such command.
    """

    def __init__(self) -> None:
        """Start with nobody."""
        self._present: dict[str, Member] = {}
        self._coming: dict[str, Member] | None = None
        self._command: object = None
        self._away: set[str] = set()
        self.is_group = False

    @property
    def members(self) -> tuple[Member, ...]:
        """All of them."""
        return tuple(self._present.values())

    @property
    def active(self) -> tuple[Member, ...]:
        """Those that were not switched to another source."""
        return tuple(each for each in self.members if each.receiver not in self._away)

    @property
    def is_awaited(self) -> bool:
        """Whether a command to play is at work that has not taken over yet."""
        return self._coming is not None

    def expect(self, command: object, members: Iterable[Member]) -> None:
        """Take note of a command to play; of several the last one counts."""
        self._command = command
        self._coming = {each.receiver: each for each in members}

    def adopt(self, command: object) -> None:
        """Let the members of a command be the present ones."""
        if self._command is command and self._coming is not None:
            self._present, self._coming = self._coming, None
            self.is_group = len(self._present) > 1
        self._away.clear()

    def give_up(self, command: object) -> bool:
        """Forget a command that came to nothing; return whether it was awaited."""
        if self._command is not command or self._coming is None:
            return False
        self._coming = None
        return True

    def of(self, command: object) -> tuple[Member, ...]:
        """Return the members that a command is to have, as far as is known now."""
        if self._command is command and self._coming is not None:
            return tuple(self._coming.values())
        return self.members

    def add(self, member: Member) -> None:
        """Add a member, or take over what is new about it."""
        self._present[member.receiver] = member
        self._away.discard(member.receiver)
        self.is_group = self.is_group or len(self._present) > 1
        if self._coming is not None:
            self._coming[member.receiver] = member

    def remove(self, receiver: str) -> None:
        """Take a member out."""
        self._present.pop(receiver, None)
        self._away.discard(receiver)
        if self._coming is not None:
            self._coming.pop(receiver, None)

    def replace(self, member: Member) -> bool:
        """Take over what is new about a member; return whether it is one."""
        is_known = False
        for those in (self._present, self._coming):
            if those and member.receiver in those:
                those[member.receiver] = member
                is_known = True
        return is_known

    def member_for(self, receiver: str) -> Member | None:
        """Return a member that shall be heard now."""
        return None if receiver in self._away else self._present.get(receiver)

    def has(self, receiver: str) -> bool:
        """Whether it is a member, now or soon."""
        return receiver in self._present or receiver in (self._coming or ())

    def is_last(self, receiver: str) -> bool:
        """Whether nobody is left without it, now and soon."""
        everyone = {*self._present, *(self._coming or ())}
        return everyone == {receiver}

    def switch_away(self, receiver: str) -> None:
        """Take note that a member was switched to another source."""
        if receiver in self._present:
            self._away.add(receiver)

    def switch_back(self, receiver: str) -> None:
        """Take note that it can be used again."""
        self._away.discard(receiver)
