"""A sender for AirPlay receivers in pure Python."""
