"""The two formats of property lists, each read within limits."""
