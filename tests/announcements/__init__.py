"""Tests of `announcements/`."""
