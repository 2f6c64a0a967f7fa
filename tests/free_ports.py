"""Ranges of UDP ports for tests, and the ports that a process has opened."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
import random
import socket

from custom_components.airplay.raop.engine.net.port_pool import has_free_ports
from custom_components.airplay.raop.udp_ports import PortRange

# Below the ports that the system chooses, and above those of well-known programs.
_FIRST, _LAST = 15_000, 30_000
_TRIES = 1000


def port_range(size: int) -> PortRange:
    """Return a range of ports that no program uses now."""
    for _ in range(_TRIES):
        first = random.randrange(_FIRST, _LAST)
        ports = PortRange(first, first + size - 1)
        if has_free_ports(ports, size):
            return ports
    raise AssertionError(f"no {size} free ports in a row")


@contextmanager
def occupied(ports: PortRange, *, spare: Iterable[int] = ()) -> Iterator[None]:
    """Use all ports of a range, as another program would, but for some."""
    with ExitStack() as room:
        for port in {*range(ports.first, ports.last + 1)} - {*spare}:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            room.enter_context(sock).bind(("", port))
        yield


def udp_ports_of(pid: int) -> set[int]:
    """Return the UDP ports that a process has bound, of both families."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
        except OSError:
            continue
    ports = set()
    for name in ("udp", "udp6"):
        _, *lines = Path(f"/proc/{pid}/net/{name}").read_text().splitlines()
        for line in lines:
            words = line.split()
            if words[9] in inodes:
                ports.add(int(words[1].rpartition(":")[2], 16))
    return ports
