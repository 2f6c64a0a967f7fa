"""Which speakers belong together, loaded or not: what is kept over a restart."""

from collections.abc import Callable, Iterable, Sequence
from typing import Self


class GroupList:
    """Groups of at least two names, the leader first; no name is in two."""

    def __init__(self, groups: Iterable[Sequence[str]] = ()) -> None:
        """Take groups that are known to be sound."""
        self._groups = [[*group] for group in groups]

    @classmethod
    def of(cls, kept: object, *, is_known: Callable[[str], bool]) -> Self:
        """Read what was kept; what makes no sense or is not known any more is dropped."""
        found = cls()
        for group in kept if isinstance(kept, list) else ():
            names = group if isinstance(group, list) else ()
            found.move(
                [],
                [
                    each
                    for each in dict.fromkeys(names)
                    if isinstance(each, str)
                    and is_known(each)
                    and not found.group_of(each)
                ],
            )
        return found

    def group_of(self, name: str) -> tuple[str, ...]:
        """Return the group of a name, the leader first; empty if it is in none."""
        return next((tuple(each) for each in self._groups if name in each), ())

    def as_list(self) -> list[list[str]]:
        """Return what is to be kept."""
        return [[*each] for each in self._groups]

    def move(self, names: Iterable[str], group: Sequence[str]) -> None:
        """Take names out of their groups, and have those of a group be together.

        Those that are not present stay in it, behind the others.
        """
        moved = {*names}
        absent = [
            other
            for each in group
            for other in self.group_of(each)
            if other not in (*group, *moved) and each not in moved
        ]
        together = [*group, *dict.fromkeys(absent)]
        rest = [
            [each for each in known if each not in moved and each not in together]
            for known in self._groups
        ]
        self._groups = [each for each in [*rest, together] if len(each) > 1]
