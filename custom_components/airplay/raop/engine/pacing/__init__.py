"""The pacing thread: packets made from PCM and sent when they are due."""
