"""Tests of media part by part."""
