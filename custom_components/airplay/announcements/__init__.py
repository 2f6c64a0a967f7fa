"""Announcements, from the request to the restored volume."""
