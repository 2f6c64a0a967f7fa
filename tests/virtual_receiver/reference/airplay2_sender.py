"""A sender of AirPlay 2 written from the protocol's text, to try the receiver with."""

import asyncio
from collections.abc import Mapping
import contextlib
import plistlib
import secrets
import socket
import struct
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from .airplay2_channel import Secret
from .airplay2_clock import CLOCK_ID, ReferenceClock, signed
from .airplay2_pairing import Talk
from .raop_sender import FRAMES, NS_PER_S, RATE, Reply, alac_frame, now_ns, ntp

BPLIST = "application/x-apple-binary-plist"
SSRC = 0x0000FACE

type Body = bytes | Mapping[str, object] | list[object]


class AirPlay2ReferenceSender:
    """One connection, its event channel and a stream."""

    def __init__(self, host: str, port: int, local: str | None = None) -> None:
        """Choose key and numbers; connected by `async with`, from an own address."""
        self.host, self.port, self._from = host, port, local
        self.key = secrets.token_bytes(32)
        self.sequence, self.rtptime = 65_530, 0xFFFFF000
        self.ssrc = 0
        self.clock_id = CLOCK_ID
        self.clock: ReferenceClock | None = None
        self.told: dict[str, Any] = {}
        """The answer to the session's SETUP."""
        self.ports: dict[str, Any] = {}
        """The answer to the stream's SETUP."""
        self.sent: dict[int, bytes] = {}
        self.asked: list[tuple[int, int]] = []
        self.talk = Talk()
        self.secret: Secret | None = None
        self._nonce = self._cseq = 0
        self._plain = b""

    async def __aenter__(self) -> Self:
        """Connect."""
        self.reader, self.writer = await asyncio.open_connection(
            self.host, self.port, local_addr=(self._from, 0) if self._from else None
        )
        self.local = self.writer.get_extra_info("sockname")[0]
        self.control, self.audio, self.timing = (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)
        )
        for sock in (self.control, self.audio, self.timing):
            sock.setblocking(False)
            sock.bind((self.local, 0))
        loop = asyncio.get_running_loop()
        loop.add_reader(self.control, self._answer_resend)
        loop.add_reader(self.timing, self._answer_time)
        self.data: asyncio.StreamWriter | None = None
        self._events: asyncio.StreamWriter | None = None
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        loop = asyncio.get_running_loop()
        for sock in (self.control, self.audio, self.timing):
            loop.remove_reader(sock)
            sock.close()
        if self.clock is not None:
            self.clock.close()
        for writer in (self._events, self.data, self.writer):
            if writer is not None:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

    # --- RTSP ----------------------------------------------------------------

    async def ask(
        self,
        method: str,
        uri: str | None = None,
        body: Body = b"",
        headers: Mapping[str, str] | None = None,
        content_type: str = BPLIST,
    ) -> Reply:
        """Ask and wait for the answer; tables and lists become property lists."""
        if not isinstance(body, bytes):
            body = plistlib.dumps(body, fmt=plistlib.FMT_BINARY)
        self._cseq += 1
        uri = f"rtsp://{self.local}/42" if uri is None else uri
        lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {self._cseq}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        self.writer.write(self.secret.seal(request) if self.secret else request)
        return await self._reply()

    async def _reply(self) -> Reply:
        while b"\r\n\r\n" not in self._plain:
            await self._more()
        head, _, self._plain = self._plain.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name: value for name, _, value in (x.partition(": ") for x in lines)}
        size = int(headers.get("Content-Length", "0"))
        while len(self._plain) < size:
            await self._more()
        body, self._plain = self._plain[:size], self._plain[size:]
        return Reply(int(first.split(" ")[1]), headers, body)

    async def _more(self) -> None:
        if self.secret:
            self._plain += await self.secret.read(self.reader)
            return
        received = await self.reader.read(65536)
        if not received:
            raise ConnectionError("closed")
        self._plain += received

    async def pair(self, code: str = "3939") -> None:
        """Pair for this connection."""
        await self._post("/pair-setup", self.talk.set_up(code, is_transient=True))
        self._encrypt()

    async def pair_for_good(self, code: str) -> None:
        """Pair by a code, to be remembered."""
        await self._post("/pair-setup", self.talk.set_up(code, is_transient=False))

    async def verify(self) -> None:
        """Show that we were paired."""
        await self._post("/pair-verify", self.talk.verify())
        self._encrypt()

    async def _post(self, path: str, messages: Any) -> None:
        for message in messages:
            kind = "application/octet-stream"
            reply = await self.ask("POST", path, message, content_type=kind)
            assert reply.status == 200, reply
            self.talk.answer = reply.body

    def _encrypt(self) -> None:
        prefix = "Control-{}-Encryption-Key"
        self.secret = Secret(
            self.talk.secret,
            "Control-Salt",
            prefix.format("Write"),
            prefix.format("Read"),
        )

    # --- session ---------------------------------------------------------------

    async def set_up_session(
        self, *, timing: str = "PTP", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send the SETUP of a session."""
        body: dict[str, object] = {"timingProtocol": timing, "deviceID": "01:02"}
        if timing == "PTP":
            clock = {"ClockID": signed(self.clock_id), "Addresses": [self.local]}
            body["timingPeerInfo"] = {"ID": "U", "DeviceType": 0, **clock}
        else:
            body["timingPort"] = self.timing.getsockname()[1]
        reply = await self.ask("SETUP", body=body, headers=headers)
        if reply.body:
            self.told = plistlib.loads(reply.body)
        return reply

    async def open_events(self) -> tuple[asyncio.StreamReader, Secret]:
        """Connect to the event channel; return its reader."""
        port = self.told["eventPort"]
        reader, self._events = await asyncio.open_connection(self.host, port)
        write, read = "Events-Read-Encryption-Key", "Events-Write-Encryption-Key"
        self.events = Secret(self.talk.secret, "Events-Salt", write, read)
        return reader, self.events

    def answer_event(self, cseq: str | None) -> None:
        """Answer 200 on the event channel."""
        assert self._events is not None
        line = f"CSeq: {cseq}\r\n" if cseq else ""
        answer = f"RTSP/1.0 200 OK\r\n{line}Content-Length: 0\r\n\r\n"
        self._events.write(self.events.seal(answer.encode()))

    async def set_up_stream(self, kind: int = 96, **changes: object) -> Reply:
        """Send the SETUP of a stream and connect if it is buffered."""
        stream: dict[str, object] = {
            "type": kind,
            "ct": 2,
            "audioFormat": 0x40000,
            "spf": FRAMES,
            "sr": RATE,
            "shk": self.key,
            "controlPort": self.control.getsockname()[1],
        }
        if kind == 96:
            stream |= {"latencyMin": 11025, "latencyMax": 88200}
        reply = await self.ask("SETUP", body={"streams": [{**stream, **changes}]})
        if reply.body:
            [self.ports] = plistlib.loads(reply.body)["streams"]
            if kind == 103:
                self.ssrc = SSRC
                _, self.data = await asyncio.open_connection(
                    self.host, self.ports["dataPort"]
                )
                sock = self.data.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        return reply

    async def begin(self, kind: int = 96, *, timing: str = "PTP") -> None:
        """Go from the connection to a stream."""
        await self.pair()
        for reply in (
            await self.set_up_session(timing=timing),
            await self.ask("RECORD"),
            await self.ask("SETPEERS", body=[self.host, self.local]),
            await self.set_up_stream(kind),
        ):
            assert reply.status == 200, reply

    # --- sound -----------------------------------------------------------------

    def announce(
        self, heard_ns: int, rtptime: int, *, is_first: bool = True, offset_ns: int = 0
    ) -> None:
        """Announce that a frame plays at an instant of CLOCK_MONOTONIC."""
        now = now_ns()
        frame = rtptime + (now - heard_ns) * RATE // NS_PER_S + 11035
        packet = struct.pack(
            ">BBHIQIQ",
            0x90 if is_first else 0x80,
            0xD7,
            6,
            frame & 0xFFFFFFFF,
            now + offset_ns,
            frame + 77175 & 0xFFFFFFFF,
            self.clock_id,
        )
        self.control.sendto(packet, (self.host, self.ports["controlPort"]))

    def seal(self, pcm: bytes, first: bytes) -> bytes:
        """Seal the next packet behind its first four bytes."""
        head = self.rtptime.to_bytes(4) + self.ssrc.to_bytes(4)
        nonce = self._nonce.to_bytes(8, "little")
        sealed = ChaCha20Poly1305(self.key).encrypt(
            bytes(4) + nonce, alac_frame(pcm), head
        )
        self._nonce += 1
        self.rtptime = self.rtptime + FRAMES & 0xFFFFFFFF
        return first + head + sealed + nonce

    def send_audio(self, pcm: bytes, *, lost: frozenset[int] = frozenset()) -> None:
        """Send the packets of some sound, but not those with these places."""
        for place, at in enumerate(range(0, len(pcm), FRAMES * 4)):
            marker = 0xE0 if at == 0 else 0x60
            first = bytes([0x80, marker]) + self.sequence.to_bytes(2)
            packet = self.seal(pcm[at : at + FRAMES * 4], first)
            self.sent[self.sequence] = packet
            self.sequence = self.sequence + 1 & 0xFFFF
            if place not in lost:
                self.audio.sendto(packet, (self.host, self.ports["dataPort"]))

    def buffer_audio(self, pcm: bytes) -> None:
        """Send the packets of some sound to a buffered stream."""
        assert self.data is not None
        for at in range(0, len(pcm), FRAMES * 4):
            first = (0x80000000 | self.sequence).to_bytes(4)
            packet = self.seal(pcm[at : at + FRAMES * 4], first)
            self.data.write((len(packet) + 2).to_bytes(2) + packet)
            self.sequence = self.sequence + 1 & 0x7FFFFF

    async def anchor(self, heard_ns: int, rtptime: int) -> Reply:
        """Anchor a frame of a buffered stream to an instant, and play."""
        seconds, rest = divmod(heard_ns, NS_PER_S)
        body = {
            "rate": 1,
            "rtpTime": rtptime,
            "networkTimeSecs": seconds,
            "networkTimeFrac": signed((rest << 64) // NS_PER_S),
            "networkTimeTimelineID": signed(self.clock_id),
        }
        return await self.ask("SETRATEANCHORTIME", body=body)

    def _answer_resend(self) -> None:
        request, address = self.control.recvfrom(100)
        if request[1] != 0xD5:
            return
        first, count = struct.unpack_from(">HH", request, 4)
        self.asked.append((first, count))
        for sequence in range(first, first + count):
            packet = bytes.fromhex("80d60001") + self.sent[sequence & 0xFFFF]
            self.control.sendto(packet, address)

    def _answer_time(self) -> None:
        request, address = self.timing.recvfrom(100)
        reply = bytes.fromhex("80d3000700000000") + request[24:32] + ntp(now_ns())
        self.timing.sendto(reply + ntp(now_ns()), address)
