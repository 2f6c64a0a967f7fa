"""Parts that entities share."""
