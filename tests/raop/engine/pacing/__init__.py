"""Tests of `engine/pacing/`."""
