"""The sender process as users see it: killed, failing to start, talking nonsense."""

import asyncio
from asyncio.subprocess import PIPE
import base64
import logging
import os
from pathlib import Path
import signal
import sys
from unittest.mock import patch

import pytest

from custom_components.airplay.raop.messages import (
    MAX_LINE_BYTES,
    CoverFound,
    Event,
    LogLine,
    Media,
    MediaChanged,
    Member,
    MemberProgress,
    Play,
    Ready,
    Reply,
    Started,
    StreamChanged,
    StreamState,
    Tags,
    encode_command,
    encode_event,
)
from custom_components.airplay.sender import process as sender_process, sender
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.media_server import picture
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.processes import running, sender_pids
from tests.ha.sound import write_wav
from tests.ha.watch import Watch, logged
from tests.virtual_receiver import Quirks, VirtualReceiver

_READY = encode_event(Ready(pid=1, realtime=False, segmentation=False)).decode()


@pytest.fixture(autouse=True)
def quick_senders() -> None:
    """Start senders as Home Assistant does, with all that they import."""


async def test_killed_in_the_middle_of_a_song(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    playing: Watch,
    song: str,
    song_pcm: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    os.kill(sender_pids()[0], signal.SIGKILL)

    await playing.until_is("idle")
    await kitchen.wait_idle()
    errors = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.ERROR
    ]
    assert errors == ["Sender process ended; restarting it: exit code -9"]

    kitchen.clear()
    await play(hass, playing.entity_id, song)
    await playing.until_is("playing")
    await playing.until_is("idle")
    assert kitchen.heard(song_pcm).is_complete


