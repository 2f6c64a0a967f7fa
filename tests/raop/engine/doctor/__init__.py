"""Tests of the doctor with virtual receivers that have faults."""
