"""Tests of `engine/net/`."""
