"""Has receivers diagnosed, and returns the verdicts."""

from custom_components.airplay.raop.diagnosis import Diagnosed, DiagnosisProgress
from custom_components.airplay.raop.messages import Diagnose, Member
from tests.raop.engine.harness import EngineHarness

BOUND_S = 15.0


async def diagnosed(
    harness: EngineHarness, member: Member, *, tries_each: bool = False
) -> Diagnosed:
    """Return the verdict about a receiver, within the time that a user is promised."""
    name = f"{member.name} {len(harness.events)}"
    command = Diagnose(diagnosis=name, member=member, tries_each=tries_each)
    reply = await harness.reply(harness.submit(command), 60)
    assert reply.code is None, reply.text
    found = await harness.until(Diagnosed, lambda each: each.diagnosis == name)
    assert found.receiver == member.receiver
    assert member.name in found.sentence
    if not tries_each:
        assert found.took_s <= BOUND_S
    steps = [
        each.step
        for each in harness.events_of(DiagnosisProgress)
        if each.diagnosis == name
    ]
    assert steps
    return found
