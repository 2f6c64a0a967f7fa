"""The modules and functions that a command enters on its path."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
import os
from pathlib import Path
import socket
import sys
from types import CodeType
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

from .core import AROUND_CORE, messages

if TYPE_CHECKING:
    from homeassistant.core import Event, HomeAssistant

MODULES_TO_PIPE = 15
CALLS_TO_PIPE = 90
MODULES_TO_DATAGRAM = 45

_MONITORING = sys.monitoring
_TOOL = _MONITORING.PROFILER_ID
_START = _MONITORING.events.PY_START
_AUDIO = 0x60
_PATIENCE_S = 20


@dataclass
class Crossing:
    """Functions below a folder in the order of their entries.

    Lambdas and generator expressions are not counted: they belong to the function
    around them. Every other entry is counted, also of the same function, on any
    thread.
    """

    folder: Path
    # The function with the first entry that counts.
    begins_at: str | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)
    # States that were written on the path, including unchanged ones.
    states: list[str] = field(default_factory=list)
    is_over: bool = False

    @property
    def modules(self) -> set[str]:
        """The modules that were entered, as paths below the folder."""
        return {module for module, _ in self.calls}

    @property
    def functions(self) -> set[tuple[str, str]]:
        """The distinct functions that were entered."""
        return set(self.calls)

    def __enter__(self) -> Self:
        _MONITORING.use_tool_id(_TOOL, "crossing")
        _MONITORING.register_callback(_TOOL, _START, self._note)
        # Code that an earlier crossing disabled may count in this one.
        _MONITORING.restart_events()
        _MONITORING.set_events(_TOOL, _START)
        return self

    def __exit__(self, *_: object) -> None:
        _MONITORING.set_events(_TOOL, 0)
        _MONITORING.register_callback(_TOOL, _START, None)
        _MONITORING.free_tool_id(_TOOL)

    def _note(self, code: CodeType, _offset: int) -> object:
        path = Path(code.co_filename)
        # Names of lambdas, comprehensions, and modules are in angle brackets.
        if code.co_name.startswith("<") or not path.is_relative_to(self.folder):
            return _MONITORING.DISABLE
        if self.begins_at == code.co_name:
            self.begins_at = None
        if not (self.is_over or self.begins_at):
            module = str(path.relative_to(self.folder))
            self.calls.append((module, code.co_qualname))
        return None


async def cross_to_pipe(hass: HomeAssistant, player: str, media: str) -> Crossing:
    """Play media by an action; return the crossing until its command is written."""
    from homeassistant.core import callback

    crossing = Crossing(AROUND_CORE, begins_at="async_play_media")
    write = asyncio.StreamWriter.write

    def writing(self: asyncio.StreamWriter, line: bytes) -> None:
        crossing.is_over |= b'"Play"' in line
        write(self, line)

    @callback
    def heed(event: Event[Any]) -> None:
        if not crossing.is_over:
            crossing.states.append(event.data["entity_id"])

    @callback
    def every(_data: Mapping[str, Any]) -> bool:
        return True

    await hass.async_block_till_done()
    stops = [
        hass.bus.async_listen(kind, heed, event_filter=every)
        for kind in ("state_changed", "state_reported")
    ]
    with patch.object(asyncio.StreamWriter, "write", writing), crossing:
        await hass.services.async_call(
            "media_player",
            "play_media",
            {
                "entity_id": player,
                "media_content_type": "music",
                "media_content_id": media,
            },
            blocking=True,
        )
    for stop in stops:
        stop()
    assert crossing.is_over
    return crossing


async def cross_to_datagram(port: int, txt: dict[str, str], media: Path) -> Crossing:
    """Play media by the engine; return the crossing until the first audio packet.

    The receiver is on this machine.
    """
    crossing = Crossing(AROUND_CORE / "raop")
    loop, is_sent = asyncio.get_running_loop(), asyncio.Event()

    def on_datagram(datagram: bytes) -> None:
        if not crossing.is_over and datagram[1] & 0x7F == _AUDIO:
            crossing.is_over = True
            loop.call_soon_threadsafe(is_sent.set)

    identity = messages.Identity(dacp_id="A1B2C3D4E5F60718")
    engine = import_module("raop.engine.engine").Engine(identity, lambda _event: None)
    engine.start()
    member = messages.Member(
        receiver="benchmark", name="Benchmark", host="127.0.0.1", port=port, txt=txt
    )
    command = messages.Play(
        stream="benchmark",
        members=(member,),
        media=messages.Media(url=os.fspath(media), name="the benchmark's music"),
    )
    try:
        with patch.object(socket.socket, "send", _sending(on_datagram)), crossing:
            await engine.run(command)
            async with asyncio.timeout(_PATIENCE_S):
                await is_sent.wait()
    finally:
        await engine.close()
    return crossing


def _sending(on_datagram: Callable[[bytes], None]) -> Callable[..., int]:
    send = socket.socket.send

    def sending(self: socket.socket, content: bytes, *flags: int) -> int:
        if self.type == socket.SOCK_DGRAM:
            on_datagram(content)
        return send(self, content, *flags)

    return sending
