"""The place of the demo: this machine's network, or a private one."""

import argparse
from dataclasses import dataclass
import socket

from .network import enter_private_network, listen, own_address, why_no_private_network
from .progress import CheckError

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - the user's choice
_INNER_PORT = 8123


@dataclass(frozen=True, slots=True)
class Place:
    """The addresses of the demo, and the URL for a browser."""

    address: str
    host: str
    port: int
    url: str
    is_private: bool
    """Whether no other device is on this network."""
    entrance: socket.socket | None = None
    """The socket for connections from outside the private network."""


def choose_place(options: argparse.Namespace) -> Place:
    """Find a network for the speakers and a port for the web page."""
    address = own_address()
    if address is not None and not (options.private or options.check):
        return _shared_place(options, address)
    missing = why_no_private_network()
    if missing is None:
        return _private_place(options, address)
    if options.private:
        raise CheckError(f"a private network needs {missing}")
    if address is None:
        raise CheckError(
            "the speakers need a network with a default route, and there is none;"
            f" connect this machine, or run this with {missing}"
        )
    return _shared_place(options, address)


def _shared_place(options: argparse.Namespace, address: str) -> Place:
    with listen(options.host, options.port) as entrance:
        port: int = entrance.getsockname()[1]
    url = _url(options.host, port, address)
    return Place(address, options.host, port, url, is_private=False)


def _private_place(options: argparse.Namespace, outside: str | None) -> Place:
    url, entrance = _url(LOOPBACK, _INNER_PORT, None), None
    if not options.check:
        entrance = listen(options.host, options.port)
        url = _url(options.host, entrance.getsockname()[1], outside)
    address = enter_private_network()
    return Place(address, LOOPBACK, _INNER_PORT, url, True, entrance)


def _url(host: str, port: int, address: str | None) -> str:
    """Return the URL for a browser, also for one on another machine."""
    if host == EVERYWHERE:
        host = address or LOOPBACK
    return f"http://{host}:{port}"
