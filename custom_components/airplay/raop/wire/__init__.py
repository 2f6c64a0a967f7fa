"""Bytes to values and back; no clocks, no sockets."""
