"""Tests of `session/climbing/`."""
