"""Wake receivers at odd moments, so that what they play is not tied to our packets.

wakeups.py INTERFACE PER_SECOND HOST ...

A receiver without a sound card looks for blocks that are due when a packet comes. With
one each 8 ms it would seem to be in time by 8 ms at best, and always alike. An audio
packet that is too old to be played, sent once more, wakes it and does nothing else.
"""

from collections import deque
import random
import socket
import struct
import sys
import time

_OLD_S = 5.0
_ALL_PROTOCOLS = 3
_IPV4_UDP = (b"\x08\x00", 17)
_HEADERS = 14 + 20 + 8
_AUDIO = 0x60


class Waker:
    """One receiver: the port that takes its audio, and packets of the last seconds."""

    def __init__(self, host: str) -> None:
        """Know nothing yet."""
        self.host = host
        self.port = 0
        self.packets: deque[tuple[float, bytes]] = deque()

    def old_packet(self, now_s: float) -> bytes | None:
        """Return the newest packet that is too old to be played."""
        while len(self.packets) > 1 and self.packets[1][0] < now_s - _OLD_S:
            self.packets.popleft()
        if self.packets and self.packets[0][0] < now_s - _OLD_S:
            return self.packets[0][1]
        return None


def take(frame: bytes, wakers: dict[str, Waker], own_port: int, now_s: float) -> None:
    """Remember an audio packet that goes to one of the receivers."""
    if len(frame) < _HEADERS + 12 or (frame[12:14], frame[23]) != _IPV4_UDP:
        return
    waker = wakers.get(socket.inet_ntoa(frame[30:34]))
    source, port = struct.unpack_from("!HH", frame, 34)
    packet = frame[_HEADERS:]
    if waker is None or source == own_port or packet[1] & 0x7F != _AUDIO:
        return
    if len(packet) > 200:
        if port != waker.port:
            waker.packets.clear()
        waker.port = port
        waker.packets.append((now_s, packet))


def main() -> None:
    """Wake until killed."""
    interface, per_second, *hosts = sys.argv[1:]
    wakers = {host: Waker(host) for host in hosts}
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    raw.bind((interface, 0))
    raw.setblocking(False)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind(("", 0))
    own_port = out.getsockname()[1]
    while True:
        now_s = time.monotonic()
        try:
            while True:
                take(raw.recv(65_536), wakers, own_port, now_s)
        except BlockingIOError:
            pass
        for waker in wakers.values():
            if packet := waker.old_packet(now_s):
                out.sendto(packet, (waker.host, waker.port))
        time.sleep(random.uniform(0.2, 1.8) / float(per_second))


if __name__ == "__main__":
    main()
