"""Tests against real receivers."""
