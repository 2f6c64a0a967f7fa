"""The session's state machines, driven by hand."""
