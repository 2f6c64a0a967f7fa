"""PCM in, PCM out."""
