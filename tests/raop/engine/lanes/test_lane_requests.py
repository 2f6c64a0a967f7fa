"""Each request of a session, and whatever a receiver may do about it.

What sound does not need never ends it: the sound is compared bit by bit, and the next
start is as quick as that of a plain receiver. The receivers of a test play at once, each
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
from tests.raop.engine.harness import EAGER, EngineHarness, member, play, receiver, wav
from tests.virtual_receiver import Quirks, Reaction, Request, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts

from .test_airplay2 import BUFFERED, FREE, SETTLE_S, by

FAULTS: Mapping[str, Reaction] = {
    "hang-up": Reaction(hangs_up=True),
    "no answer": Reaction(),
    "garbage": Reaction(is_garbage=True),
    "late": Reaction(late_s=2.5),
    **{str(each): Reaction(each) for each in (400, 401, 403, 404, 453, 500)},
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
    "404": "refused",
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
        for count in (1, 2):
            of.clear()
            command = play(self._second, known, stream=stream, lead_ms=None)
            if code := await harness.run(command):
                return f"{count}: {code}"
            await self._ended(count)
            if not of.heard(pcm).is_complete:
                return f"{count}: not whole"
        if len(of.asked("RECORD")) > 1:
            return "connected twice"
        return None

    async def _ended(self, count: int) -> None:
        def is_so(_: StreamChanged) -> bool:
            ends = [
                each
                for each in self._harness.events_of(StreamChanged)
                if (each.stream, each.reason) == (self._of.name, "finished")
            ]
            return len(ends) >= count

        await self._harness.until(StreamChanged, is_so, 20)


type Make = Callable[[str, int, Quirks], Awaitable[tuple[VirtualReceiver, Member]]]


async def outcomes(
    harness: EngineHarness, folder: Path, request: str, make: Make
) -> dict[str, str | None]:
    """Return what each fault at a request leads to, on receivers of their own."""
    wav(folder / "first.wav", 8)
    pcm = wav(folder / "second.wav", 0.6, seed=2)

    receivers = {
        fault: await make(
            fault,
            number,
            Quirks(react=reacting(request, reaction), ptp_settle_s=SETTLE_S),
        )
        for number, (fault, reaction) in enumerate(FAULTS.items())
    }
    found = await asyncio.gather(
        *(
            Heard(harness, of, folder).play(known, pcm)
            for of, known in receivers.values()
        )
    )
    return dict(zip(FAULTS, found, strict=True))


def classic(harness: EngineHarness) -> Make:
    """Return how to add receivers of AirPlay 1."""

    async def make(
        name: str, number: int, quirks: Quirks
    ) -> tuple[VirtualReceiver, Member]:
        receiver_id = f"0A0B0C0D0E{number:02}"
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
            receiver_id=f"0A0B0C0D0E{number:02}",
            quirks=quirks,
            cadence=EAGER,
            ptp=ports[0] if ports else FREE,
        )
        await harness.add(added)
        if not ports:
            ports.append(PtpPorts(*added.ptp_ports, None, None))
            engine = harness.engine
            engine.ptp = PtpService(
                engine._pacer,
                engine.ptp.clock_id,
                ports=PtpPortNumbers(0, 0),
                receivers=PtpPortNumbers(*added.ptp_ports),
                local=["127.0.0.1"],
            )
        return added, by(added, lane, volume=30)

    return make


# An answer of any kind is enough for OPTIONS, unless it demands something.
DEMANDS = {"401": "password_required", "403": "pairing_required"}
VITAL = {each: NEEDED[each] for each in ("hang-up", "no answer", "garbage")}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("OPTIONS", {**WELCOME, **VITAL, **DEMANDS}),
        *((each, NEEDED) for each in ("ANNOUNCE", "SETUP", "RECORD")),
        *((each, WELCOME) for each in ("volume", "text", "artwork", "progress")),
        *((each, WELCOME) for each in ("FLUSH", "TEARDOWN")),
    ],
)
async def test_request_of_airplay_1(
    harness: EngineHarness, tmp_path: Path, name: str, expected: dict[str, str | None]
) -> None:
    assert await outcomes(harness, tmp_path, name, classic(harness)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GET /info", WELCOME),
        ("POST /pair-setup", {**NEEDED, "401": "refused", "453": "refused"}),
        *((each, NEEDED) for each in ("SETUP session", "SETUP stream")),
        *((each, WELCOME) for each in ("RECORD", "volume", "text", "artwork")),
        *((each, WELCOME) for each in ("progress", "FLUSH", "POST /feedback")),
        ("TEARDOWN", WELCOME),
    ],
)
async def test_request_of_airplay_2(
    harness: EngineHarness, tmp_path: Path, name: str, expected: dict[str, str | None]
) -> None:
    make = modern(harness, "airplay2-ntp")

    assert await outcomes(harness, tmp_path, name, make) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((each, WELCOME) for each in ("SETPEERS", "rate", "halt", "FLUSHBUFFERED")),
        ("anchor", NEEDED),
    ],
)
async def test_request_of_a_buffered_stream(
    harness: EngineHarness, tmp_path: Path, name: str, expected: dict[str, str | None]
) -> None:
    make = modern(harness, BUFFERED)

    assert await outcomes(harness, tmp_path, name, make) == expected
