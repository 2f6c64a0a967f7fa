"""Fixtures of the virtual receiver's own tests."""

import pytest


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let a receiver and its sender open sockets on this machine."""
