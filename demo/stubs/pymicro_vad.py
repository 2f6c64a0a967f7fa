"""Stands in for a library that has no wheel for Python 3.14; nothing here listens."""  # noqa: INP001 - stands alone


class MicroVad:
    """What Home Assistant imports at its start, and the demo never uses."""
