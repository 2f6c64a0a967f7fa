"""Measure the sender process against its peers, in the same run on one machine."""
