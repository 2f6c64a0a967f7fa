"""Proofs and keys; no clocks, no sockets."""
