"""Tests of `engine/ptp/`."""
