"""Several receivers on one stream: how to start them, and the sound that they played."""

from collections.abc import Sequence
from pathlib import Path

from custom_components.airplay.raop.messages import Join, Leave, MemberChanged
from tests.virtual_receiver import VirtualReceiver

from .harness import STREAM, EngineHarness, member, play, receiver

_ALIKE_NS = 50_000


async def speakers(
    harness: EngineHarness, count: int, **details: object
) -> list[VirtualReceiver]:
    """Start so many receivers."""
    return [await speaker(harness, at, **details) for at in range(1, count + 1)]


async def speaker(
    harness: EngineHarness, number: int, **details: object
) -> VirtualReceiver:
    """Start a receiver."""
    name, receiver_id = f"Speaker {number}", f"0A0B0C0D0E{number:02}"
    return await harness.add(receiver(name, receiver_id=receiver_id, **details))


async def start(harness: EngineHarness, song: Path, *group: VirtualReceiver) -> None:
    """Play a song on a group and wait until all play."""
    assert await harness.run(play(song, *map(member, group), depth_ms=1000)) is None
    for each in group:
        await wait_for_state(harness, each, "playing")


def join(of: VirtualReceiver, **details: object) -> Join:
    """Return a command by which a receiver joins."""
    return Join(stream=STREAM, member=member(of, **details))


def leave(of: VirtualReceiver) -> Leave:
    """Return a command by which a receiver leaves."""
    return Leave(stream=STREAM, receiver=of.receiver_id.lower())


def changes(harness: EngineHarness, of: VirtualReceiver) -> list[MemberChanged]:
    """Return the changes of a member."""
    name = of.receiver_id.lower()
    return [each for each in harness.events_of(MemberChanged) if each.receiver == name]


def states(harness: EngineHarness, of: VirtualReceiver) -> list[str]:
    """Return the states of a member, in order."""
    return [each.state for each in changes(harness, of)]


async def wait_for_state(
    harness: EngineHarness,
    of: VirtualReceiver,
    state: str,
    *,
    count: int = 1,
    timeout_s: float = 10,
) -> MemberChanged:
    """Wait until a member was reported in a state so many times."""

    def has_state(_: MemberChanged) -> bool:
        return states(harness, of).count(state) >= count

    await harness.until(MemberChanged, has_state, timeout_s)
    return [each for each in changes(harness, of) if each.state == state][count - 1]


def are_alike(group: Sequence[VirtualReceiver]) -> bool:
    """Return whether all played the common part at the same time."""
    times = [each.play_times() for each in group]
    for other in times[1:]:
        both = times[0].keys() & other.keys()
        apart = sorted(abs(times[0][rtptime] - other[rtptime]) for rtptime in both)
        if not apart or apart[len(apart) // 2] > _ALIKE_NS:
            return False
    return True


def is_tail(of: VirtualReceiver, pcm: bytes) -> bool:
    """Return whether a receiver has played the end of a song, whole, and nothing else."""
    heard = of.pcm.strip(b"\0")
    return 0 < len(heard) < len(pcm) and pcm.endswith(heard)
