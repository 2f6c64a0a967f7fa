"""Fixtures that start a virtual receiver for one test."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from tests.virtual_receiver import VirtualReceiver


def receiver_fixture(
    name: str, receiver_id: str, **details: Any
) -> Callable[[None], AsyncGenerator[VirtualReceiver]]:
    """Return a fixture of a receiver; the fixture's name is the variable's."""

    @pytest.fixture
    async def receiver(socket_enabled: None) -> AsyncGenerator[VirtualReceiver]:
        async with VirtualReceiver(
            name, receiver_id=receiver_id, **details
        ) as receiver:
            yield receiver

    return receiver
