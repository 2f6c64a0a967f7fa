"""Tests of what media from outside may open, and what it may cost."""
