"""The receiver's side of pairing: older ("fruit") and HomeKit, with a code of its own."""

from .channel import SecureChannel
from .gate import Gate, Visitor

__all__ = ["Gate", "SecureChannel", "Visitor"]
