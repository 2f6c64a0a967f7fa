"""Home Assistant with two virtual speakers, to look at or to check itself."""
