"""Media: resolution, playlists, and queues."""
