"""The network of the demo's parts: one of this machine, or a private one.

Home Assistant looks for receivers only on real interfaces, never on loopback.
"""

import asyncio
from contextlib import suppress
import os
import shutil
import socket
import subprocess
import sys

from .progress import CheckError

OWN_ADDRESS = "198.51.100.10"
_MDNS = ("224.0.0.251", 5353)
_DEFAULT_PORT = 8123
_COMMANDS = (
    "link set lo up",
    "link add demo0 type veth peer name demo1",
    f"addr add {OWN_ADDRESS}/24 dev demo0",
    "link set demo0 up",
    "link set demo1 up",
    "route add 224.0.0.0/4 dev demo0",
    # Requests to the internet fail at once instead of after half a minute.
    "route add unreachable default",
)


def own_address() -> str | None:
    """Return this machine's address on the network that it uses for multicast."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_MDNS)
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def why_no_private_network() -> str | None:
    """Return what is missing for a private network; None if nothing is."""
    if os.geteuid() != 0:
        return "root rights"
    if shutil.which("ip") is None:
        return "the program ip (on Debian: apt-get install iproute2)"
    # Test in another process, because a move cannot be undone.
    attempt = "import os; os.unshare(os.CLONE_NEWNET)"
    tried = subprocess.run(
        [sys.executable, "-c", attempt], check=False, capture_output=True
    )
    return (
        "the right to make networks (a privileged container)"
        if tried.returncode
        else None
    )


def enter_private_network() -> str:
    """Move this process into a private network, which ends with it."""
    try:
        os.unshare(os.CLONE_NEWNET)
        for command in _COMMANDS:
            subprocess.run(
                ["ip", *command.split()], check=True, capture_output=True, text=True
            )
    except (OSError, subprocess.CalledProcessError) as err:
        reason = getattr(err, "stderr", "") or err
        raise CheckError(f"the private network cannot be created: {reason}") from err
    return OWN_ADDRESS


def listen(host: str, port: int | None) -> socket.socket:
    """Open the port for the web page, by default the next free one from 8123."""
    ports = [port] if port is not None else [*range(_DEFAULT_PORT, _DEFAULT_PORT + 20)]
    for candidate in ports:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, candidate))
            sock.listen()
        except OSError as err:
            sock.close()
            problem = err
        else:
            return sock
    raise CheckError(
        f"{host} port {ports[0]} cannot be used: {problem.strerror}; try --port"
    )


async def forward(listening: socket.socket, port: int) -> asyncio.Server:
    """Forward connections from outside to a port in the private network."""

    async def connected(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            inner = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(reader, inner[1]))
            both.create_task(_pump(inner[0], writer))

    return await asyncio.start_server(connected, sock=listening)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while octets := await reader.read(1 << 16):
            writer.write(octets)
            await writer.drain()
    with suppress(OSError):
        writer.close()
