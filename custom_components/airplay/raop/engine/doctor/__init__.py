"""Looks for what is wrong with a receiver: names, ports, and a session without sound."""
