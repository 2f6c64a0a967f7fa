"""What is wrong today, by row; each must fail until it is right, and then go."""

KNOWN_FAULTS: dict[str, str] = {}
