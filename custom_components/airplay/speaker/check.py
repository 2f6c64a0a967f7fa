"""Has the sender find out what is wrong with a speaker."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict
import json
from typing import Any

from homeassistant.core import callback
from homeassistant.util.ulid import ulid_now

from ..raop.api import Diagnose, Diagnosed, DiagnosisCode, DiagnosisProgress, Member
from ..sender.errors import CheckInterruptedError
from ..sender.events import SenderEvent
from ..sender.sender import Sender

# The check of all methods, and the time until the receiver is free.
_LONGEST_S = 90
# As far as anyone can see.
WORKING = (DiagnosisCode.OK, DiagnosisCode.UNCONFIRMED, DiagnosisCode.ONE_WAY)


async def async_check(
    sender: Sender,
    members: Iterable[Member],
    *,
    tries_each: bool = False,
    on_progress: Callable[[DiagnosisProgress], None] = lambda _: None,
) -> list[Diagnosed]:
    """Check each receiver of a speaker at the same time; what is wrong comes first.

    Raises RaopError: the sender does not respond.
    Raises CheckInterruptedError: the speaker was needed for playing.
    """
    checks = [_async_check(sender, each, tries_each, on_progress) for each in members]
    found = await asyncio.gather(*checks)
    return sorted(found, key=lambda each: each.code in WORKING)


def response_of(found: list[Diagnosed]) -> dict[str, Any]:
    """Return the response of the action: the verdict, and all figures."""
    first = found[0]
    receivers = json.loads(json.dumps([asdict(each.findings) for each in found]))
    return {
        "code": str(first.code),
        "sentence": first.sentence,
        "detail": first.detail,
        "took_s": max(each.took_s for each in found),
        "receivers": receivers,
    }


async def _async_check(
    sender: Sender,
    member: Member,
    tries_each: bool,
    on_progress: Callable[[DiagnosisProgress], None],
) -> Diagnosed:
    command = Diagnose(diagnosis=ulid_now(), member=member, tries_each=tries_each)
    found: list[Diagnosed] = []

    @callback
    def async_hear(event: SenderEvent) -> None:
        match event:
            case Diagnosed() if event.diagnosis == command.diagnosis:
                found.append(event)
            case DiagnosisProgress() if event.diagnosis == command.diagnosis:
                on_progress(event)

    forget = sender.async_listen_to(member.receiver, async_hear)
    try:
        await sender.async_request(command, within_s=_LONGEST_S)
    finally:
        forget()
    if not found:
        raise CheckInterruptedError(f"{member.name} was needed for playing")
    return found[0]
