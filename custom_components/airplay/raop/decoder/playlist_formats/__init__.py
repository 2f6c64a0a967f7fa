"""The formats of playlists: what is written there, read in linear time."""
