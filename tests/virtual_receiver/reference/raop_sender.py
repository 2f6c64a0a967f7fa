"""A sender written from the protocol's text, to try the virtual receiver with."""

import asyncio
from collections.abc import Mapping
import contextlib
from dataclasses import dataclass, field
import hashlib
import random
import socket
import struct
import time
from typing import Self

from tests.virtual_receiver.clock import wall_offset_ns

RATE = 44100
FRAMES = 352
NS_PER_S = 1_000_000_000
SO_TIMESTAMPNS = 35


@dataclass(frozen=True)
class Reply:
    """The answers of the receiver."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def noise(packets: int, seed: int = 1) -> bytes:
    """Return sound in which every frame is different."""
    return random.Random(seed).randbytes(packets * FRAMES * 4)


def alac_frame(pcm: bytes) -> bytes:
    """Wrap s16le stereo as a verbatim frame with its end tag."""
    swapped = bytearray(pcm)
    swapped[0::2], swapped[1::2] = pcm[1::2], pcm[0::2]
    bits = (1 << 20 | 1) << len(pcm) * 8 | int.from_bytes(swapped)
    total = 23 + len(pcm) * 8 + 3
    return ((bits << 3 | 7) << -total % 8).to_bytes(-(-total // 8))


def l16(pcm: bytes) -> bytes:
    """Return the samples big-endian."""
    swapped = bytearray(pcm)
    swapped[0::2], swapped[1::2] = pcm[1::2], pcm[0::2]
    return bytes(swapped)


def ntp(monotonic_ns: int) -> bytes:
    """Return an instant of our clock as 64 bits."""
    return ((monotonic_ns << 32) // NS_PER_S).to_bytes(8)


def now_ns() -> int:
    """Return our clock."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


