"""The notice that this machine cannot be the clock of AirPlay 2 speakers."""

import logging

import pytest

from custom_components.airplay.raop.errors import (
    PtpNotPermittedError,
    PtpPortsTakenError,
    PtpUnavailableError,
)
from custom_components.airplay.raop.messages import (
    ClockShared,
    Event,
    LogLine,
    Ready,
    encode_event,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.ha.players import entry_for, set_up
from tests.ha.processes import running
from tests.ha.watch import logged
from tests.virtual_receiver import VirtualReceiver

PROBLEMS = [PtpNotPermittedError, PtpPortsTakenError, PtpUnavailableError]


def saying(*events: Event) -> str:
    """Return a sender process that sends these events, and in the end a last one."""
    end = LogLine(level=logging.WARNING, logger="raop", text="said all")
    ready = Ready(pid=1, realtime=False, segmentation=False)
    words = b"".join(encode_event(event) for event in (ready, *events, end)).decode()
    return f"import sys; print({words!r}, end='', flush=True); sys.stdin.read()"


def notices(hass: HomeAssistant) -> list[str | None]:
    """Return the translation keys of all issues."""
    return [notice.translation_key for notice in ir.async_get(hass).issues.values()]


@pytest.mark.parametrize("problem", PROBLEMS)
async def test_obstacle_is_reported_until_the_sender_ends(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    caplog: pytest.LogCaptureFixture,
    problem: type[PtpUnavailableError],
) -> None:
    entry = entry_for(kitchen)
    told = ClockShared(code=problem.code, text="no memory")
    with running(saying(told)):
        await set_up(hass, entry)
        await logged(caplog, "said all")
        said = notices(hass)
        await hass.config_entries.async_unload(entry.entry_id)

    assert said == [problem.code]
    assert not notices(hass)


async def test_only_the_present_obstacle_is_reported(
    hass: HomeAssistant, kitchen: VirtualReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    told = [ClockShared(code=problem.code) for problem in PROBLEMS]
    with running(saying(*told)):
        await set_up(hass, entry_for(kitchen))
        await logged(caplog, "said all")

    assert notices(hass) == [PROBLEMS[-1].code]


async def test_issue_is_removed_when_the_clock_works_again(
    hass: HomeAssistant, kitchen: VirtualReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    told = [ClockShared(code=PtpPortsTakenError.code), ClockShared()]
    with running(saying(*told)):
        await set_up(hass, entry_for(kitchen))
        await logged(caplog, "said all")

    assert not notices(hass)
