"""The relative volumes of a group's speakers: a pure model."""

from collections.abc import Mapping

_SAME = 0.005


class GroupVolume:
    """Shares of the loudest volume, even if the volumes do not show them.

    At zero, or limited by a maximum, a volume does not show the intended share: then
    the previous share counts, unless the speaker was changed since.
    """

    def __init__(self) -> None:
        """Initialize without known shares."""
        self._loudest = 0.0
        self._shares: dict[str, float] = {}
        self._spread: dict[str, float] = {}

    def spread(
        self, levels: Mapping[str, float], maxima: Mapping[str, float], loudest: float
    ) -> dict[str, float]:
        """Return the volume of each speaker for a volume of the loudest, from 0 to 1."""
        changed = {
            name
            for name, level in levels.items()
            if abs(level - self._spread.get(name, -1.0)) > _SAME
        }
        before = self._loudest or max((levels[each] for each in changed), default=0.0)
        wanted = {
            name: level if name in changed else self._shares[name] * before
            for name, level in levels.items()
        }
        peak = max(wanted.values())
        if peak > 0:
            shares = {name: level / peak for name, level in wanted.items()}
        else:
            shares = {name: self._shares.get(name, 1.0) for name in levels}
        self._loudest, self._shares = loudest, shares
        self._spread = {
            name: min(round(share * loudest, 4), maxima[name])
            for name, share in shares.items()
        }
        return {**self._spread}
