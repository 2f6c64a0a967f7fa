"""What is wrong today, by device; each must fail until it is right, and then go."""

NOT_YET: dict[str, str] = {}
