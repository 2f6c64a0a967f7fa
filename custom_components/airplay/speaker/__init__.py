"""The speaker of an entry, and the groups of speakers."""
