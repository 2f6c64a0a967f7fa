"""The receiver's side of pairing: older ("fruit") and HomeKit, with independent code."""

from tests.virtual_receiver.pairing.channel import SecureChannel
from tests.virtual_receiver.pairing.gate import Gate, Visitor

__all__ = ["Gate", "SecureChannel", "Visitor"]
