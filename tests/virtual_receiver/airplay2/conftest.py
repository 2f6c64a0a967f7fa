"""A receiver of AirPlay 2."""

from collections.abc import AsyncIterator

import pytest

from tests.virtual_receiver.airplay2 import AirPlay2Receiver
from tests.virtual_receiver.reference.airplay2_playback import receiver


@pytest.fixture
async def kitchen() -> AsyncIterator[AirPlay2Receiver]:
    """Provide a receiver without quirks."""
    async with receiver() as kitchen:
        yield kitchen
