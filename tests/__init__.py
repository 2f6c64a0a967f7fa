"""Tests of the AirPlay speakers integration."""
