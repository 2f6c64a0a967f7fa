"""Loads the mixer before the pacing thread needs it, which must not wait for it."""

import asyncio
import importlib
import os


async def load_mixer() -> None:
    """Import the mixer, on another thread; return when it is there."""
    # Mixing needs no matrices: numpy's threads for them would only wake up for nothing.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    await asyncio.to_thread(importlib.import_module, ".mixer", __package__)
