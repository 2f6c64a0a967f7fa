"""Receivers that write RTSP in their own way play every frame."""

from pathlib import Path
import re

import pytest

from tests.raop.engine.harness import EngineHarness, member, outcome, play, receiver
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.network.habits import HABITS, TRANSPORTS, with_lines


async def test_habits_of_receivers_cost_no_sound(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    habits = HABITS | TRANSPORTS
    receivers = [
        await harness.add(
            receiver(
                name, receiver_id=f"0A0B0C0D0E{at:02}", quirks=Quirks(rewrite=rewrite)
            )
        )
        for at, (name, rewrite) in enumerate(habits.items())
    ]

    assert await harness.run(play(song, *(member(each) for each in receivers))) is None
    await harness.ended()

    for each in receivers:
        assert each.heard(pcm).is_complete, each.name
        assert not each.violations, each.name
    asking = next(each for each in receivers if each.name == "requests of its own")
    # Nobody waits for the answers after TEARDOWN.
    assert asking.answers[:3] == [200, 501, 200]
    assert len(asking.answers) >= 3 * (len(asking.requests) - 1)


@pytest.mark.parametrize(
    "qop", ["", ', qop="auth"', ', qop="auth-int,auth", opaque="o"']
)
@pytest.mark.parametrize("user", [None, "iTunes", "", "AirPlay"])
async def test_every_form_of_digest_is_proved(
    harness: EngineHarness, song: Path, pcm: bytes, qop: str, user: str | None
) -> None:
    quirks = Quirks(digest_extra=qop, digest_user=user)
    locked = await harness.add(receiver("Locked", password="sesame", quirks=quirks))

    assert await outcome(harness, locked, song, password="sesame") is None
    assert locked.heard(pcm).is_complete


FAULTS = {
    "Content-Length: '1, 2'": b"Content-Length: 1\r\nContent-Length: 2\r\n",
    "Content-Length: '-1'": b"Content-Length: -1\r\n",
    "Content-Length: '99999999999'": b"Content-Length: 99999999999\r\n",
    "Transfer-Encoding: 'gzip'": b"Transfer-Encoding: gzip\r\n",
    "X: a\\x00b": b"X: a\0b\r\n",
    "server_port of the transport is not a port: '65536'": b"server_port=65536",
    "names no server_port": b"server_port=0",
    "control_port of the transport is not a port: '+1'": b"control_port=+1",
    "names no control_port": b"control=1",
}


@pytest.mark.parametrize(("named", "fault"), FAULTS.items(), ids=FAULTS)
async def test_an_answer_that_cannot_be_read_is_named(
    harness: EngineHarness, song: Path, named: str, fault: bytes
) -> None:
    def spoil(method: str, reply: bytes) -> bytes:
        if method != "SETUP":
            return reply
        if fault.endswith(b"\n"):
            return with_lines(reply, fault)
        name = fault.partition(b"=")[0].partition(b"_")[0] + b"_port"
        return re.sub(name + rb"=\d+", fault, reply)

    faulty = await harness.add(receiver(quirks=Quirks(rewrite=spoil)))

    reply = await harness.reply(harness.submit(play(song, member(faulty))))

    assert reply.code == "protocol"
    assert named in reply.text
