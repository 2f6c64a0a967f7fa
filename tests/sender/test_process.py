"""The sender process: what it gets of Home Assistant, its limits, and how often it starts."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
import os
from pathlib import Path
import resource
import time

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.processes import running, sender_pids
from tests.ha.watch import logged
from tests.virtual_receiver import VirtualReceiver

_SECRETS = ("SUPERVISOR_TOKEN", "HASSIO_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(autouse=True)
def quick_senders() -> None:
    """Start senders as Home Assistant does, with an environment of their own."""


@pytest.fixture
def left_open() -> Iterator[tuple[int, str]]:
    """Return a descriptor that any program inherits unless it is closed, and its file."""
    with Path("/dev/zero").open("rb") as file:
        os.set_inheritable(file.fileno(), True)
        yield file.fileno(), "/dev/zero"


async def test_process_gets_no_secret_of_home_assistants_environment(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in _SECRETS:
        monkeypatch.setenv(name, "a-secret-of-the-supervisor")
    monkeypatch.setenv("TZ", "Europe/Vienna")
    monkeypatch.setenv("LC_CTYPE", "C.UTF-8")
    player = await set_up(hass, entry_for(kitchen))

    await play(hass, player, song)

    (pid,) = sender_pids()
    got = dict(
        each.partition("=")[::2]
        for each in Path(f"/proc/{pid}/environ").read_text().split("\0")
    )
    assert not got.keys() & {*_SECRETS}
    assert "a-secret-of-the-supervisor" not in got.values()
    assert (got["TZ"], got["LC_CTYPE"]) == ("Europe/Vienna", "C.UTF-8")
    assert got["PATH"] == os.environ["PATH"]
    await call(hass, player, "media_stop")


async def test_process_has_limits_and_none_of_home_assistants_files(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
    left_open: tuple[int, str],
) -> None:
    player = await set_up(hass, entry_for(kitchen))
    await play(hass, player, song)

    (pid,) = sender_pids()
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    files = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert files[0] == files[1] <= 2048
    number, name = left_open
    assert Path(f"/proc/self/fd/{number}").readlink() == Path(name)
    opened = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            opened.add(str(each.readlink()))
    assert name not in opened
    await call(hass, player, "media_stop")


async def test_commands_do_not_start_a_process_that_always_ends_more_often(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = entry_for(kitchen)
    with running("import sys; sys.exit(3)"):
        player = await set_up(hass, entry)
        began = time.monotonic()
        slowest, errors = 0.0, dict[str | None, str]()
        while time.monotonic() - began < 8:
            asked = time.monotonic()
            with pytest.raises(HomeAssistantError) as raised:
                await play(hass, player, song)
            slowest = max(slowest, time.monotonic() - asked)
            errors[raised.value.translation_key] = str(raised.value)
            await asyncio.sleep(0.05)

        # At 0, 0, 1, 3, and 8 s.
        assert caplog.text.count("exit code 3") <= 5
        assert slowest < 4
        assert errors.keys() == {"sender_gone", "sender_failing"}
        assert "starts it again within 30 seconds" in errors["sender_failing"]
        assert state_of(hass, player).state == "idle"
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_commands_wait_for_a_restart_that_is_due_soon(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    song: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with running("import sys; sys.exit(3)"):
        player = await set_up(hass, entry_for(kitchen))
        await logged(caplog, "exit code 3", count=2)

    await play(hass, player, song)

    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")
