"""Media: resolved, listed in playlists, and queued."""
