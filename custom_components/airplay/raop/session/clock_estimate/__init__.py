"""Estimating another clock from messages that a network delays."""
