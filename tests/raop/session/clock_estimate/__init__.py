"""Tests of `session/clock_estimate/`."""
