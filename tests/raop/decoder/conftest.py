"""The fixtures of sources, for the parts of their decoder processes."""

from ..audio.conftest import decoders, keep, play, web

__all__ = ["decoders", "keep", "play", "web"]
