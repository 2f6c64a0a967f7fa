"""A server of a stranger: an address of this machine that counts as public."""

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest
import pytest_socket

from custom_components.airplay.raop.decoder.guard import reach
from tests.raop.audio.web_server import WebServer

PUBLIC = "127.0.0.2"


@pytest.fixture
def stranger(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WebServer]:
    """Return the web server of a stranger."""
    is_public = reach._is_public
    monkeypatch.setattr(
        reach,
        "_is_public",
        lambda address: address == IPv4Address(PUBLIC) or is_public(address),
    )
    # The next test restricts it again.
    pytest_socket.socket_allow_hosts(["127.0.0.1", PUBLIC])
    server = WebServer(address=PUBLIC)
    yield server
    server.close()
