"""Tests of bytes and values."""
