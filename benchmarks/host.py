"""Replaces Home Assistant: a loop under load, with a sender beside or inside it.

    python -m benchmarks.host MODEL LOAD MUSIC [PORT ...]

MODEL is `process` (the sender process at the end of two pipes), `loop` (a sender in
this process's own loop), or `none`. It prints a line when the load has begun, and ends
when its standard input does.
"""

import asyncio
import contextlib
import sys

from . import loads
from .loop_sender import LoopSender
from .sender_process import SenderProcess


async def _main(model: str, load: str, music: str, receivers: list[int]) -> None:
    sender: SenderProcess | None = None
    if model == "process":
        sender = await SenderProcess.start()
        await sender.play(music, receivers)
    elif model == "loop":
        await LoopSender().start(receivers)
    # The burst that fills the receivers' buffers is not measured.
    await asyncio.sleep(1)
    loaded = asyncio.create_task(loads.run(load))
    await asyncio.sleep(0.2)
    print("loaded", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    loaded.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loaded
    if sender:
        await sender.stop()


if __name__ == "__main__":
    ports = [int(port) for port in sys.argv[4:]]
    asyncio.run(_main(sys.argv[1], sys.argv[2], sys.argv[3], ports))
