"""Tests of `discovery/`."""
