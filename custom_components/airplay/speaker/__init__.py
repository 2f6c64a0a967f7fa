"""One speaker of the home, and the group that it plays in."""
