"""A virtual receiver on real sockets that records its played sound."""

import asyncio
from collections.abc import Callable, Mapping
import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path
import secrets
from typing import Protocol, Self, override

from tests.virtual_receiver.network.connection import Connection
from tests.virtual_receiver.network.rtsp import Request
from tests.virtual_receiver.playback.recording import PlayedPacket
from tests.virtual_receiver.playback.wav import WavFile
from tests.virtual_receiver.raop.decoder import KeyOpener
from tests.virtual_receiver.raop.metadata import Song
from tests.virtual_receiver.raop.sdp import Announcement
from tests.virtual_receiver.raop.session import DEFAULT_VOLUME_DB, Ports, Session
from tests.virtual_receiver.raop.stream import Setting, Stream
from tests.virtual_receiver.raop.timing import Cadence
from tests.virtual_receiver.raop.txt import airplay_txt, info, raop_txt

from .clock import ReceiverClock, monotonic_ns, to_unix_ns
from .observer import Observer
from .pairing import Gate
from .quirks import Quirks
from .stats import Stats

# reported for receivers whose timing request is not answered
_TIME_WAIT_S = 10.0

type Listener = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class VolumeChange:
    """A volume that a sender has set, by CLOCK_MONOTONIC."""

    at_ns: int
    volume_db: float
    is_recording: bool


class Queue(Protocol):
    """The audio that waits to play."""

    @property
    def next_due_ns(self) -> int | None:
        """Return when the next frame plays, if one is queued."""


class Lane(Protocol):
    """A stream that plays, of any kind."""

    @property
    def player(self) -> Queue:
        """Return the audio that waits to play."""

    def poll(self) -> None:
        """Play all audio that is due."""

    def record(self, rtptime: int | None) -> None:
        """Begin to play at a frame."""

    def flush(self, rtptime: int | None) -> None:
        """Drop all queued audio."""

    def close(self) -> None:
        """Stop playing and close the sockets."""


