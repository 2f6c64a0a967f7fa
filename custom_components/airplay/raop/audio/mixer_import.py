"""Loads the mixer before the pacing thread needs it, which must not wait for it."""

import asyncio
import importlib


async def load_mixer() -> None:
    """Import the mixer, on another thread; return when it is there."""
    await asyncio.to_thread(importlib.import_module, ".mixer", __package__)
