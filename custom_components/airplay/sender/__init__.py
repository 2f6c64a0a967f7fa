"""The process that plays, and how receivers find the way back to it."""
