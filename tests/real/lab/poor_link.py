"""A bad network in front of one receiver: packets late, each on its own, or lost.

poor_link.py SWITCH BRIDGE RECEIVER LATE_MS RARITY LOSS_PERCENT

SWITCH and RECEIVER are names of network namespaces. The receiver's eth0 is made anew,
with its addresses, as one end of this process, BRIDGE gets the other one. Not every
kernel has netem. RARITY is how much rarer long delays are: with 1 all are alike, with 8
a packet in four is late by more than a tenth of LATE_MS. Prints "ready" when it is.
"""

import contextlib
import ctypes
import fcntl
import heapq
import itertools
import os
from pathlib import Path
import random
import select
import struct
import subprocess
import sys
import time

_TUNSETIFF = 0x400454CA
_IFF_TAP_NO_PI = 0x0002 | 0x1000
_CLONE_NEWNET = 0x40000000
_FRAME_BYTES = 2048
# Packets so short control the network, or request the time.
_LOSABLE_BYTES = 700


def open_tap(namespace: str, name: str) -> int:
    """Return a descriptor that is an interface in a namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    away = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if libc.setns(away, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TAP_NO_PI))
    libc.setns(home, _CLONE_NEWNET)
    return tap


def run(*argv: str) -> str:
    """Run a command and return its output."""
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def build(switch: str, bridge: str, receiver: str) -> tuple[int, int]:
    """Put this process between a receiver and its network; return both ends."""
    address = run("ip", "-n", receiver, "-4", "-o", "addr", "show", "eth0").split()[3]
    route = run("ip", "-n", receiver, "route", "show", "default").split()[2]
    card = run("ip", "-n", receiver, "-br", "link", "show", "eth0").split()[2]
    run("ip", "-n", receiver, "link", "del", "eth0")
    near = open_tap(switch, "poor")
    far = open_tap(receiver, "eth0")
    run("ip", "-n", switch, "link", "set", "dev", "poor", "master", bridge, "up")
    run("ip", "-n", receiver, "link", "set", "eth0", "address", card)
    run("ip", "-n", receiver, "addr", "add", address, "dev", "eth0")
    run("ip", "-n", receiver, "link", "set", "eth0", "up")
    run("ip", "-n", receiver, "route", "add", "default", "via", route, "dev", "eth0")
    return near, far


def main() -> None:
    """Carry frames until killed."""
    switch, bridge, receiver, *numbers = sys.argv[1:]
    late_ms, rarity, loss_percent = map(float, numbers)
    ends = build(switch, bridge, receiver)
    other = dict(zip(ends, reversed(ends), strict=True))
    waiting: list[tuple[float, int, int, bytes]] = []
    numbered = itertools.count()
    poll = select.epoll()
    for end in ends:
        poll.register(end, select.EPOLLIN)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(3))
    Path("/proc/self/timerslack_ns").write_text("1")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        left_s = waiting[0][0] - time.monotonic() if waiting else 1.0
        for end, _ in poll.poll(max(0.0, left_s)):
            with contextlib.suppress(BlockingIOError):
                while True:
                    frame = os.read(end, _FRAME_BYTES)
                    if len(frame) > _LOSABLE_BYTES and (
                        random.random() * 100 < loss_percent
                    ):
                        continue
                    delay_s = random.random() ** rarity * late_ms / 1e3
                    due_s = time.monotonic() + delay_s
                    entry = (due_s, next(numbered), other[end], frame)
                    heapq.heappush(waiting, entry)
        now_s = time.monotonic()
        while waiting and waiting[0][0] <= now_s:
            _, _, end, frame = heapq.heappop(waiting)
            with contextlib.suppress(OSError):
                os.write(end, frame)


if __name__ == "__main__":
    main()
