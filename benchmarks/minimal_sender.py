"""A minimal Python sender: a program for `peers.py`.

It does what must be done and nothing else: one thread that sleeps until the next packet
is due, frames it, and sends it, and one that answers questions for the time and for lost
packets. One receiver, not encrypted; nothing is decoded.
"""

import os
import select
import socket
import struct
import sys
import threading
import time

_HOST = "127.0.0.1"
_RATE, _FRAMES = 44_100, 352
_PCM_BYTES = _FRAMES * 4
_SONG = [os.urandom(_PCM_BYTES) for _ in range(64)]
_LATENCY_FRAMES = 2 * _RATE
_SYNC_PACKETS = 125
_KEPT_PACKETS = 1024
_NTP_EPOCH_S = 2_208_988_800
_FRAME_BYTES = _PCM_BYTES + 4


def _ntp(at_s: float) -> int:
    return int((at_s + _NTP_EPOCH_S) * 2**32)


def _framed(pcm: bytes) -> bytes:
    """Return an uncompressed ALAC frame: 23 bits, the samples, and the end tag."""
    swapped = bytearray(len(pcm))
    swapped[0::2], swapped[1::2] = pcm[1::2], pcm[0::2]
    bits = 1 << 20 | 1
    samples = int.from_bytes(swapped) << 9 | 0b111 << 6
    return (bits << _PCM_BYTES * 8 + 9 | samples).to_bytes(_FRAME_BYTES)


def _port() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((_HOST, 0))
    return opened


class _Sender:
    """Ports, and the packets that were sent."""

    def __init__(self) -> None:
        self.timing, self.control, self._audio = _port(), _port(), _port()
        self._sent: dict[int, bytes] = {}
        self._control_port = 0

    def stream(self, audio_port: int, control_port: int) -> None:
        """Send for ever."""
        self._control_port = control_port
        self._audio.connect((_HOST, audio_port))
        threading.Thread(target=self._serve, daemon=True).start()
        begun_s, number = time.monotonic(), 0
        while True:
            wait_s = begun_s + number * _FRAMES / _RATE - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            if number % _SYNC_PACKETS == 0:
                self._sync(number)
            sequence = number & 0xFFFF
            header = struct.pack("!BBHII", 0x80, 0x60, sequence, number * _FRAMES, 1)
            packet = header + _framed(_SONG[number % len(_SONG)])
            self._audio.send(packet)
            self._sent[sequence] = packet
            self._sent.pop(sequence - _KEPT_PACKETS & 0xFFFF, None)
            number += 1

    def _sync(self, number: int) -> None:
        frame = number * _FRAMES
        heard = frame - _LATENCY_FRAMES & 0xFFFFFFFF
        packet = struct.pack(
            "!BBHIQI", 0x80, 0xD4, 7, heard, _ntp(time.time()), frame & 0xFFFFFFFF
        )
        self.control.sendto(packet, (_HOST, self._control_port))

    def _serve(self) -> None:
        while True:
            ready, _, _ = select.select([self.control, self.timing], [], [])
            for sock in ready:
                asked, sender = sock.recvfrom(2048)
                now_s = time.time()
                if sock is self.timing:
                    head = struct.pack("!BBHI", 0x80, 0xD3, 7, 0) + asked[24:32]
                    times = struct.pack("!QQ", _ntp(now_s), _ntp(time.time()))
                    sock.sendto(head + times, sender)
                else:
                    first, count = struct.unpack_from("!HH", asked, 4)
                    for wanted in range(first, first + count):
                        if packet := self._sent.get(wanted & 0xFFFF):
                            again = struct.pack("!BBH", 0x80, 0xD6, 1) + packet
                            sock.sendto(again, (_HOST, self._control_port))


def _main() -> None:
    sender = _Sender()
    ports = (sender.timing.getsockname()[1], sender.control.getsockname()[1])
    print(*ports, flush=True)
    audio, control = map(int, sys.stdin.readline().split())
    threading.Thread(target=sender.stream, args=(audio, control), daemon=True).start()
    sys.stdin.readline()


if __name__ == "__main__":
    _main()
