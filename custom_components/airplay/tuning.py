"""Lets what plays on a speaker follow how it shall sound beside others."""

from .models import AirPlayRuntime
from .raop.messages import Tune
from .speaker import Tuning


async def async_tune(runtime: AirPlayRuntime, tuning: Tuning) -> None:
    """Put a choice in force, at once where something plays."""
    speaker, player = runtime.speaker, runtime.player
    if tuning == speaker.tuning:
        return
    speaker.tuning = tuning
    if player.is_idle and not player.has_own_session:
        return
    await runtime.sender.async_request(
        Tune(
            receiver=speaker.receiver.id,
            delay_ms=tuning.delay_ms,
            channel=tuning.channel,
        )
    )
