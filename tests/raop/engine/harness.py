"""An engine whose events are kept, and receivers for its playback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
import threading
import time
import wave

from custom_components.airplay.raop.engine.engine import Engine
from custom_components.airplay.raop.messages import (
    Command,
    Event,
    Identity,
    Media,
    Member,
    Play,
    Reply,
    Started,
    Stop,
    StreamChanged,
)
from tests.virtual_receiver import Cadence, Quirks, VirtualReceiver, to_unix_ns

from .fakes import sound

IDENTITY = Identity(dacp_id="A1B2C3D4E5F60718")
STREAM = "kitchen"
PRECISE_S = 0.002
# Asks often, so that a receiver's clock is right from the start under any load.
EAGER = Cadence(first_requests=30, first_interval_s=0.02, interval_s=0.2)


def wav(path: Path, seconds: float = 0.6, *, seed: int = 1) -> bytes:
    """Write a WAV file and return its sound."""
    pcm = sound(round(seconds * 44_100), seed)
    write_pcm(path, pcm)
    return pcm


def read_wav(path: Path) -> bytes:
    """Return the sound of a WAV file that `wav` has written."""
    return path.read_bytes()[44:]


def write_pcm(path: Path, pcm: bytes) -> None:
    """Write sound as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(pcm)


def receiver(name: str = "Virtual", **details: object) -> VirtualReceiver:
    """Return a receiver that learns the time quickly."""
    return VirtualReceiver(name, **{"cadence": EAGER, **details})  # type: ignore[arg-type]


def member(of: VirtualReceiver, **details: object) -> Member:
    """Return a receiver as a stream's member."""
    known = {
        "receiver": of.receiver_id.lower(),
        "name": of.name,
        "host": of.host,
        "port": of.port,
        "txt": of.txt,
    }
    return Member(**{**known, **details})  # type: ignore[arg-type]


def play(
    url: Path | str, *members: Member, stream: str = STREAM, **details: object
) -> Play:
    """Return a command that starts soon."""
    media = Media(url=str(url), name=Path(url).name)
    known = {"stream": stream, "members": members, "media": media}
    known |= {"depth_ms": 400, "lead_ms": 400}
    return Play(**{**known, **details})  # type: ignore[arg-type]


class EngineHarness:
    """An engine, its commands and all its events."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Event()
        self.engine = Engine(IDENTITY, self._take)
        self._number = 0
        self._room = AsyncExitStack()
        self.receivers: list[VirtualReceiver] = []

    async def add(self, added: VirtualReceiver) -> VirtualReceiver:
        """Start a receiver, which ends after the engine."""
        await self._room.enter_async_context(added)
        self.receivers.append(added)
        return added

    async def close(self) -> None:
        """End the engine, look whether the receivers are free, and end them."""
        await self.engine.close()
        for each in self.receivers:
            await each.wait_idle(10)
        await self._room.aclose()

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def submit(self, command: Command) -> int:
        """Give a command and return its number."""
        self._number += 1
        self.engine.submit(self._number, command)
        return self._number

    async def reply(self, number: int, timeout_s: float = 10) -> Reply:
        """Wait for the answer to a command."""
        return await self.until(Reply, lambda each: each.id == number, timeout_s)

    async def run(self, command: Command) -> str | None:
        """Have a command done and return its error's code."""
        return (await self.reply(self.submit(command))).code

    async def until[T: Event](
        self,
        kind: type[T],
        matches: Callable[[T], bool] = lambda _: True,
        timeout_s: float = 10,
    ) -> T:
        """Wait for an event, which may have come already."""
        async with asyncio.timeout(timeout_s):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and matches(event):
                        return event
                self._changed.clear()
                await self._changed.wait()

    async def ended(self, stream: str = STREAM, timeout_s: float = 15) -> StreamChanged:
        """Wait until a stream has ended."""
        return await self.until(
            StreamChanged,
            lambda each: each.stream == stream and each.state == "ended",
            timeout_s,
        )

    async def started(self) -> Started:
        """Wait until the line is set."""
        return await self.until(Started)

    async def state(self, state: str, stream: str = STREAM) -> StreamChanged:
        """Wait until a stream is in a state."""
        return await self.until(
            StreamChanged, lambda each: each.stream == stream and each.state == state
        )

    def states(self, stream: str = STREAM) -> list[str]:
        """Return the states that a stream went through."""
        return [
            event.state
            for event in self.events
            if isinstance(event, StreamChanged) and event.stream == stream
        ]

    def events_of[T: Event](self, kind: type[T]) -> list[T]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def stop(self, stream: str = STREAM) -> str | None:
        """Stop a stream and return the error's code."""
        return await self.run(Stop(stream=stream))


def open_files() -> list[str]:
    """Return the open files of this process, sockets by number."""
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            links.append(f"{entry.name} {entry.readlink()}")
        except OSError:
            continue
    return sorted(links)


@asynccontextmanager
async def running_harness() -> AsyncIterator[EngineHarness]:
    """Run an engine; anything that it leaves behind is an error."""
    files, threads = open_files(), set(threading.enumerate())
    tasks = asyncio.all_tasks()
    harness = EngineHarness()
    harness.engine.start()
    try:
        yield harness
    finally:
        await harness.close()
    assert not list(harness.engine._streams)
    assert not harness.engine._tasks
    # One of an earlier test may end meanwhile.
    await until(lambda: {*open_files()} <= {*files}, "open files", open_files)
    await until(
        lambda: {each for each in threading.enumerate() if _is_ours(each)} <= threads,
        "threads",
        threading.enumerate,
    )
    left = asyncio.all_tasks() - tasks - {asyncio.current_task()}
    await until(lambda: all(task.done() for task in left), "tasks", lambda: left)


def _is_ours(thread: threading.Thread) -> bool:
    return not thread.name.startswith(("asyncio_", "waitpid", "SyncWorker"))


async def until(
    is_true: Callable[[], bool],
    what: str,
    look: Callable[[], object],
    timeout_s: float = 10,
) -> None:
    """Poll for a condition that has no signal."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, f"{what}: {look()}"
        await asyncio.sleep(0.01)


def unix(monotonic_ns: int | None) -> float:
    """Return the Unix time of an instant of CLOCK_MONOTONIC."""
    assert monotonic_ns is not None
    return to_unix_ns(monotonic_ns) / 1e9


def heard_at(of: VirtualReceiver, pcm: bytes) -> float:
    """Return the Unix time at which a source's first frame was played."""
    return unix(of.heard(pcm).first_frame_ns)


async def outcome(
    harness: EngineHarness, of: VirtualReceiver, song: Path, **details: object
) -> str | None:
    """Play a song on its own stream and return the error's code, if any."""
    code = await harness.run(play(song, member(of, **details), stream=of.name))
    end = await harness.ended(of.name)
    assert end.code == code
    return code


async def outcomes(
    harness: EngineHarness, song: Path, quirks: dict[str, Quirks], **details: object
) -> dict[str, str | None]:
    """Play on many receivers at once, each in its own stream."""
    all_of = [
        await harness.add(receiver(name, quirks=each)) for name, each in quirks.items()
    ]
    codes = await asyncio.gather(
        *(outcome(harness, each, song, **details) for each in all_of)
    )
    return dict(zip(quirks, codes, strict=True))
