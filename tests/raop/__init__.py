"""Tests of the core, without Home Assistant."""
