"""The decoder process: what it opens comes from outside and is not trusted."""
