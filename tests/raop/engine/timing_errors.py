"""Offsets of receivers from the sender's line, without any estimates."""

import numpy as np
from numpy.typing import NDArray

from custom_components.airplay.raop.engine.net import clock
from custom_components.airplay.raop.messages import Started
from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.playback.recording import PlayedPacket
from tests.virtual_receiver.raop.packets import signed_distance

from .fakes import MS

_RATE = 44_100
_SECOND_NS = 1_000_000_000
_HIDDEN_LATENCY = 11_025
# The epoch of sync packets, before that of Unix time.
_NTP_EPOCH_NS = 2_208_988_800 * _SECOND_NS

type Numbers = NDArray[np.float64]


class SessionLine:
    """The line of a stream, as one of its sync packets has it."""

    def __init__(self, of: VirtualReceiver) -> None:
        """Read it from the packets of a sender in this process to a receiver."""
        packet = of.syncs[-1].packet
        self._rtptime = packet.rtptime_less_latency - _HIDDEN_LATENCY
        self._at_ns = clock.monotonic_of(packet.sender_ns - _NTP_EPOCH_NS)

    def due_ns(self, rtptime: int) -> int:
        """Return when a frame is due, by CLOCK_MONOTONIC."""
        frames = signed_distance(rtptime, self._rtptime, 32)
        return self._at_ns + frames * _SECOND_NS // _RATE

    def first_rtptime(self, started: Started) -> int:
        """Return the rtptime of the frame that plays at the announced start."""
        session_ns = round((started.at - clock.to_unix(0)) * _SECOND_NS)
        passed_ns = clock.monotonic_of(session_ns) - self._at_ns
        return self._rtptime + round(passed_ns * _RATE / _SECOND_NS) & 0xFFFFFFFF

    def errors_ms(self, of: VirtualReceiver, *, after_ns: int = 0) -> Numbers:
        """Return by how much a receiver plays each packet too late."""
        of.poll()
        packets = [each for each in of.recording.packets if each.play_ns >= after_ns]
        return np.array([self.error_ns(each) for each in packets]) / MS

    def error_ns(self, packet: PlayedPacket) -> int:
        """Return by how much one packet was played too late."""
        return packet.play_ns - self.due_ns(packet.rtptime)


def p99(errors_ms: Numbers) -> float:
    """Return the 99th percentile of the absolute values."""
    return float(np.percentile(np.abs(errors_ms), 99))
