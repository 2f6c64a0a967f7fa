"""Replaces a library without a wheel for Python 3.14; the demo never uses it."""  # noqa: INP001 - stands alone


class AudioProcessor:
    """The class that Home Assistant imports at its start."""