@dataclass
class RaopReferenceSender:
    """One RTSP connection and three UDP sockets."""

    host: str
    port: int
    password: str | None = None
    upper: bool = False
    sdp_extra: str = ""
    rtpmap: str = (
        "a=rtpmap:96 AppleLossless\r\na=fmtp:96 352 0 16 40 10 14 2 255 0 0 44100\r\n"
    )
    sequence: int = 65_530
    rtptime: int = 0xFFFFFF00
    answers_time: bool = True
    answers_resends: bool = True
    cseq: int = 0
    nonce: str = ""
    session: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    sent: dict[int, bytes] = field(default_factory=dict)
    asked: list[tuple[int, int]] = field(default_factory=list)
    timing_requests: list[bytes] = field(default_factory=list)
    timed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        """Connect and open the sockets."""
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        self.local = self.writer.get_extra_info("sockname")[0]
        self.url = f"rtsp://{self.local}/1234567890"
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.audio, self.control, self.timing = (
            socket.socket(family, socket.SOCK_DGRAM) for _ in range(3)
        )
        for sock in (self.audio, self.control, self.timing):
            sock.setblocking(False)
            sock.bind((self.local, 0))
        self.timing.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        loop = asyncio.get_running_loop()
        loop.add_reader(self.timing, self._answer_time)
        loop.add_reader(self.control, self._answer_resend)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        loop = asyncio.get_running_loop()
        for sock in (self.audio, self.control, self.timing):
            loop.remove_reader(sock)
            sock.close()
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def request(
        self,
        method: str,
        uri: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        """Ask, and wait for the answer."""
        self.send(method, uri, headers, body)
        return await self.reply()

    def send(
        self,
        method: str,
        uri: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        """Ask without waiting."""
        self.cseq += 1
        uri = self.url if uri is None else uri
        lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {self.cseq}"]
        lines += ["User-Agent: iTunes/11.0.4 (Windows; N)", "Active-Remote: 4294967"]
        lines.append("DACP-ID: 9FF35780A8BC8D2B")
        if self.session:
            lines.append(f"Session: {self.session}")
        if self.password is not None and self.nonce:
            lines.append(f"Authorization: {self._digest(method, uri)}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def reply(self) -> Reply:
        """Read one answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {}
        for line in head[1:-2]:
            name, _, value = line.partition(": ")
            headers[name] = value
        body = await self.reader.readexactly(int(headers.get("Content-Length", "0")))
        return Reply(int(head[0].split(" ")[1]), headers, body)

    async def announce(self) -> Reply:
        """Send the session description."""
        family = "IP6" if ":" in self.local else "IP4"
        sdp = (
            f"v=0\r\no=iTunes 1234567890 0 IN {family} {self.local}\r\ns=iTunes\r\n"
            f"c=IN {family} {self.host}\r\nt=0 0\r\nm=audio 0 RTP/AVP 96\r\n"
            f"{self.rtpmap}{self.sdp_extra}"
        )
        headers = {"Content-Type": "application/sdp"}
        return await self.request("ANNOUNCE", headers=headers, body=sdp.encode())

    async def setup(self) -> Reply:
        """Exchange UDP ports."""
        reply = await self.request(
            "SETUP",
            headers={
                "Transport": "RTP/AVP/UDP;unicast;interleaved=0-1;mode=record;"
                f"control_port={self.control.getsockname()[1]};"
                f"timing_port={self.timing.getsockname()[1]}"
            },
        )
        self.session = reply.headers.get("Session", "")
        for part in reply.headers.get("Transport", "").split(";"):
            name, _, value = part.partition("=")
            if name.endswith("_port"):
                self.ports[name] = int(value)
        return reply

    async def record(self) -> Reply:
        """Begin the stream."""
        info = f"seq={self.sequence};rtptime={self.rtptime}"
        headers = {"Range": "npt=0-", "RTP-Info": info}
        return await self.request("RECORD", headers=headers)

    async def begin(self) -> None:
        """Go from the connection to a stream whose clock is known."""
        for step in (self.announce, self.setup, self.record):
            reply = await step()
            assert reply.status == 200, reply
        if self.answers_time:
            await asyncio.wait_for(self.timed.wait(), 20)

    async def parameter(
        self, content_type: str, body: bytes, rtptime: int | None = None
    ) -> Reply:
        """Set volume, metadata, artwork or progress."""
        headers = {"Content-Type": content_type}
        if rtptime is not None:
            headers["RTP-Info"] = f"rtptime={rtptime}"
        return await self.request("SET_PARAMETER", headers=headers, body=body)

    async def flush(self) -> Reply:
        """Drop all queued audio; the next packet is the first one again."""
        info = f"seq={self.sequence};rtptime={self.rtptime}"
        return await self.request("FLUSH", headers={"RTP-Info": info})

    def sync(self, heard_ns: int, rtptime: int, *, is_first: bool = True) -> None:
        """Announce that a frame plays at an instant of our clock."""
        now = now_ns()
        less = rtptime + 11025 + (now - heard_ns) * RATE // NS_PER_S
        packet = bytes([0x90 if is_first else 0x80, 0xD4, 0, 7])
        packet += (less & 0xFFFFFFFF).to_bytes(4) + ntp(now)
        packet += (less + 77175 & 0xFFFFFFFF).to_bytes(4)
        self.control.sendto(packet, (self.host, self.ports["control_port"]))

    def play(self, pcm: bytes, lead_s: float) -> int:
        """Send sound that plays after a lead; return the instant, in ns."""
        heard_ns = now_ns() + round(lead_s * NS_PER_S)
        self.sync(heard_ns, self.rtptime)
        self.send_audio(pcm)
        return heard_ns

    def send_audio(self, pcm: bytes) -> None:
        """Send the packets of some sound, the first one marked."""
        for at in range(0, len(pcm), FRAMES * 4):
            packet = self.build(pcm[at : at + FRAMES * 4], is_first=at == 0)
            self.audio.sendto(packet, (self.host, self.ports["server_port"]))

    def build(self, pcm: bytes, *, is_first: bool = False) -> bytes:
        """Build the next audio packet and keep it."""
        packet = bytes([0x80, 0xE0 if is_first else 0x60])
        packet += self.sequence.to_bytes(2) + self.rtptime.to_bytes(4)
        packet += bytes.fromhex("deadbeef") + self.encode(pcm)
        self.sent[self.sequence] = packet
        self.sequence = self.sequence + 1 & 0xFFFF
        self.rtptime = self.rtptime + FRAMES & 0xFFFFFFFF
        return packet

    def encode(self, pcm: bytes) -> bytes:
        """Encode the frames of a packet as they were announced."""
        return l16(pcm) if "L16" in self.rtpmap else alac_frame(pcm)

    def _answer_time(self) -> None:
        request, stamps, _, address = self.timing.recvmsg(100, 64)
        seconds, nanoseconds = struct.unpack("qq", stamps[0][2][:16])
        received = ntp(seconds * NS_PER_S + nanoseconds - wall_offset_ns())
        self.timing_requests.append(request)
        if self.answers_time:
            reply = bytes.fromhex("80d3000700000000") + request[24:32] + received
            self.timing.sendto(reply + ntp(now_ns()), address)
            self.timed.set()

    def _answer_resend(self) -> None:
        request, address = self.control.recvfrom(100)
        assert request[:4] == bytes.fromhex("80d50001")
        first, count = int.from_bytes(request[4:6]), int.from_bytes(request[6:8])
        self.asked.append((first, count))
        for sequence in range(first, first + count):
            packet = self.sent.get(sequence & 0xFFFF)
            if self.answers_resends and packet is not None:
                self.control.sendto(bytes.fromhex("80d60001") + packet, address)

    def _digest(self, method: str, uri: str) -> str:
        def md5(text: str) -> str:
            word = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
            return word.upper() if self.upper else word

        proof = md5(f"{md5(f'iTunes:raop:{self.password}')}:{self.nonce}:"
                    f"{md5(f'{method}:{uri}')}")  # fmt: skip
        return (
            f'Digest username="iTunes", realm="raop", nonce="{self.nonce}", '
            f'uri="{uri}", response="{proof}"'
        )
