"""Tests of the verdicts of the doctor."""
