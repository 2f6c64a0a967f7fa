"""Tests of `engine/lanes/`."""
