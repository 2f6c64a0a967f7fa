"""Each request of a session, and whatever a receiver may do about it.

What sound does not need never ends it: the sound is compared bit by bit. The receivers of a test play at once, each
in a stream of its own.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
import plistlib

import pytest

from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers
from custom_components.airplay.raop.engine.ptp.service import PtpService
from custom_components.airplay.raop.messages import (
    Member,
    Pause,
    Resume,
    SetArtwork,
    SetTags,
    StreamChanged,
    Tags,
)
from custom_components.airplay.raop.receiver_lanes import AIRPLAY2_NTP
from tests.raop.engine.harness import EAGER, EngineHarness, member, play, receiver, wav
from tests.virtual_receiver import Quirks, Reaction, Request, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts

from .test_airplay2 import BUFFERED, FREE, SETTLE_S, by

# Within the bound of a step, and beyond that of what sound does not need.
SLOW_S, TOO_LATE_S = 2.5, 1.3
MOST_AT_ONCE = 6
# Others, such as 404, are refusals like 400 and 500.
STATUSES = (400, 401, 403, 453, 500)
FAULTS: Mapping[str, Reaction] = {
    "hang-up": Reaction(hangs_up=True),
    "no answer": Reaction(),
    "garbage": Reaction(is_garbage=True),
    "late": Reaction(late_s=SLOW_S),
    **{str(each): Reaction(each) for each in STATUSES},
}
# What a request that sound needs ends in, with the faults that it survives.
NEEDED = {
    "hang-up": "unreachable",
    "no answer": "unreachable",
    "garbage": "protocol",
    "late": None,
    "400": "refused",
    "401": "password_required",
    "403": "pairing_required",
    "453": "busy",
    "500": "refused",
}
WELCOME = dict.fromkeys(FAULTS)
PICTURE = base64.b64encode(b"\xff\xd8\xff picture").decode()
_PARAMETERS = {
    "application/x-dmap-tagged": "text",
    "image/jpeg": "artwork",
}


def name_of(request: Request) -> str:
    """Return what a request is about."""
    if request.method == "SET_PARAMETER":
        kind = "volume" if request.body.startswith(b"volume") else "progress"
        return _PARAMETERS.get(request.content_type, kind)
    if request.method in ("GET", "POST"):
        return f"{request.method} {request.uri}"
    if request.method == "SETUP" and request.body:
        has_stream = "streams" in plistlib.loads(request.body)
        return "SETUP stream" if has_stream else "SETUP session"
    if request.method == "SETRATEANCHORTIME":
        told = plistlib.loads(request.body)
        if not told["rate"]:
            return "halt"
        return "anchor" if "rtpTime" in told else "rate"
    return request.method


def reacting(to: str, fault: Reaction) -> Callable[[Request], Reaction | None]:
    """Return a quirk: one fault at one request."""
    return lambda request: fault if name_of(request) == to else None


class Heard:
    """A receiver that plays one song, is paused and resumed, and plays another."""

    def __init__(
        self, harness: EngineHarness, of: VirtualReceiver, folder: Path
    ) -> None:
        self._harness = harness
        self._of = of
        self._first = folder / "first.wav"
        self._second = folder / "second.wav"

    async def play(self, known: Member, pcm: bytes) -> str | None:
        """Play both; return the code of the error, or what is missing."""
        harness, stream, of = self._harness, self._of.name, self._of
        command = play(self._first, known, stream=stream, lead_ms=None)
        if code := await harness.run(command):
            return code
        tags = Tags(title="Song", artist="Band", album=None)
        await harness.run(SetTags(stream=stream, tags=tags))
        await harness.run(
            SetArtwork(stream=stream, content_type="image/jpeg", picture=PICTURE)
        )
        if code := await harness.run(Pause(stream=stream, keep_s=60)):
            return f"pause: {code}"
        if code := await harness.run(Resume(stream=stream)):
            return f"resume: {code}"
        of.clear()
        command = play(self._second, known, stream=stream, lead_ms=None)
        if code := await harness.run(command):
            return f"second: {code}"
        await harness.until(
            StreamChanged,
            lambda each: (each.stream, each.reason) == (stream, "finished"),
            20,
        )
        if not of.heard(pcm).is_complete:
            return "not whole"
        return "connected again" if len(of.asked("RECORD")) > 1 else None


type Make = Callable[[str, int, Quirks], Awaitable[tuple[VirtualReceiver, Member]]]


async def outcomes(
    harness: EngineHarness, folder: Path, make: Make, *requests: str, late_s: float
) -> dict[str, dict[str, str | None]]:
    """Return what each fault at requests leads to, on receivers of their own."""
    wav(folder / "first.wav", 8)
    pcm = wav(folder / "second.wav", 0.6, seed=2)
    reactions = {**FAULTS, "late": Reaction(late_s=late_s)}
    cases = [(request, fault) for request in requests for fault in reactions]
    receivers = []
    for number, (request, fault) in enumerate(cases):
        react = reacting(request, reactions[fault])
        quirks = Quirks(react=react, ptp_settle_s=SETTLE_S)
        receivers.append(await make(f"{request} {fault}", number, quirks))
    # More at once lose sound on a slow machine, which makes all receivers, too.
    places = asyncio.Semaphore(MOST_AT_ONCE)

    async def outcome(of: VirtualReceiver, known: Member) -> str | None:
        async with places:
            return await Heard(harness, of, folder).play(known, pcm)

    found = await asyncio.gather(*(outcome(*each) for each in receivers))
    every = dict(zip(cases, found, strict=True))
    return {
        request: {fault: every[request, fault] for fault in reactions}
        for request in requests
    }


def classic(harness: EngineHarness) -> Make:
    """Return how to add receivers of AirPlay 1."""

    async def make(
        name: str, number: int, quirks: Quirks
    ) -> tuple[VirtualReceiver, Member]:
        receiver_id = f"0A0B0C0D0E{number:02X}"
        added = receiver(name, receiver_id=receiver_id, quirks=quirks)
        return added, member(await harness.add(added), volume=30)

    return make


def modern(harness: EngineHarness, lane: str) -> Make:
    """Return how to add receivers of AirPlay 2, which follow one clock."""
    ports: list[PtpPorts] = []

    async def make(
        name: str, number: int, quirks: Quirks
    ) -> tuple[VirtualReceiver, Member]:
        added = AirPlay2Receiver(
            name,
            host=f"127.0.0.{number + 10}",
            receiver_id=f"0A0B0C0D0E{number:02X}",
            quirks=quirks,
            cadence=EAGER,
            ptp=ports[0] if ports else FREE,
        )
        await harness.add(added)
        if not ports:
            ports.append(PtpPorts(*added.ptp_ports, None, None))
            engine = harness.engine
            engine._ptp = PtpService(
                engine._pacer,
                engine.ptp.clock_id,
                ports=PtpPortNumbers(0, 0),
                receivers=PtpPortNumbers(*added.ptp_ports),
                local=["127.0.0.1"],
            )
        return added, by(added, lane, volume=30)

    return make


# An answer of any kind is enough for OPTIONS, unless it demands something.
GREETED = WELCOME | {each: NEEDED[each] for each in ("hang-up", "no answer", "garbage")}
GREETED |= {"401": "password_required", "403": "pairing_required"}
PAIRED = NEEDED | {"401": "refused", "453": "refused"}
# A song that is shorter than the wait for its anchor is over before.
ANCHORED = NEEDED | dict.fromkeys(("400", "500"), "silent")
OVER: dict[str, str | None] = {"late": "not whole"}


@pytest.mark.parametrize(
    "expected",
    [
        {"OPTIONS": GREETED, "ANNOUNCE": NEEDED},
        {"SETUP": NEEDED, "RECORD": NEEDED},
    ],
)
async def test_what_sound_needs_of_airplay_1_is_named(
    harness: EngineHarness,
    tmp_path: Path,
    expected: dict[str, dict[str, str | None]],
) -> None:
    make = classic(harness)

    assert await outcomes(harness, tmp_path, make, *expected, late_s=SLOW_S) == expected


@pytest.mark.parametrize(
    "names", [("volume", "text"), ("artwork", "progress"), ("FLUSH", "TEARDOWN")]
)
async def test_what_sound_does_not_need_of_airplay_1_never_ends_it(
    harness: EngineHarness, tmp_path: Path, names: tuple[str, ...]
) -> None:
    found = await outcomes(
        harness, tmp_path, classic(harness), *names, late_s=TOO_LATE_S
    )

    assert found == dict.fromkeys(names, WELCOME)


@pytest.mark.parametrize(
    "expected",
    [
        {"POST /pair-setup": PAIRED},
        {"SETUP session": NEEDED, "SETUP stream": NEEDED},
    ],
)
async def test_what_sound_needs_of_airplay_2_is_named(
    harness: EngineHarness,
    tmp_path: Path,
    expected: dict[str, dict[str, str | None]],
) -> None:
    make = modern(harness, AIRPLAY2_NTP)

    assert await outcomes(harness, tmp_path, make, *expected, late_s=SLOW_S) == expected


@pytest.mark.parametrize(
    "names",
    [
        ("GET /info", "RECORD"),
        ("volume", "text"),
        ("artwork", "progress"),
        ("FLUSH", "POST /feedback"),
        ("TEARDOWN",),
    ],
)
async def test_what_sound_does_not_need_of_airplay_2_never_ends_it(
    harness: EngineHarness, tmp_path: Path, names: tuple[str, ...]
) -> None:
    make = modern(harness, AIRPLAY2_NTP)

    found = await outcomes(harness, tmp_path, make, *names, late_s=TOO_LATE_S)

    assert found == dict.fromkeys(names, WELCOME)


@pytest.mark.parametrize(
    "expected",
    [
        {"SETPEERS": WELCOME, "rate": WELCOME | OVER},
        {"halt": WELCOME, "FLUSHBUFFERED": WELCOME},
        {"anchor": ANCHORED | OVER},
    ],
)
async def test_requests_of_a_buffered_stream(
    harness: EngineHarness,
    tmp_path: Path,
    expected: dict[str, dict[str, str | None]],
) -> None:
    make = modern(harness, BUFFERED)

    assert await outcomes(harness, tmp_path, make, *expected, late_s=SLOW_S) == expected
