"""Tests of transfers by HTTP."""
