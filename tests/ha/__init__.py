"""Fixtures and classes that tests of the Home Assistant side share."""
