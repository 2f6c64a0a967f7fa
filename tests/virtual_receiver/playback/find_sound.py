"""Find a piece of sound in the recording of a receiver."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.virtual_receiver.clock import to_unix_ns
from tests.virtual_receiver.raop.packets import signed_distance

from .recording import FRAME_BYTES, NS_PER_S, PlayedPacket, runs

_PROBE_FRAMES = 256
_PROBES = 24
_STEP_TOLERANCE_NS = 5_000_000


@dataclass(frozen=True, slots=True)
class Heard:
    """How a source was played; frames are those of the source."""

    first_frame_ns: int | None = None
    """CLOCK_MONOTONIC at which the source's first frame played (or would have)."""
    last_frame_ns: int | None = None
    """CLOCK_MONOTONIC at which its last frame ended."""
    frames: int = 0
    """Frames that were played exactly as they are in the source."""
    missing: int = 0
    """Frames that did not play: lost, cut off or not played yet."""
    wrong: int = 0
    """Frames that were played with another sound."""
    worst_step_ns: int = 0
    """Largest deviation between the instants of two packets that follow."""
    contiguous: bool = False
    """Nothing is missing and no break is longer than 5 ms."""

    @property
    def first_frame_unix_ns(self) -> int | None:
        """Return the instant of the first frame as Unix time."""
        return None if self.first_frame_ns is None else to_unix_ns(self.first_frame_ns)

    @property
    def is_complete(self) -> bool:
        """Return whether every frame was played, right and without a break."""
        return self.frames > 0 and self.wrong == 0 and self.contiguous


def find(source: bytes, packets: Iterable[PlayedPacket]) -> Heard:
    """Return the best place of a source of s16le stereo in the played sound."""
    frames = len(source) // FRAME_BYTES
    best = Heard(missing=frames)
    for run in runs(packets):
        origin = run[0].rtptime
        places = [signed_distance(packet.rtptime, origin, 32) for packet in run]
        tape = _tape(run, places)
        for start in _candidates(source, tape):
            heard = _compare(source, run, places, start)
            if best.first_frame_ns is None or heard.frames > best.frames:
                best = heard
    return best


def _tape(run: list[PlayedPacket], places: list[int]) -> bytes:
    """Lay the packets of a run along rtptime, silence in the holes."""
    tape = bytearray((places[-1] + run[-1].frames) * FRAME_BYTES)
    for packet, place in zip(run, places, strict=True):
        begin = place * FRAME_BYTES
        tape[begin : begin + len(packet.pcm)] = packet.pcm
    return bytes(tape)


def _candidates(source: bytes, tape: bytes) -> list[int]:
    """Return the frames of the tape at which the source may begin."""
    frames = len(source) // FRAME_BYTES
    size = min(_PROBE_FRAMES, frames)
    stride = max(1, (frames - size) // _PROBES)
    found: dict[int, None] = {}
    for offset in [*range(0, frames - size + 1, stride)]:
        probe = source[offset * FRAME_BYTES : (offset + size) * FRAME_BYTES]
        if not any(probe):
            continue
        place = _find_aligned(tape, probe)
        if place is not None:
            found[place - offset] = None
    return list(found)


def _find_aligned(tape: bytes, probe: bytes) -> int | None:
    place = tape.find(probe)
    while place >= 0 and place % FRAME_BYTES:
        place = tape.find(probe, place + 1)
    return place // FRAME_BYTES if place >= 0 else None


def _compare(
    source: bytes, run: list[PlayedPacket], places: list[int], start: int
) -> Heard:
    """Compare the source with the packets that cover it."""
    total = len(source) // FRAME_BYTES
    right = wrong = worst_step = 0
    first_ns: int | None = None
    end_ns = end_place = 0
    for packet, place in zip(run, places, strict=True):
        begin, end = max(place, start), min(place + packet.frames, start + total)
        if begin >= end or packet.is_missing:
            continue
        if first_ns is None:
            first_ns = packet.play_ns + (start - place) * NS_PER_S // packet.rate
        else:
            gap_ns = (place - end_place) * NS_PER_S // packet.rate
            worst_step = max(worst_step, abs(packet.play_ns - end_ns - gap_ns))
        same = _same_frames(
            packet.sound[(begin - place) * FRAME_BYTES : (end - place) * FRAME_BYTES],
            source[(begin - start) * FRAME_BYTES : (end - start) * FRAME_BYTES],
        )
        right += same
        wrong += end - begin - same
        end_place = place + packet.frames
        end_ns = packet.play_ns + packet.frames * NS_PER_S // packet.rate
        last_ns = end_ns - (end_place - end) * NS_PER_S // packet.rate
    if first_ns is None:
        return Heard(missing=total)
    missing = total - right - wrong
    return Heard(
        first_frame_ns=first_ns,
        last_frame_ns=last_ns,
        frames=right,
        missing=missing,
        wrong=wrong,
        worst_step_ns=worst_step,
        contiguous=missing == 0 and worst_step <= _STEP_TOLERANCE_NS,
    )


def _same_frames(played: bytes, wanted: bytes) -> int:
    if played == wanted:
        return len(wanted) // FRAME_BYTES
    pairs = zip(memoryview(played).cast("I"), memoryview(wanted).cast("I"), strict=True)
    return sum(one == other for one, other in pairs)
