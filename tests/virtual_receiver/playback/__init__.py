"""Play packets, record them, and find sounds in the recording."""
