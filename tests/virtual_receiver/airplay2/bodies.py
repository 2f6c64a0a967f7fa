"""The property lists of AirPlay 2 requests, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
import plistlib
import struct

REALTIME = 96
BUFFERED = 103
CONTENT_TYPE = "application/x-apple-binary-plist"

_LIMIT_BYTES = 64 * 1024
_PEERS = 64
_SEQUENCE_MASK = 0x7FFFFF

type Table = Mapping[str, object]


class BodyError(Exception):
    """The body does not fit this request."""


@dataclass(frozen=True, slots=True)
class SessionSetup:
    """How a session keeps time; addresses are those of the sender's clock."""

    is_ptp: bool
    timing_port: int | None = None
    clock_id: int | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamSetup:
    """One stream: its key, the sender's port, and its announced format."""

    kind: int
    key: bytes
    control_port: int | None = None
    codec: int = 2
    rate: int = 44100
    frames_per_packet: int = 352
    audio_format: int | None = None
    has_latency: bool = False


@dataclass(frozen=True, slots=True)
class Anchor:
    """Rate 0 or 1, and perhaps the instant of a clock at which a frame plays."""

    is_running: bool
    rtptime: int | None = None
    network_ns: int = 0
    clock_id: int = 0


@dataclass(frozen=True, slots=True)
class Flush:
    """Sequence numbers of 23 bits to drop: up to `until`, which is kept."""

    until: int
    until_rtptime: int
    start: int | None = None
    """The first one to drop; None for everything that is queued."""


def parse_table(body: bytes) -> Table:
    """Read a property list whose top is a dictionary with names."""
    table = _loads(body)
    if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
        raise BodyError("not a table")
    return table


def parse_session(table: Table) -> SessionSetup:
    """Read the SETUP of a session."""
    match table.get("timingProtocol"):
        case "PTP":
            info = table.get("timingPeerInfo")
            if not isinstance(info, dict):
                raise BodyError("PTP without timingPeerInfo")
            addresses = _addresses(info.get("Addresses"))
            return SessionSetup(True, None, _clock_id(info, "ClockID"), addresses)
        case "NTP":
            return SessionSetup(False, _port(table, "timingPort"))
        case other:
            raise BodyError(f"timingProtocol is {str(other)[:40]!r}")


def parse_stream(table: Table) -> StreamSetup:
    """Read the SETUP of the one stream that a receiver accepts."""
    streams = table.get("streams")
    if not isinstance(streams, list) or len(streams) != 1:
        raise BodyError("not one stream")
    stream = streams[0]
    if not isinstance(stream, dict):
        raise BodyError("the stream is no table")
    kind, key = _number(stream, "type", 255), stream.get("shk")
    if kind not in (REALTIME, BUFFERED):
        raise BodyError(f"stream of type {kind}")
    if not isinstance(key, bytes) or len(key) != 32:
        raise BodyError("shk is not 32 bytes")
    frames = _number(stream, "spf", 4096, 352)
    if not frames:
        raise BodyError("packets without frames")
    return StreamSetup(
        kind,
        key,
        _port(stream, "controlPort") if kind == REALTIME else None,
        _number(stream, "ct", 64, 2),
        _number(stream, "sr", 192_000, 44100),
        frames,
        _number(stream, "audioFormat", 1 << 63, 0) or None,
        "latencyMin" in stream or "latencyMax" in stream,
    )


def parse_anchor(table: Table) -> Anchor:
    """Read SETRATEANCHORTIME; a rate may come alone."""
    rate = table.get("rate")
    if not isinstance(rate, int | float) or rate not in (0, 1):
        raise BodyError(f"rate is {str(rate)[:40]}")
    if "rtpTime" not in table:
        return Anchor(bool(rate))
    frac = table.get("networkTimeFrac")
    if not isinstance(frac, int) or not -(1 << 63) <= frac < 1 << 64:
        raise BodyError("networkTimeFrac is no fraction")
    network_ns = _number(table, "networkTimeSecs", 1 << 40) * 1_000_000_000
    # a fraction of half a second and more is negative in a signed number
    network_ns += (frac & (1 << 64) - 1) * 1_000_000_000 >> 64
    return Anchor(
        bool(rate),
        _number(table, "rtpTime", 0xFFFFFFFF),
        network_ns,
        _clock_id(table, "networkTimeTimelineID"),
    )


def parse_flush(table: Table) -> Flush:
    """Read FLUSHBUFFERED, of now or for later."""
    start = None
    if "flushFromSeq" in table:
        start = _number(table, "flushFromSeq", 0xFFFFFFFF) & _SEQUENCE_MASK
    until = _number(table, "flushUntilSeq", 0xFFFFFFFF) & _SEQUENCE_MASK
    return Flush(until, _number(table, "flushUntilTS", 0xFFFFFFFF), start)


def parse_peers(body: bytes) -> tuple[str, ...]:
    """Read SETPEERS, an array of addresses, or SETPEERSX, one of tables."""
    peers = _loads(body)
    if not isinstance(peers, list) or len(peers) > _PEERS:
        raise BodyError("not a list of peers")
    addresses: list[str] = []
    for peer in peers:
        told = peer.get("Addresses") if isinstance(peer, dict) else [peer]
        addresses += _addresses(told)
    return tuple(addresses)


def build(table: Table) -> bytes:
    """Write a property list."""
    return plistlib.dumps(dict(table), fmt=plistlib.FMT_BINARY)


def _loads(body: bytes) -> object:
    if len(body) > _LIMIT_BYTES or not body.startswith(b"bplist00"):
        raise BodyError(f"{len(body)} bytes are no binary property list")
    try:
        loaded: object = plistlib.loads(body, fmt=plistlib.FMT_BINARY)
    except (
        ValueError,
        TypeError,
        LookupError,
        OverflowError,
        RecursionError,
        struct.error,
    ) as err:
        raise BodyError("broken property list") from err
    return loaded


def _addresses(told: object) -> tuple[str, ...]:
    if not isinstance(told, list) or len(told) > _PEERS:
        raise BodyError("not a list of addresses")
    try:
        return tuple(str(ip_address(str(text).partition("%")[0])) for text in told)
    except ValueError as err:
        raise BodyError("a peer has no address") from err


def _number(table: Table, key: str, limit: int, default: int | None = None) -> int:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BodyError(f"{key} is no number")
    if not 0 <= value <= limit:
        raise BodyError(f"{key} is {value}")
    return value


def _port(table: Table, key: str) -> int:
    port = _number(table, key, 65535)
    if not port:
        raise BodyError(f"{key} is 0")
    return port


def _clock_id(table: Table, key: str) -> int:
    """Return a clock's name; numbers of property lists are signed."""
    value = table.get(key)
    if not isinstance(value, int) or not -(1 << 63) <= value < 1 << 63:
        raise BodyError(f"{key} is no signed number of 64 bits")
    return value & (1 << 64) - 1
