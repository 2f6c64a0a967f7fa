"""The played sound and the requests of a receiver, for the authors of tests."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from tests.virtual_receiver.network.rtsp import Request
from tests.virtual_receiver.playback.find_sound import Heard, find
from tests.virtual_receiver.playback.recording import Recording, Segment
from tests.virtual_receiver.raop.stream import ReceivedSync

from .playback import recording as played
from .waiting import Waiters


class Observer(ABC):
    """Answers about the past, and waiting for the future, without any sleep."""

    def __init__(self, *, record: bool) -> None:
        """Start with no sound played."""
        self.recording = Recording(keep=record)
        self.requests: list[Request] = []
        self.syncs: list[ReceivedSync] = []
        self._waiters = Waiters(self._next_due_s)

    @abstractmethod
    def poll(self) -> None:
        """Play all audio that is due."""

    @abstractmethod
    def _next_due_s(self) -> float | None:
        """Return the seconds until the next frame plays."""

    @property
    @abstractmethod
    def is_playing(self) -> bool:
        """Return whether frames wait to play."""

    @property
    @abstractmethod
    def has_session(self) -> bool:
        """Return whether a sender holds this receiver."""

    @property
    def pcm(self) -> bytes:
        """Return all that was played as s16le; lost packets silent, pauses omitted."""
        self.poll()
        return self.recording.pcm

    @property
    def pcm_with_pauses(self) -> bytes:
        """Return all that was played, pauses as silence of up to a minute."""
        self.poll()
        return played.with_pauses(self.recording.packets)

    @property
    def played(self) -> list[Segment]:
        """Return the sound that played without a break longer than 5 ms, in pieces."""
        self.poll()
        return played.segments(self.recording.packets, 5_000_000)

    @property
    def first_frame_ns(self) -> int | None:
        """Return CLOCK_MONOTONIC of the first frame that was played."""
        self.poll()
        return self.recording.first_frame_ns

    def heard(self, source: bytes, *, after_ns: int = 0) -> Heard:
        """Find a source in the sound that played since an instant of CLOCK_MONOTONIC."""
        self.poll()
        packets = [
            packet for packet in self.recording.packets if packet.play_ns >= after_ns
        ]
        return find(source, packets)

    def play_times(self) -> dict[int, int]:
        """Map the rtptime of each packet that was played to CLOCK_MONOTONIC."""
        self.poll()
        return self.recording.play_times()

    async def wait_for(
        self, method: str, *, count: int = 1, timeout_s: float = 10.0
    ) -> Request:
        """Wait for the count-th request of a method; return that request."""
        await self.wait_until(lambda: len(self.asked(method)) >= count, timeout_s)
        return self.asked(method)[count - 1]

    def asked(self, method: str) -> list[Request]:
        """Return the requests with a method."""
        return [request for request in self.requests if request.method == method]

    async def wait_playing(self, timeout_s: float = 10.0) -> int:
        """Wait until more plays; return CLOCK_MONOTONIC of its end."""
        before = self.recording.heard_frames
        await self.wait_until(lambda: self.recording.heard_frames > before, timeout_s)
        return self.recording.last_frame_ns or 0

    async def wait_frames(self, frames: int, timeout_s: float = 60.0) -> None:
        """Wait until so many frames were played in all."""
        await self.wait_until(lambda: self.recording.frames >= frames, timeout_s)

    async def wait_idle(self, timeout_s: float = 60.0) -> None:
        """Wait until no sender holds this receiver."""
        await self.wait_until(lambda: not self.has_session, timeout_s)

    async def drain(self, timeout_s: float = 60.0) -> None:
        """Wait until everything that is queued was played."""
        await self.wait_until(lambda: not self.is_playing, timeout_s)

    async def wait_until(
        self, predicate: Callable[[], bool], timeout_s: float = 10.0
    ) -> None:
        """Wait until something about this receiver is true."""

        def is_true() -> bool:
            self.poll()
            return predicate()

        await self._waiters.wait(is_true, timeout_s)
