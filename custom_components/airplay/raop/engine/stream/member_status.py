"""What the owner of a stream is told of its members, each state once."""

from collections.abc import Callable

from ...errors import RaopError
from ...messages import Event, MemberChanged, VolumeFound

_ONCE = ("lost", "left", "playing")


class MemberStatus:
    """Tells how each member stands, and remembers what was told."""

    def __init__(self, stream: str, emit: Callable[[Event], None]) -> None:
        self._stream = stream
        self._emit = emit
        self._told: dict[str, str] = {}
        # Why each member is missing, for whoever misses it.
        self.errors: dict[str, RaopError] = {}

    def emit(
        self,
        receiver: str,
        state: str,
        error: RaopError | None = None,
        local: str | None = None,
        lane: str | None = None,
    ) -> None:
        """Tell a member's state unless it is known."""
        if error:
            self.errors[receiver] = error
        if state in _ONCE and self._told.get(receiver) == state:
            return
        self._told[receiver] = state
        self._emit(
            MemberChanged(
                stream=self._stream,
                receiver=receiver,
                state=state,
                code=error.code if error else None,
                text=str(error) if error else "",
                status=error.status if error else None,
                local=local,
                lane=lane,
            )
        )

    def emit_volume(self, receiver: str, volume: float) -> None:
        """Tell the level at which a member was found."""
        self._emit(VolumeFound(stream=self._stream, receiver=receiver, volume=volume))
