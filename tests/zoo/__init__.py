"""Receivers as public reports describe them, and their way into Home Assistant."""
