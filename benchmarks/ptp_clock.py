"""A PTP clock in a separate process, whose main thread may be under load.

    python -m benchmarks.ptp_clock LOAD EVENT_PORT GENERAL_PORT

It serves one receiver at 127.0.0.2 until its standard input ends; then it prints the
number of timed messages, the number with a departure time from the kernel, and the
wall clock time at which the session clock was 0.
"""

import asyncio
import contextlib
import importlib
import sys
from typing import TYPE_CHECKING

from . import core, loads

if TYPE_CHECKING:
    from custom_components.airplay.raop.engine.net import clock
    from custom_components.airplay.raop.engine.pacing import pacer
    from custom_components.airplay.raop.engine.ptp import links, service as ptp_service
else:
    assert core.AROUND_CORE
    clock, pacer, links, ptp_service = (
        importlib.import_module(f"raop.engine.{name}")
        for name in ("clock", "pacer", "ptp_link", "ptp_service")
    )

_CLOCK_ID = 0xA1B2C3D4E5F60718


async def _main(load: str, ports: links.PtpPortNumbers) -> None:
    pacing = pacer.Pacer()
    pacing.start()
    service = ptp_service.PtpService(
        pacing,
        _CLOCK_ID,
        ports=links.PtpPortNumbers(0, 0),
        receivers=ports,
        local=["127.0.0.1"],
    )
    await service.add_peer(["127.0.0.2"])
    loaded = asyncio.create_task(loads.run(load))
    await asyncio.sleep(0.5)
    print("loaded", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    loaded.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loaded
    print(service.syncs, service.stamped, -clock.of_realtime(0), flush=True)
    await service.close()
    pacing.stop()


if __name__ == "__main__":
    listening = links.PtpPortNumbers(int(sys.argv[2]), int(sys.argv[3]))
    asyncio.run(_main(sys.argv[1], listening))
