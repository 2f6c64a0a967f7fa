"""The UDP ports that this process may open."""

from collections.abc import Callable
import errno
import secrets
import socket

from ...errors import UdpPortsTakenError
from ...udp_ports import PortRange


class PortPool:
    """Chooses a port for each socket, within a range if one is set.

    One port after the other is used, so that late packets of a session that has ended
    do not meet a new one.
    """

    def __init__(self) -> None:
        """Start without a range: the system chooses."""
        self.ports: PortRange | None = None
        self._turn = 0

    def limit(self, ports: PortRange | None) -> None:
        """Use a range for all sockets from now on, or none; open ones stay open."""
        if ports != self.ports:
            self.ports = ports
            self._turn = secrets.randbelow(ports.size) if ports else 0

    def bind(self, open_on: Callable[[int], socket.socket]) -> socket.socket:
        """Return a socket that `open_on` opens on a port; 0 lets the system choose.

        Raises UdpPortsTakenError: all ports of the range are in use.
        Raises OSError: see `open_on`.
        """
        ports = self.ports
        if ports is None:
            return open_on(0)
        for _ in range(ports.size):
            self._turn = (self._turn + 1) % ports.size
            try:
                return open_on(ports.first + self._turn)
            except OSError as err:
                if err.errno != errno.EADDRINUSE:
                    raise
        raise UdpPortsTakenError(f"all UDP ports of the range {ports} are in use")


# A firewall's rule is for a whole process, and so is this.
POOL = PortPool()


def limit_udp_ports(ports: PortRange | None) -> None:
    """Let this process open UDP ports of a range only, from now on."""
    POOL.limit(ports)


def udp_port_range() -> PortRange | None:
    """Return the range of this process, or None if it may open any port."""
    return POOL.ports


def has_free_ports(ports: PortRange, count: int) -> bool:
    """Return whether no program uses so many ports of a range; it takes a moment."""
    for port in range(ports.first, ports.last + 1):
        if count <= 0:
            break
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.bind(("", port))
            except OSError:
                continue
        count -= 1
    return count <= 0
