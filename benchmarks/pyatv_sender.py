"""pyatv's own sender: a program for `peers.py`.

Each receiver has pyatv's own objects: a stream client with its pacing and packets, a
control client, and a timing server, all in one loop. RTSP and decoding are omitted;
the samples are in memory.
"""

import asyncio
import logging
import os
import sys
from types import SimpleNamespace
from typing import Any

from pyatv.protocols.raop import audio_source, stream_client
from pyatv.protocols.raop.protocols import (
    StreamContext,
    TimingServer,
    airplayv1,
    airplayv2,
)
from pyatv.support.chacha20 import Chacha20Cipher8byteNonce

_HOST = "127.0.0.1"
_PACKET_BYTES = 1408
_SONG = [os.urandom(_PACKET_BYTES) for _ in range(64)]


class _Samples:
    """An audio source of pyatv without a cost to read."""

    def __init__(self) -> None:
        self._packets = 0

    async def readframes(self, nframes: int) -> bytes:
        self._packets += 1
        samples: bytes = audio_source._to_audio_samples(
            _SONG[self._packets % len(_SONG)]
        )
        return samples


def _client(version: int) -> Any:
    context = StreamContext()
    context.reset()
    rtsp: Any = SimpleNamespace(session_id=77, connection=None)
    protocol: Any = airplayv1.AirPlayV1(context, rtsp)
    if version == 2:
        protocol = airplayv2.AirPlayV2(context, rtsp)
        protocol._cipher = Chacha20Cipher8byteNonce(bytes(32), bytes(32))
    settings: Any = None
    return stream_client.StreamClient(rtsp, context, protocol, settings)


async def _open_ports(client: Any) -> str:
    loop = asyncio.get_running_loop()
    _, client.control_client = await loop.create_datagram_endpoint(
        lambda: stream_client.ControlClient(client.context, client._packet_backlog),
        local_addr=(_HOST, 0),
    )
    _, client.timing_server = await loop.create_datagram_endpoint(
        TimingServer, local_addr=(_HOST, 0)
    )
    return f"{client.timing_server.port} {client.control_client.port}"


async def _stream(client: Any, audio: int, control: int) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        stream_client.AudioProtocol, remote_addr=(_HOST, audio)
    )
    client.context.control_port = control
    client.control_client.start(_HOST)
    await client._stream_data(_Samples(), transport)


async def _main(count: int, version: int) -> None:
    loop = asyncio.get_running_loop()
    clients = [_client(version) for _ in range(count)]
    for client in clients:
        print(await _open_ports(client), flush=True)
    streams = []
    for client in clients:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        audio, control = map(int, line.split())
        streams.append(asyncio.create_task(_stream(client, audio, control)))
    await loop.run_in_executor(None, sys.stdin.readline)
    for stream in streams:
        stream.cancel()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
