"""A network of a test's own, whose loopback interface may be as poor as others are.

Threads belong to the network in which they began, so that an engine that is started
inside stays inside, while the rest of the process stays where it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import os
import socket
import struct
import subprocess

import pytest

# <linux/sockios.h> and <linux/if.h>
_SIOCSIFMTU = 0x8922
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_LOOPBACK = b"lo"


@contextmanager
def network_of_its_own(mtu_bytes: int = 65_536) -> Iterator[None]:
    """Move this thread into a new network; skip the test where that is not allowed."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        try:
            os.unshare(os.CLONE_NEWNET)
        except PermissionError:
            pytest.skip("needs the right to make a network namespace")
        try:
            set_mtu(mtu_bytes)
            _control(_SIOCSIFFLAGS, struct.pack("16sh", _LOOPBACK, _IFF_UP))
            yield
        finally:
            os.setns(home, os.CLONE_NEWNET)
    finally:
        os.close(home)


def set_mtu(mtu_bytes: int) -> None:
    """Set the longest packet of the loopback interface; below 1280 IPv6 ends."""
    _control(_SIOCSIFMTU, struct.pack("16si", _LOOPBACK, mtu_bytes))


def set_route_mtu(mtu_bytes: int) -> None:
    """Set the longest packet of the route to 127.0.0.1 only; skip without `ip`."""
    route = "local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1"
    argv = ["ip", "route", "replace", *route.split(), "mtu", str(mtu_bytes)]
    try:
        subprocess.run(argv, check=True)
    except FileNotFoundError, subprocess.CalledProcessError:
        pytest.skip("needs ip")


def filter_packets(rules: str, *, hook: str = "input") -> None:
    """Replace the rules for packets that arrive or leave, in the words of nftables.

    Skip the test where nftables is missing.
    """
    table = f"""
    table inet test
    delete table inet test
    table inet test {{
      chain passing {{
        type filter hook {hook} priority 0; policy accept;
        {rules}
      }}
    }}"""
    try:
        subprocess.run(["nft", "-f", "-"], input=table, text=True, check=True)
    except FileNotFoundError, subprocess.CalledProcessError:
        pytest.skip("needs nftables")


def _control(request: int, fields: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, request, fields.ljust(40, b"\0"))
