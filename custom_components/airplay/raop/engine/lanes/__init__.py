"""Lanes: sessions with one receiver, by each protocol."""
