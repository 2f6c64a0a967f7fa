"""Tests of `speaker/`."""
