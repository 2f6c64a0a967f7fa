"""The sender process: the commands of its owner, and the death of either."""

import asyncio
from collections.abc import AsyncIterator
import logging
import os
from pathlib import Path
import signal
import sys

import pytest

from custom_components.airplay.raop.messages import (
    MAX_LINE_BYTES,
    LogLine,
    Member,
    Progress,
    Ready,
    Reply,
    SetVolume,
    Shutdown,
    Started,
    Stop,
    StreamChanged,
    encode_command,
)
from tests.program import FIND_CORE, RAOP
from tests.virtual_receiver import VirtualReceiver, to_unix_ns

from .harness import member, play, receiver, until, wav
from .sender_process import sender


@pytest.fixture
async def speaker() -> AsyncIterator[VirtualReceiver]:
    """Return a receiver that has no engine beside it."""
    async with receiver("Speaker") as sender_process:
        yield sender_process


async def test_commands_are_accepted_and_the_song_plays(
    speaker: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 0.6)
    async with sender() as sender_process:
        ready = await sender_process.until(Ready)
        assert ready.pid == sender_process.process.pid

        assert (
            await sender_process.run(play(tmp_path / "song.wav", member(speaker)))
            is None
        )
        end = await sender_process.until(
            StreamChanged, lambda each: each.state == "ended"
        )
        started = await sender_process.until(Started)

        # What opens media is not in this process.
        loaded = Path(f"/proc/{ready.pid}/maps").read_text()
        assert "libavcodec" not in loaded
        assert "/_ssl." not in loaded
        first_ns = speaker.heard(pcm).first_frame_ns
        assert first_ns is not None
        heard_at = to_unix_ns(first_ns) / 1e9
        assert abs(heard_at - started.at) < 0.002
        assert end.reason == "finished"
        assert speaker.heard(pcm).is_complete
        sender_process.submit(Shutdown())
        assert await sender_process.exit_code() == 0


async def test_garbage_is_logged_and_the_next_command_is_done() -> None:
    async with sender() as sender_process:
        sender_process.write(b"garbage\n{}\n\xff\xfe\n[1]\n" + b"[" * 50_000 + b"\n\n")
        sender_process.write(
            encode_command(7, Stop(stream="none")).replace(b"Stop", b"Jump")
        )

        assert await sender_process.run(SetVolume(receiver="none", volume=1)) is None

        logged = [each for each in sender_process.events if isinstance(each, LogLine)]
        assert len(logged) == 7
        assert all("invalid command" in each.text for each in logged)
        assert {each.level for each in logged} == {logging.WARNING}


async def test_the_longest_line_is_accepted_and_a_longer_one_ends_the_process() -> None:
    line = encode_command(5, Stop(stream="x"))
    longest = line[:-1].ljust(MAX_LINE_BYTES - 1) + b"\n"
    async with sender() as sender_process:
        sender_process.write(longest)
        await sender_process.until(Reply, lambda each: each.id == 5)

        sender_process.write(line[:-1].ljust(2 * MAX_LINE_BYTES) + b"\n")

        assert await sender_process.exit_code() == 0
        await sender_process.until(LogLine, lambda each: "size limit" in each.text)


async def test_a_sender_that_ends_for_any_reason_frees_its_receivers(
    tmp_path: Path,
) -> None:
    wav(tmp_path / "song.wav", 20)

    await asyncio.gather(
        *(
            end_while_it_plays(tmp_path / "song.wav", how)
            for how in ("stdin", "SIGTERM", "SIGINT", "Shutdown")
        )
    )


async def end_while_it_plays(song: Path, how: str) -> None:
    async with receiver(how) as speaker, sender() as sender_process:
        assert await sender_process.run(play(song, member(speaker))) is None
        match how:
            case "stdin":
                sender_process.hang_up()
            case "Shutdown":
                sender_process.submit(Shutdown())
            case _:
                sender_process.process.send_signal(signal.Signals[how])

        assert await sender_process.exit_code() == 0
        assert len(speaker.asked("TEARDOWN")) == 1
        assert not speaker.has_session


async def test_a_receiver_that_does_not_answer_cannot_hold_the_sender(
    tmp_path: Path,
) -> None:
    wav(tmp_path / "song.wav", 20)
    deaf = receiver("Deaf")
    async with deaf, sender() as sender_process:
        assert (
            await sender_process.run(play(tmp_path / "song.wav", member(deaf))) is None
        )
        deaf.unplug()

        sender_process.hang_up()

        assert await sender_process.exit_code(4) == 0


_PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen({[*RAOP, "serve"]!r}, stdin=subprocess.PIPE)
for line in sys.stdin.buffer:
    child.stdin.write(line)
    child.stdin.flush()
"""


async def test_a_sender_does_not_outlive_an_owner_that_was_killed(
    speaker: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 20)
    async with sender(_PARENT) as owner:
        pid = (await owner.until(Ready)).pid
        assert pid != owner.process.pid
        assert await owner.run(play(tmp_path / "song.wav", member(speaker))) is None

        owner.process.kill()

        await until(lambda: not _is_alive(pid), "sender", lambda: pid)
        assert len(speaker.asked("TEARDOWN")) == 1
        assert not speaker.has_session


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def test_a_sender_that_was_killed_leaves_a_receiver_that_plays_again(
    speaker: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "long.wav", 20)
    pcm = wav(tmp_path / "song.wav", 0.6, seed=2)
    async with sender() as first:
        assert await first.run(play(tmp_path / "long.wav", member(speaker))) is None
        first.process.kill()
        await first.exit_code()

    async with sender() as second:
        assert await second.run(play(tmp_path / "song.wav", member(speaker))) is None
        await second.until(StreamChanged, lambda each: each.state == "ended")

    assert speaker.heard(pcm).is_complete


_PRINTING = """
import logging, os, sys
from raop.engine import process
ready = process.Ready
def noisy(*args, **kwargs):
    print("print from Python")
    os.write(1, b"print from C\\n")
    sys.stdout.flush()
    logging.getLogger("raop.test").error("logged %s", "ü" * 5000)
    logging.getLogger("raop.test").debug("not logged")
    return ready(*args, **kwargs)
process.Ready = noisy
from raop.__main__ import main
sys.exit(main(['serve']))
"""


async def test_prints_do_not_break_the_protocol_and_logs_come_as_events() -> None:
    async with sender(FIND_CORE + _PRINTING) as sender_process:
        assert await sender_process.run(Stop(stream="none")) is None

        logged = [each for each in sender_process.events if isinstance(each, LogLine)]

    assert [(each.level, each.logger) for each in logged] == [
        (logging.ERROR, "raop.test")
    ]
    assert logged[0].text.startswith("logged üü")
    assert len(logged[0].text) <= 4096


async def test_the_owner_sets_the_level_of_the_log(tmp_path: Path) -> None:
    async with sender(AIRPLAY_LOG_LEVEL="10") as fine:
        wav(tmp_path / "song.wav", 0.6)
        nobody = Member(receiver="nobody", name="Nobody", host="127.0.0.1", port=1)
        assert await fine.run(play(tmp_path / "song.wav", nobody)) == "unreachable"
        await fine.until(LogLine, lambda each: each.level == logging.DEBUG)


async def test_an_owner_that_does_not_read_for_a_while_loses_nothing_it_must_know(
    speaker: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 1)
    commands = 20_000
    async with sender() as sender_process:
        sender_process.is_reading.clear()
        playing = sender_process.submit(play(tmp_path / "song.wav", member(speaker)))
        for _ in range(commands):
            sender_process.submit(SetVolume(receiver="none", volume=1))
        await speaker.wait_playing()
        await speaker.wait_idle()
        sender_process.is_reading.set()

        await sender_process.until(Reply, lambda each: each.id == playing + commands)
        await sender_process.until(StreamChanged, lambda each: each.state == "ended")

        replies = [each.id for each in sender_process.events if isinstance(each, Reply)]
        assert sorted(replies) == list(range(1, commands + 2))
        states = [
            each.state
            for each in sender_process.events
            if isinstance(each, StreamChanged)
        ]
        assert states == ["connecting", "buffering", "playing", "ended"]


async def test_progress_is_reported_about_once_a_second(
    speaker: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 2.2)
    async with sender() as sender_process:
        await sender_process.run(play(tmp_path / "song.wav", member(speaker)))
        await sender_process.until(StreamChanged, lambda each: each.state == "ended")

        told = [each for each in sender_process.events if isinstance(each, Progress)]

    assert 2 <= len(told) <= 4
    assert told[-1].members[0].packets > 100
    assert told[-1].members[0].timing_replies > 0
    line = [each.at - each.position_ms / 1000 for each in told if each.position_ms]
    assert max(line) - min(line) < 0.05


async def test_the_command_line_finds_the_core_alone() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"{FIND_CORE}import raop; assert 'homeassistant' not in sys.modules",
        cwd=os.sep,
    )

    assert await process.wait() == 0
