"""Which speakers belong together, loaded or not: what is kept over a restart."""

from collections.abc import Callable, Iterable
from typing import Self


class GroupStore:
    """Groups of at least two names, the leader first; no name is in two."""

    def __init__(self, groups: Iterable[Iterable[str]] = ()) -> None:
        """Take groups that are known to be sound."""
        self._groups = [[*group] for group in groups]

    @classmethod
    def of(cls, kept: object, *, is_known: Callable[[str], bool]) -> Self:
        """Read what was kept; what makes no sense or is not known any more is dropped."""
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
        """Return what is to be kept."""
        return [[*each] for each in self._groups]

    def join(self, host: str, *names: str) -> None:
        """Have names be in the group of another, which leads where it was in none."""
        for each in names:
            self.leave(each)
        whole = [*(self.group_of(host) or (host,)), *names]
        self._groups = [each for each in self._groups if host not in each]
        if len(whole) > 1:
            self._groups.append(whole)

    def leave(self, name: str, heir: str | None = None) -> None:
        """Take a name out of its group, which another leads if it was the leader."""
        whole = [each for each in self.group_of(name) if each != name]
        if heir in whole and not self.is_led(name):
            whole.remove(heir)
            whole.insert(0, heir)
        self._groups = [each for each in self._groups if name not in each]
        if len(whole) > 1:
            self._groups.append(whole)
