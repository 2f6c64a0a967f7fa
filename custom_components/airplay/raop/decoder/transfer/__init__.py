"""Transfers by HTTP: addresses, files, streams, and what follows their end."""
