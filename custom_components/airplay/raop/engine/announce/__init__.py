"""Announcements on the engine's streams."""
