"""Receivers on the network, and what an entry keeps of them."""
