"""Estimates of the sender's clock from messages in one direction."""

from typing import override

from tests.virtual_receiver.clock import NS_PER_S, OffsetEstimator

_WINDOW = 64
_FIT_SAMPLES = 8
_FIT_SPAN_NS = 2 * NS_PER_S


class OneWayEstimator(OffsetEstimator):
    """Trust the quickest messages: delayed ones make the sender look slow."""

    def add_arrival(self, sent: int, received: int) -> None:
        """Add the departure of a message by the sender's clock, and its arrival by ours."""
        self.add(received, sent, sent, received)

    @override
    def offset_at(self, local: int) -> int:
        """Return sender clock minus receiver clock at a time of the receiver's."""
        samples = list(self._samples)[-_WINDOW:]
        first, last = samples[0], samples[-1]
        span_ns = last.at_ns - first.at_ns
        if len(samples) < _FIT_SAMPLES or span_ns < _FIT_SPAN_NS:
            return max(sample.offset_ns for sample in samples)
        # the quickest of each half show how the clocks drift apart
        middle = len(samples) // 2
        old = max(samples[:middle], key=lambda sample: sample.offset_ns)
        new = max(samples[middle:], key=lambda sample: sample.offset_ns)
        slope = (new.offset_ns - old.offset_ns) / (new.at_ns - old.at_ns)
        return max(
            sample.offset_ns + round(slope * (local - sample.at_ns))
            for sample in samples
        )
