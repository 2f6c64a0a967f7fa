"""Tests of what runs in a decoder process."""
