"""Sessions at simulated receivers for a sender without its own RTSP."""

import asyncio
from dataclasses import dataclass, field
import re

_PORTS = re.compile(r"server_port=(\d+);control_port=(\d+)")


@dataclass(frozen=True, slots=True)
class Ports:
    """A sender's UDP ports toward one receiver."""

    timing: int
    control: int


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver's UDP ports."""

    audio: int
    control: int


@dataclass(slots=True)
class Introduction:
    """RTSP connections that keep a sender's sessions open."""

    targets: list[Target] = field(default_factory=list)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def meet(self, receiver: int, sender: Ports) -> None:
        """Open a session at the receiver with this RTSP port."""
        reader, writer = await asyncio.open_connection("127.0.0.1", receiver)
        transport = (
            "RTP/AVP/UDP;unicast;mode=record;"
            f"control_port={sender.control};timing_port={sender.timing}"
        )
        answer = await _ask(reader, writer, "SETUP", f"Transport: {transport}\r\n")
        found = _PORTS.search(answer)
        assert found is not None
        await _ask(reader, writer, "RECORD")
        self.targets.append(Target(int(found[1]), int(found[2])))
        self._writers.append(writer)

    def close(self) -> None:
        """End the sessions."""
        for writer in self._writers:
            writer.close()


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    headers: str = "",
) -> str:
    writer.write(
        f"{method} rtsp://sender RTSP/1.0\r\nCSeq: 1\r\n{headers}\r\n".encode()
    )
    return (await reader.readuntil(b"\r\n\r\n")).decode()
