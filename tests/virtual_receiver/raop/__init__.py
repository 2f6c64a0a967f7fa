"""RAOP (AirPlay 1) as a receiver reads it: formats, sessions and streams."""
