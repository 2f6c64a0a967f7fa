"""Parts that the entities share."""
