"""Whether what a receiver announces about its clock persists."""

_MS_NS = 1_000_000

# One datagram may be forged or stray. A receiver that leads announces its clock every
# 0.25 s while it hears no other, and one that passes a clock on each second.
_LEAST_COUNT, _LEAST_NS = 3, 400 * _MS_NS
_MOST_GAP_NS = 3_000 * _MS_NS


class Claims:
    """The claims of one kind that came in a row, and since when.

    A claim persists once it came three times in a row, over at least 0.4 s, without
    another claim or 3 s between.
    """

    def __init__(self) -> None:
        self._claim: object = None
        self._count = 0
        self._first_ns = self._last_ns = 0

    @property
    def is_new(self) -> bool:
        """Whether the last claim was the first of its row."""
        return self._count == 1

    def persists(self, claim: object, now_ns: int) -> bool:
        """Record a claim; return whether it persists."""
        is_late = now_ns - self._last_ns > _MOST_GAP_NS
        if claim != self._claim or is_late or not self._count:
            self._claim, self._first_ns, self._count = claim, now_ns, 0
        self._count += 1
        self._last_ns = now_ns
        return self._count >= _LEAST_COUNT and now_ns - self._first_ns >= _LEAST_NS

    def forget(self) -> None:
        """Begin anew: the opposite was claimed."""
        self._count = 0
