"""The sockets of PTP, and the addresses of receivers."""

from collections.abc import Iterable
import contextlib
from dataclasses import dataclass
import errno
import ipaddress
import socket

from ...errors import PtpNotPermittedError, PtpPortsTakenError, PtpUnavailableError
from ...wire.ptp import EVENT_PORT, GENERAL_PORT
from ..net.sockets import bind, endpoint, family_of, stamp_arrivals
from .event_sockets import Address, EventSocket

# Receivers answer to any address of ours that they know.
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
_REFUSED = {errno.EACCES, errno.EPERM}
_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}

# A host, and the scope of a link-local host (else 0).
type Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class PtpPortNumbers:
    """The ports for event messages, which are timed, and for general messages."""

    event: int = EVENT_PORT
    general: int = GENERAL_PORT


STANDARD = PtpPortNumbers()


class PtpLink:
    """The two sockets of one address family; pacing thread once they are open."""

    def __init__(self, local: str, ports: PtpPortNumbers) -> None:
        self.event = EventSocket(local, ports.event)
        try:
            self.general = bind(local, ports.general)
        except OSError:
            self.event.close()
            raise
        # The answer to a Delay_Req arrives here; a round trip ends with its arrival.
        stamp_arrivals(self.general)

    @property
    def ports(self) -> PtpPortNumbers:
        """The ports to which the sockets are bound."""
        event, general = self.event.sock.getsockname(), self.general.getsockname()
        return PtpPortNumbers(event[1], general[1])

    def send_untimed(self, message: bytes, address: Address) -> None:
        """Send a message whose departure time does not matter."""
        with contextlib.suppress(OSError):
            self.general.sendto(message, address)

    def close(self) -> None:
        """Free both ports."""
        self.event.close()
        self.general.close()


def open_links(
    local: Iterable[str], ports: PtpPortNumbers
) -> dict[socket.AddressFamily, PtpLink]:
    """Open both ports in each available address family; all or none.

    Raises PtpUnavailableError: this machine has no addresses, or the ports are in use
    or not permitted.
    """
    links: dict[socket.AddressFamily, PtpLink] = {}
    for address in local:
        try:
            links[family_of(address)] = PtpLink(address, ports)
        except OSError as err:
            if err.errno in _NO_SUCH_FAMILY:
                continue
            for link in links.values():
                link.close()
            raise _unavailable(err, ports) from err
    if not links:
        raise PtpUnavailableError("this machine has no address for PTP")
    return links


def place_of(address: str) -> Place:
    """Return the place of an address in text form."""
    return place_from(endpoint(address, 0))


def place_from(address: Address) -> Place:
    """Return the canonical place of a socket address, however it is written."""
    host = ipaddress.ip_address(address[0])
    if len(address) == 2 or not host.is_link_local:
        return host.compressed, 0
    return host.compressed, address[3]


def with_port(address: Address, port: int) -> Address:
    """Return the same address with another port."""
    if len(address) == 2:
        return (address[0], port)
    return (address[0], port, 0, address[3])


def _unavailable(error: OSError, ports: PtpPortNumbers) -> PtpUnavailableError:
    which = f"UDP ports {ports.event} and {ports.general}"
    if error.errno in _REFUSED:
        return PtpNotPermittedError(f"this process is not permitted to open {which}")
    if error.errno == errno.EADDRINUSE:
        return PtpPortsTakenError(f"another program uses {which}, or one of them")
    return PtpUnavailableError(f"cannot open {which}: {error}")
