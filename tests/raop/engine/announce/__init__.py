"""Tests of `engine/announce/`."""