async def test_killed_while_the_receiver_is_being_connected(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    kitchen.quirks = Quirks(setup_delay_s=30)
    asking = hass.async_create_task(play(hass, player, song))
    await kitchen.wait_for("ANNOUNCE")

    os.kill(sender_pids()[0], signal.SIGKILL)

    with pytest.raises(HomeAssistantError, match="process stopped"):
        await asking
    assert state_of(hass, player).state == "idle"


async def test_process_that_does_not_start_is_reported_and_restarted_when_needed(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with running("import sys; sys.exit('no audio library')"):
        player = await set_up(hass, entry_for(kitchen))
        await logged(caplog, "exit code 1", count=2)
        with pytest.raises(HomeAssistantError, match="process stopped"):
            await play(hass, player, song)
    assert "no audio library" in caplog.text

    await play(hass, player, song)

    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")


async def test_program_that_cannot_be_run(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with patch.object(sys, "executable", "/nowhere/python"):
        player = await set_up(hass, entry_for(kitchen))
        with pytest.raises(HomeAssistantError, match="process stopped"):
            await play(hass, player, song)
    assert "No such file" in caplog.text


async def test_process_that_is_never_ready(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    with (
        running("import sys; sys.stdin.read()"),
        patch.object(sender, "_START_S", 0.1),
    ):
        player = await set_up(hass, entry_for(kitchen))
        with pytest.raises(HomeAssistantError, match="process stopped"):
            await play(hass, player, song)


async def test_process_that_does_not_answer(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    boot = f"import sys; print({_READY!r}, end='', flush=True); sys.stdin.read()"
    with (
        running(boot),
        patch.object(sender, "_REPLY_S", 0.1),
    ):
        player = await set_up(hass, entry_for(kitchen))
        with pytest.raises(HomeAssistantError, match="process stopped"):
            await play(hass, player, song)


async def test_process_output_is_logged_and_nonsense_is_survived(
    hass: HomeAssistant, kitchen: VirtualReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    line = encode_event(LogLine(level=logging.WARNING, logger="raop.x", text="so%s"))
    progress = encode_event(
        MemberProgress(receiver="x", packets=1, resent=0, timing_replies=0)
    )
    boot = (
        f"import sys; print('nonsense'); print('x' * {3 * MAX_LINE_BYTES});"
        f"print({_READY!r}, end=''); print({progress.decode()!r}, end='');"
        f"print({line.decode()!r}, end='', flush=True);"
        "print('y' * 5000, file=sys.stderr, flush=True); sys.stdin.read()"
    )
    with running(boot):
        await set_up(hass, entry_for(kitchen))
        await logged(caplog, "so%s")
        await logged(caplog, "yyy")

    said = {record.name: record for record in caplog.records}
    line_logged = said["custom_components.airplay.sender.raop.x"]
    assert (line_logged.levelno, line_logged.getMessage()) == (logging.WARNING, "so%s")
    assert "wrote an invalid event" in caplog.text
    assert "a line that is too long" in caplog.text
    assert "y" * 2001 not in caplog.text


async def test_process_that_does_not_exit_is_killed(
    hass: HomeAssistant, kitchen: VirtualReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    boot = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"print({_READY!r}, end='', flush=True);"
        "time.sleep(60)"
    )
    entry = entry_for(kitchen)
    with (
        running(boot),
        patch.object(sender_process, "_EXIT_S", 0.3),
    ):
        await set_up(hass, entry)
        assert await hass.config_entries.async_unload(entry.entry_id)

    assert not sender_pids()
    assert caplog.text.count("did not exit in time") == 2


async def test_debug_lines_of_the_process_are_logged_when_they_are_enabled(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.airplay.sender")

    player = await set_up(hass, entry_for(kitchen))
    await play(hass, player, song)

    await logged(caplog, "ANNOUNCE")
    levels = {
        record.levelno
        for record in caplog.records
        if record.name.startswith("custom_components.airplay.sender.raop")
    }
    assert logging.DEBUG in levels
    await call(hass, player, "media_stop")


async def test_restarts_slow_down_and_speed_up_after_a_healthy_time(
    hass: HomeAssistant, kitchen: VirtualReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        running("import sys; sys.exit(1)"),
        patch.object(sender_process, "_BACKOFF_S", (0, 0, 60)),
        patch.object(sender_process, "_HEALTHY_S", 60),
    ):
        entry = entry_for(kitchen)
        await set_up(hass, entry)
        await logged(caplog, "exit code 1", count=3)
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert caplog.text.count("exit code 1") == 3

    caplog.clear()
    with (
        running("import sys; sys.exit(1)"),
        patch.object(sender_process, "_BACKOFF_S", (0, 60)),
        patch.object(sender_process, "_HEALTHY_S", 0),
    ):
        await hass.config_entries.async_setup(entry.entry_id)
        await logged(caplog, "exit code 1", count=4)
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_secrets_are_not_logged(
    hass: HomeAssistant,
    locked: VirtualReceiver,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    player = await set_up(hass, entry_for(locked, password="secret"))

    await play(hass, player, song)
    await call(hass, player, "media_stop")

    mine = [each.getMessage() for each in caplog.records if "airplay" in each.name]
    assert mine
    assert not any("secret" in message for message in mine)


async def test_commands_that_the_process_cannot_do(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = entry_for(kitchen)
    stream = entry.entry_id
    cover = base64.b64encode(picture(60, 40)).decode()
    playing: list[Event] = [
        StreamChanged(stream=stream, state=StreamState.CONNECTING),
        Started(stream=stream, at=1.0, first_packet_at=1.0),
        CoverFound(stream=stream, picture="not Base64"),
        CoverFound(stream=stream, picture=cover),
        MediaChanged(stream=stream, tags=Tags(title="Song")),
        StreamChanged(stream=stream, state=StreamState.PLAYING),
        StreamChanged(stream=stream, state="dancing"),  # type: ignore[arg-type]
        Reply(id=1),
    ]
    events = b"".join(encode_event(event) for event in playing).decode()
    boot = (
        "import json, sys\n"
        f"print({_READY!r}, end='', flush=True)\n"
        "for line in sys.stdin:\n"
        "    number = json.loads(line)['id']\n"
        f"    if number == 1: print({events!r}, end='', flush=True); continue\n"
        "    body = {'id': number, 'code': 'failed', 'text': 'no hands'}\n"
        "    print(json.dumps({'type': 'Reply', 'id': 0, 'body': body}), flush=True)\n"
    )
    with running(boot):
        player = await set_up(hass, entry)
        await play(hass, player, song)
        assert state_of(hass, player).state == "playing"
        assert state_of(hass, player).attributes["media_title"] == "Song"
        await logged(caplog, "Could not show a picture on Kitchen")

        with pytest.raises(HomeAssistantError, match="could not complete the action"):
            await call(hass, player, "volume_set", volume_level=0.1)
        with pytest.raises(HomeAssistantError, match="could not complete the action"):
            await call(hass, player, "media_stop")

        assert await hass.config_entries.async_unload(entry.entry_id)
    assert not sender_pids()


async def test_fault_in_an_event_does_not_end_the_supervision(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with patch(
        "custom_components.airplay.player.reported.NowPlaying", side_effect=ValueError
    ):
        await play(hass, player, song)
    await logged(caplog, "Error while handling an event")

    await call(hass, player, "media_stop")

    assert state_of(hass, player).state == "idle"
    assert len(sender_pids()) == 1


async def test_home_assistant_killed_in_the_middle_of_a_song(
    kitchen: VirtualReceiver, tmp_path: Path, song_pcm: bytes
) -> None:
    owner = (
        "import subprocess, sys\n"
        "line, *arguments = sys.argv[1:]\n"
        "process = subprocess.Popen([sys.executable, *arguments],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)\n"
        "process.stdin.write(line.encode())\n"
        "process.stdin.flush()\n"
        "print(process.pid, flush=True)\n"
        "process.wait()\n"
    )
    member = Member(
        receiver="0a0b0c0d0e01", name="Kitchen", host="127.0.0.1", port=kitchen.port
    )
    media = Media(url=str(write_wav(tmp_path / "song.wav", song_pcm)), name="song")
    line = encode_command(1, Play(stream="x", members=(member,), media=media)).decode()
    arguments = sender_process._ARGUMENTS
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", owner, line, *arguments, stdout=PIPE
    )
    assert process.stdout
    pid = int(await process.stdout.readline())
    await kitchen.wait_playing()

    process.kill()
    await process.wait()

    await kitchen.wait_idle(10)
    assert kitchen.asked("TEARDOWN")
    async with asyncio.timeout(10):
        while is_alive(pid):
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Return whether a process that is no child of ours exists and runs."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False
