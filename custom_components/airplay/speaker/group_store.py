"""The persistent groups of speakers, loaded or not."""

from collections.abc import Callable, Iterable
from typing import Self


class GroupStore:
    """Groups of at least two names, the leader first; no name is in two groups."""

    def __init__(self, groups: Iterable[Iterable[str]] = ()) -> None:
        """Initialize with valid groups."""
        self._groups = [[*group] for group in groups]

    @classmethod
    def of(cls, kept: object, *, is_known: Callable[[str], bool]) -> Self:
        """Read stored data; drop invalid groups and names that are no longer known."""
        found = cls()
        for group in kept if isinstance(kept, list) else ():
            names = dict.fromkeys(
                each
                for each in (group if isinstance(group, list) else ())
                if isinstance(each, str) and is_known(each) and not found.group_of(each)
            )
            if names:
                found.join(*names)
        return found

    def group_of(self, name: str) -> tuple[str, ...]:
        """Return the group of a name, the leader first; empty if it is in none."""
        return next((tuple(each) for each in self._groups if name in each), ())

    def is_led(self, name: str) -> bool:
        """Whether a name is in a group of which another is the leader."""
        return self.group_of(name)[:1] not in ((), (name,))

    def as_list(self) -> list[list[str]]:
        """Return the data to store."""
        return [[*each] for each in self._groups]

    def join(self, host: str, *names: str) -> None:
        """Add names to the group of another, which leads if it had no group."""
        for each in names:
            self.leave(each)
        whole = [*(self.group_of(host) or (host,)), *names]
        self._groups = [each for each in self._groups if host not in each]
        if len(whole) > 1:
            self._groups.append(whole)

    def leave(self, name: str, heir: str | None = None) -> None:
        """Remove a name from its group; if it was the leader, `heir` leads."""
        whole = [each for each in self.group_of(name) if each != name]
        if heir in whole and not self.is_led(name):
            whole.remove(heir)
            whole.insert(0, heir)
        self._groups = [each for each in self._groups if name not in each]
        if len(whole) > 1:
            self._groups.append(whole)