class VirtualReceiver(Observer):
    """Listen for senders, play their audio and record what played when."""

    speaks_airplay_2 = False

    def __init__(
        self,
        name: str = "Virtual",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        quirks: Quirks | None = None,
        password: str | None = None,
        txt: Mapping[str, str | None] | None = None,
        receiver_id: str = "0A0B0C0D0E01",
        wav: Path | str | None = None,
        clock_offset_ns: int = 0,
        clock_drift_ppm: float = 0.0,
        cadence: Cadence | None = None,
        audio_latency_frames: int = 11025,
        record: bool = True,
        decode: bool = True,
        open_key: KeyOpener | None = None,
        gate: Gate | None = None,
    ) -> None:
        """Describe a receiver; it does nothing before `start`.

        With a `gate` it plays only to senders that were paired with it.
        `open_key` turns the bytes of `rsaaeskey` into the AES key. With
        `record=False` frames are counted and forgotten, with `decode=False`
        their sound is not looked at.
        """
        super().__init__(record=record)
        self.name = name
        self.host = host
        self.port = port
        self.receiver_id = receiver_id
        self.quirks = quirks or Quirks()
        self.password = password
        self.gate = gate
        self._plugged = asyncio.Event()
        self._plugged.set()
        self.cadence = cadence or Cadence()
        self.clock = ReceiverClock(clock_offset_ns, clock_drift_ppm, monotonic_ns())
        self.audio_latency_frames = audio_latency_frames
        self.stats = Stats()
        self.song = Song()
        self.volumes: list[VolumeChange] = []
        self.volume_db = DEFAULT_VOLUME_DB
        self.violations: list[str] = []
        self.connections = 0
        self.answers: list[int] = []
        """The statuses that senders answered to our own requests."""
        self.session: Session | None = None
        """The session that plays or played last."""
        self._txt = dict(txt or {})
        self._decode = decode
        self._open_key = open_key
        self._server: asyncio.Server | None = None
        self._tasks: dict[asyncio.Task[None], Connection] = {}
        self._owner: Session | None = None
        self._stream: Lane | None = None
        self._streams = self._answers_before = 0
        self._listeners: list[Listener] = []
        self._is_sounding = False
        self._wav = WavFile(Path(wav)) if wav is not None else None
        self.recording.subscribe(self._heard)

    # --- life ----------------------------------------------------------------

    async def start(self) -> Self:
        """Listen; the port stays the same when started again."""
        self._server = await asyncio.start_server(self._connected, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Close every connection and socket."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._tasks.values()):
            connection.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None
        if self._wav is not None:
            self._wav.close()

    async def __aenter__(self) -> Self:
        """Start."""
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    def disconnect(self) -> None:
        """Break the connections of all senders and continue to listen."""
        for connection in list(self._tasks.values()):
            connection.abort()

    def hang_up(self) -> None:
        """Close the connections of all senders in order, as for another sender."""
        for connection in list(self._tasks.values()):
            connection.close()

    @property
    def is_unplugged(self) -> bool:
        """Return whether nothing goes in or out, as with a pulled cable."""
        return not self._plugged.is_set()

    def unplug(self) -> None:
        """Lose every packet from now on; RTSP waits, as TCP would."""
        self._plugged.clear()

    def plug_in(self) -> None:
        """Be reachable again."""
        self._plugged.set()

    @property
    def txt(self) -> dict[str, str]:
        """Return the TXT record of `_raop._tcp`; None in `txt` removes a key."""
        return raop_txt(
            self._txt,
            self.password,
            is_keyed=self._open_key is not None,
            is_gated=self.gate is not None,
        )

    def airplay_txt(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """Return the TXT record of `_airplay._tcp`; None in `changes` removes a key."""
        return airplay_txt(self.receiver_id, changes)

    def subscribe(self, listener: Listener) -> None:
        """Call a listener with the name and details of each event."""
        self._listeners.append(listener)

    def clear(self) -> None:
        """Forget all sound and requests until now, but not the counters."""
        self.poll()
        self.recording.clear()
        self.requests.clear()
        self.syncs.clear()
        self.volumes.clear()

    @property
    @override
    def is_playing(self) -> bool:
        """Return whether frames wait to play."""
        self.poll()
        return self._stream is not None and self._stream.player.next_due_ns is not None

    @property
    @override
    def has_session(self) -> bool:
        """Return whether a sender holds this receiver."""
        return self._owner is not None

    @property
    def open_connections(self) -> int:
        """Return how many senders are connected."""
        return len(self._tasks)

    @override
    def poll(self) -> None:
        """Play all audio that is due."""
        if self._stream is not None:
            self._stream.poll()

    @override
    def _next_due_s(self) -> float | None:
        """Return the seconds until the next frame plays."""
        if self._stream is None or self._stream.player.next_due_ns is None:
            return None
        due = self.clock.to_monotonic(self._stream.player.next_due_ns)
        return max(0.0, (due - monotonic_ns()) / 1e9)

    # --- Host: called by sessions --------------------------------------------

    def claim(self, session: Session) -> bool:
        """Give this receiver to a session; the one before only sees its end."""
        if self._owner is not None and self._owner is not session:
            if not self.quirks.takes_over:
                return False
            self._connection(self._owner).close()
        self._owner = self.session = session
        return True

    def open_stream(self, session: Session, ports: Ports) -> Ports:
        """Open the UDP ports for the announced stream."""
        assert isinstance(session.announcement, Announcement)
        connection = self._connection(session)
        self._streams += 1
        self._answers_before = self.stats.timing_answers
        stream = Stream(
            self._streams,
            session.announcement,
            session.airplay_version,
            ports,
            connection.local,
            connection.peer,
            self._setting(connection),
        )
        self._stream = stream
        return stream.ports

    def record(self, session: Session, rtptime: int | None) -> None:
        """Begin to play."""
        if self._stream is not None and session is self._owner:
            self._stream.record(rtptime)

    def flush(self, session: Session, rtptime: int | None) -> None:
        """Drop all queued audio."""
        if self._stream is not None and session is self._owner:
            self._stream.flush(rtptime)

    def teardown(self, session: Session) -> None:
        """End the stream of a session."""
        if session is not self._owner:
            return
        if self._stream is not None:
            self._stream.close()
        self._stream = self._owner = None
        self._is_sounding = False
        self.volume_db = session.volume_db
        self._tell("ended", frames=self.recording.frames, **asdict(self.stats))

    def volume_changed(self, volume_db: float, *, is_recording: bool) -> None:
        """Set a volume in dB."""
        if self.session is not None:
            self.volume_db = self.session.volume_db
        self.volumes.append(VolumeChange(monotonic_ns(), volume_db, is_recording))
        self._tell("volume", volume_db=volume_db)

    def song_changed(self, kind: str) -> None:
        """Handle text, artwork or progress."""
        song = self.song
        self._tell(
            kind, title=song.title, artist=song.artist, artwork_bytes=len(song.artwork)
        )

    def violation(self, text: str) -> None:
        """Remember something that the protocol does not allow."""
        if len(self.violations) < 1000:
            self.violations.append(text)
        self._tell("violation", text=text)

    # --- inside --------------------------------------------------------------

    def _setting(self, connection: Connection) -> Setting:
        return Setting(
            clock=self.clock,
            recording=self.recording,
            stats=self.stats,
            quirks=self.quirks,
            cadence=self.cadence,
            decode=self._decode,
            open_key=self._open_key,
            violation=self.violation,
            synced=self.syncs.append,
            changed=self._waiters.notify,
            close=connection.close,
            is_unplugged=lambda: self.is_unplugged,
            is_deaf=lambda: connection.session.is_deaf,
            is_silenced=connection.session.is_silenced,
        )

    async def _time_is_answered(self) -> None:
        """Wait for an answer to a timing request of this stream, for a while."""
        with contextlib.suppress(TimeoutError):
            await self.wait_until(
                lambda: self.stats.timing_answers > self._answers_before, _TIME_WAIT_S
            )

    def _connection(self, session: Session) -> Connection:
        return next(
            connection
            for connection in self._tasks.values()
            if connection.session is session
        )

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = Connection(
            reader,
            writer,
            self.quirks,
            self._received,
            self.violation,
            self._plugged,
            self._time_is_answered,
            self._answered,
        )
        connection.session = self._new_session()
        # Receivers that pair have newer software than shairport-sync's classic build.
        connection.version = "220.68" if self.gate else connection.version
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = connection
        self.connections += 1
        try:
            await connection.serve()
        finally:
            del self._tasks[task]
            self._waiters.notify()

    def _new_session(self) -> Session:
        return Session(
            self,
            self.quirks,
            password=self.password,
            nonce=secrets.token_hex(16),
            audio_latency_frames=self.audio_latency_frames,
            volume_db=self.volume_db,
            song=self.song,
            visitor=self.gate.visit(self.quirks) if self.gate else None,
            info=info(self.txt, self.receiver_id) if self.gate else None,
        )

    def _received(self, request: Request) -> None:
        # All audio that is due was played before this was asked.
        self.poll()
        self.requests.append(request)
        self._tell("request", method=request.method, uri=request.uri)
        asyncio.get_running_loop().call_soon(self._waiters.notify)

    def _answered(self, statuses: list[int]) -> None:
        self.answers += statuses
        statuses.clear()

    def _heard(self, packet: PlayedPacket) -> None:
        if self._wav is not None:
            self._wav.append(packet.sound)
        if not self._is_sounding and not packet.is_missing:
            self._is_sounding = True
            if self.session is not None:
                self.session.sound()
                self.volume_db = self.session.volume_db
            unix_s = to_unix_ns(packet.play_ns) / 1e9
            self._tell("playing", unix_s=unix_s, rtptime=packet.rtptime)

    def _tell(self, event: str, **details: object) -> None:
        for listener in self._listeners:
            listener(event, details)
        self._waiters.notify()
