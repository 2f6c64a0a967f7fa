"""The real sender process, controlled over its pipes as by Home Assistant."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Sequence
import contextlib
import os
import sys
import time
from typing import Self

from .core import RAOP, messages

STREAM = "benchmark"
_PLAIN = {"cn": "0,1", "et": "0"}
_ENCRYPTED = {"cn": "0,1", "et": "1", "ek": "1"}
_PATIENCE_S = 30.0
_KEEP_S = 600.0


class SenderFailedError(Exception):
    """The sender process refused a command or ended."""


class SenderProcess:
    """One `raop serve` and its pipes."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._numbers = 0
        self._replies: dict[int, asyncio.Future[messages.Reply]] = {}
        self._started: asyncio.Future[messages.Started] | None = None
        self._ended: asyncio.Future[messages.StreamChanged] | None = None
        self._reading = asyncio.create_task(self._read())
        self.ready: asyncio.Future[messages.Ready] = asyncio.Future()

    @classmethod
    async def start(
        cls, *, is_realtime: bool = True, within: Sequence[str] = ()
    ) -> Self:
        """Start the process and wait until it accepts commands.

        `within` is a command that runs another one, for example in its own network.
        """
        environment = {**os.environ}
        if not is_realtime:
            environment["AIRPLAY_NO_REALTIME"] = "1"
        process = await asyncio.create_subprocess_exec(
            *(*within, *RAOP, "serve"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            limit=messages.MAX_LINE_BYTES,
            env=environment,
        )
        sender = cls(process)
        await sender._patiently(sender.ready)
        return sender

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    async def play(
        self, media: str, ports: list[int], *, encrypts: bool = False
    ) -> tuple[int, messages.Started]:
        """Play on receivers on this machine; return after the line is set.

        The first value is the wall clock in ns just before the command was written.
        """
        return await self.play_on(
            media, [_member(port, encrypts=encrypts) for port in ports]
        )

    async def play_on(
        self, media: str, members: Sequence[messages.Member]
    ) -> tuple[int, messages.Started]:
        """Play on any receivers, like `play`."""
        self._started, self._ended = asyncio.Future(), asyncio.Future()
        command = messages.Play(
            stream=STREAM,
            members=tuple(members),
            media=messages.Media(url=media, name="the benchmark's music"),
        )
        commanded_ns = time.time_ns()
        reply = self._send(command)
        reply.add_done_callback(self._give_up_start)
        return commanded_ns, await self._patiently(self._started)

    def open(self, media: messages.Media, port: int) -> None:
        """Play on a receiver beside the stream; do not wait for it."""
        member = _member(port, encrypts=False)
        self._send(messages.Play(stream="beside", members=(member,), media=media))

    async def finished(self) -> None:
        """Wait until everything has played. Raises SenderFailedError: it failed."""
        assert self._ended is not None
        ended = await self._patiently(self._ended, timeout_s=None)
        if ended.reason != "finished":
            raise SenderFailedError(f"{ended.reason}: {ended.code}")

    async def announce(self, media: str, port: int) -> int:
        """Announce on a receiver; return after it has played.

        The value is the monotonic clock in ns just before the command was written.
        """
        addressee = messages.Addressee(member=_member(port, encrypts=False))
        target = messages.Target(stream=STREAM, addressees=(addressee,))
        clip = messages.Media(url=media, name="the benchmark's voice")
        command = messages.Announce(
            announcement="benchmark", targets=(target,), clips=(clip,)
        )
        commanded_ns = time.monotonic_ns()
        reply = await self._patiently(self._send(command))
        if reply.code:
            raise SenderFailedError(f"{reply.code}: {reply.text}")
        return commanded_ns

    async def pause(self) -> None:
        """Pause the stream, and keep its receivers."""
        reply = await self._patiently(
            self._send(messages.Pause(stream=STREAM, keep_s=_KEEP_S))
        )
        if reply.code:
            raise SenderFailedError(f"{reply.code}: {reply.text}")

    async def stop_stream(self) -> None:
        """Stop the stream and wait until its receivers are free."""
        await self._patiently(self._send(messages.Stop(stream=STREAM)))

    async def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    def _send(self, command: messages.Command) -> asyncio.Future[messages.Reply]:
        assert self._process.stdin is not None
        self._numbers += 1
        reply: asyncio.Future[messages.Reply] = asyncio.Future()
        self._replies[self._numbers] = reply
        self._process.stdin.write(messages.encode_command(self._numbers, command))
        return reply

    def _give_up_start(self, answer: asyncio.Future[messages.Reply]) -> None:
        reply = answer.result()
        if self._started and not self._started.done():
            refusal = SenderFailedError(f"{reply.code}: {reply.text}")
            self._started.set_exception(refusal)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self._take(messages.decode_event(line))

    def _take(self, event: messages.Event) -> None:
        match event:
            case messages.Ready():
                self.ready.set_result(event)
            case messages.Started() if self._started and not self._started.done():
                self._started.set_result(event)
            case messages.StreamChanged(state="ended") if (
                self._ended and not self._ended.done()
            ):
                self._ended.set_result(event)
            case messages.Reply():
                reply = self._replies.pop(event.id, None)
                if reply and not reply.done():
                    reply.set_result(event)
            case messages.LogLine(level=level) if level >= 40:
                sys.stderr.write(f"sender: {event.text}\n")

    async def _patiently[T](
        self, answer: Awaitable[T], *, timeout_s: float | None = _PATIENCE_S
    ) -> T:
        """Wait for the process, but not beyond its end."""
        answer = asyncio.ensure_future(answer)
        await asyncio.wait(
            {answer, self._reading},
            timeout=timeout_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not answer.done():
            raise SenderFailedError("the sender process does not answer")
        return answer.result()


def _member(port: int, *, encrypts: bool) -> messages.Member:
    return messages.Member(
        receiver=f"receiver-{port}",
        name=f"Receiver {port}",
        host="127.0.0.1",
        port=port,
        txt=_ENCRYPTED if encrypts else _PLAIN,
        volume=30,
    )
