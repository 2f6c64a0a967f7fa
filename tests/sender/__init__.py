"""Tests of `sender/`."""
