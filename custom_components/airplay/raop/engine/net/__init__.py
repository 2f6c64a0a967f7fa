"""Sockets, connections, and the session clock."""
