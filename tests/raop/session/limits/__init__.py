"""Tests of `session/limits/`."""
