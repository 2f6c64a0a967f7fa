"""Home Assistant's own user interface in a real browser: scripts/ui_walk."""
