"""Wake receivers at odd moments, so that their output is not tied to our packets.

wakeups.py INTERFACE PER_SECOND HOST ...

A receiver without a sound card looks for blocks that are due when a packet comes. With
one each 8 ms it would seem to be in time by 8 ms at best, and always alike. An audio
packet that is too old to be played, sent once more, wakes it and does nothing else.
"""

import contextlib
import random
import socket
import struct
import sys
import time

_OLD_S = 5.0
_ALL_PROTOCOLS = 3
# Linux's header of a frame that its sender left to be cut into packets.
_SOL_PACKET, _PACKET_VNET_HDR = 263, 15
_CUTTING = struct.Struct("=BBHHHH")
_UDP_SEGMENTS = 5
_IPV4_UDP = (b"\x08\x00", 17)
_HEADERS = 14 + 20 + 8
# A packet of 352 frames, encrypted or not, is never this short.
_SHORTEST = _HEADERS + 200
_AUDIO = 0x60


class Packets:
    """Audio packets of the last seconds, and the ports that receive them."""

    def __init__(self, hosts: list[str], own_port: int) -> None:
        """Know nothing yet."""
        self.ports: dict[str, int] = {}
        self._hosts = set(hosts)
        self._own_port = own_port
        # One stream sends the same to all; a new receiver can be woken by packets to the
        # others.
        self._sent: dict[int, tuple[float, bytes]] = {}

    def take(self, captured: bytes, now_s: float) -> None:
        """Remember audio packets to one of the receivers."""
        _, kind, _, segment_bytes, _, _ = _CUTTING.unpack_from(captured)
        frame = captured[_CUTTING.size :]
        if len(frame) < _SHORTEST or (frame[12:14], frame[23]) != _IPV4_UDP:
            return
        host = socket.inet_ntoa(frame[30:34])
        source, port = struct.unpack_from("!HH", frame, 34)
        payload = frame[_HEADERS:]
        if host not in self._hosts or payload[1] & 0x7F != _AUDIO:
            return
        if source != self._own_port:
            self.ports[host] = port
            size = segment_bytes if kind == _UDP_SEGMENTS else len(payload)
            for start in range(0, len(payload), size):
                packet = payload[start : start + size]
                (sequence,) = struct.unpack_from("!H", packet, 2)
                self._sent.setdefault(sequence, (now_s, packet))

    def old_one(self, now_s: float) -> bytes | None:
        """Return the newest packet that is too old to be played."""
        found = None
        for sequence, (sent_s, packet) in tuple(self._sent.items()):
            if sent_s > now_s - _OLD_S:
                break
            found = packet
            if sent_s < now_s - _OLD_S - 1:
                del self._sent[sequence]
        return found


def main() -> None:
    """Wake until killed."""
    interface, per_second, *hosts = sys.argv[1:]
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    raw.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    raw.bind((interface, 0))
    raw.setblocking(False)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind(("", 0))
    packets = Packets(hosts, out.getsockname()[1])
    while True:
        now_s = time.monotonic()
        try:
            while True:
                packets.take(raw.recv(65_536), now_s)
        except BlockingIOError:
            pass
        if packet := packets.old_one(now_s):
            for host, port in packets.ports.items():
                with contextlib.suppress(OSError):
                    out.sendto(packet, (host, port))
        time.sleep(random.uniform(0.2, 1.8) / float(per_second))


if __name__ == "__main__":
    main()
