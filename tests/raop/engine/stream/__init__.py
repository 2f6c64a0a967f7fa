"""Tests of `engine/stream/`."""
