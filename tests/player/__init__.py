"""Tests of `player/`."""
