"""A virtual receiver of AirPlay 2, which accepts AirPlay 1 as well."""

from collections.abc import Collection, Mapping
import secrets
from typing import Any, override
import uuid

from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.quirks import Quirks
from tests.virtual_receiver.raop.session import Ports, Session
from tests.virtual_receiver.receiver import VirtualReceiver

from .bodies import Anchor, Flush, SessionSetup, StreamSetup, Table
from .buffered import BufferedStream
from .events import EventChannel
from .follower import Follower
from .ptp_sockets import PtpPorts, PtpSockets
from .realtime import RealtimeStream
from .session import AirPlay2Session
from .tcp_port import Door, TcpPort
from .txt import Identity, colons, told

OPEN_CODE = "3939"


class AirPlay2Receiver(VirtualReceiver):
    """Listen for senders of AirPlay 2 and follow their clock."""

    speaks_airplay_2 = True

    def __init__(
        self,
        name: str = "Virtual",
        *,
        password: str | None = None,
        gate: Gate | None = None,
        quirks: Quirks | None = None,
        receiver_id: str = "0A0B0C0D0E01",
        ptp: PtpPorts | None = None,
        txt: Mapping[str, str | None] | None = None,
        airplay: Mapping[str, str | None] | None = None,
        **details: Any,
    ) -> None:
        """Describe a receiver; the other details are those of VirtualReceiver.

        A sender proves the password when it pairs for a connection, or by digest with
        the quirk `setup_wants_digest`. A `gate` of kind "home_kit" asks for a code
        instead and remembers senders. `ptp` sets other ports than 319 and 320, which
        only root may listen on. Quirks of the clock are those of the beginning. `txt`
        and `airplay` are changes of the two records.
        """
        quirks = quirks or Quirks()
        code = OPEN_CODE if quirks.setup_wants_digest else password or OPEN_CODE
        gate = gate or Gate(
            "home_kit",
            code,
            name=colons(receiver_id).encode(),
            takes_transient=True,
            is_open=True,
        )
        super().__init__(
            name,
            password=password,
            quirks=quirks,
            receiver_id=receiver_id,
            gate=gate,
            **details,
        )
        self._gate = gate
        self._changes = dict(txt or {})
        self._airplay_changes = dict(airplay or {})
        self._lane: RealtimeStream | BufferedStream | None = None
        self._doors: list[TcpPort] = []
        self.events: EventChannel | None = None
        """The event channel of the newest session."""
        self._ptp_sockets = PtpSockets(
            bytes.fromhex(receiver_id[:6] + "fffe" + receiver_id[6:]),
            self.host,
            ptp or PtpPorts(),
            self.clock,
            quirks,
            lambda: self.is_unplugged,
        )

    # --- life ----------------------------------------------------------------

    @override
    async def start(self) -> AirPlay2Receiver:
        """Listen for senders and for their clock."""
        if self.quirks.takes_ptp:
            self._ptp_sockets.open()
        try:
            await super().start()
        except OSError:
            self._ptp_sockets.close()
            raise
        return self

    @override
    async def stop(self) -> None:
        """Close every connection and socket."""
        await super().stop()
        self._ptp_sockets.close()
        for tcp_port in self._doors:
            tcp_port.close()
            await tcp_port.wait_closed()
        self._doors.clear()

    # --- identity --------------------------------------------------------------

    @property
    def ptp(self) -> Follower:
        """Return the follower of the sender's clock, with its counters."""
        return self._ptp_sockets.follower

    @property
    def ptp_ports(self) -> tuple[int, int]:
        """Return the event and the general port on which it listens."""
        return self._ptp_sockets.ports

    @property
    def features(self) -> int:
        """Return the bits of the offered features."""
        return self._identity.features

    @property
    @override
    def txt(self) -> dict[str, str]:
        """Return the TXT record of `_raop._tcp`."""
        return self._identity.raop(super().txt, self._changes)

    @override
    def airplay_txt(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """Return the TXT record of `_airplay._tcp`; None removes a key."""
        return self._identity.airplay(changes)

    def told(self, named: Collection[str] = ()) -> Table:
        """Return the answer to GET /info, which may name records."""
        records = {"txtAirPlay": self.airplay_txt({}), "txtRAOP": self.txt}
        wanted = {name: told(records[name]) for name in records if name in named}
        if named and not self.quirks.info_has_txt_on_request:
            return {"txtAirPlay": told(self.airplay_txt({}))}
        return self._identity.info(self.name, self.volume_db) | wanted

    def command(self, value: str) -> None:
        """Ask the sender on the event channel to `play`, `paus`, `nitm` or `pitm`."""
        if self.events is None:
            raise RuntimeError("no session")
        self.events.tell("sendMediaRemoteCommand", value)

    # --- Host2: called by sessions ----------------------------------------------

    def open_session(self, session: AirPlay2Session) -> Table | None:
        """Open the event channel and begin to listen to the sender's clock."""
        if not self.claim(session):
            return None
        assert session.secret is not None
        assert session.setup is not None
        connection = self._connection(session)
        if self.events is not None:
            self.events.tcp_port.close()
        greeting = self.told() if self.quirks.sends_update_info else None
        self.events = EventChannel(
            connection.local,
            connection.peer,
            session.secret,
            greeting,
            self.violation,
            self._waiters.notify,
            self._event_door,
        )
        self._doors.append(self.events.tcp_port)
        answer: dict[str, object] = {
            "eventPort": self.events.tcp_port.port,
            "timingPort": 0,
        }
        if not session.setup.is_ptp and self.quirks.ntp_stream_setup_400:
            # reported: it accepts the session and not its stream
            answer["skipRecord"] = True
        if session.setup.is_ptp:
            # the name of the receiver's clock, which no sender reads
            identity = str(uuid.uuid5(uuid.NAMESPACE_OID, self.receiver_id)).upper()
            peer = {"Addresses": [connection.local[0]], "ID": identity}
            answer["timingPeerInfo"] = peer
        return answer

    def has_events(self, session: AirPlay2Session) -> bool:
        """Return whether the sender has connected to the event channel."""
        return session is self._owner and bool(self.events and self.events.connections)

    def open_lane(self, session: AirPlay2Session, setup: StreamSetup) -> Table:
        """Open a stream's ports; its clock is measured anew."""
        self._close_stream()
        assert session.setup is not None
        self._streams += 1
        if setup.kind == RealtimeStream.kind:
            return self._open_realtime(session, session.setup, setup)
        connection = self._connection(session)
        self._ptp_sockets.follow(connection.peer[0])
        lane = BufferedStream(
            self._streams,
            setup,
            connection.local,
            connection.peer,
            self._setting(connection),
            ptp_sockets=self._ptp_sockets,
        )
        self._doors.append(lane.tcp_port)
        self._stream = self._lane = lane
        return {
            "type": lane.kind,
            "dataPort": lane.tcp_port.port,
            "audioBufferSize": self.quirks.buffer_bytes,
        }

    def _open_realtime(
        self, session: AirPlay2Session, timing: SessionSetup, setup: StreamSetup
    ) -> Table:
        connection = self._connection(session)
        if timing.is_ptp:
            self._ptp_sockets.follow(connection.peer[0])
        lane = RealtimeStream(
            self._streams,
            setup,
            Ports(setup.control_port or 0, timing.timing_port or 0),
            connection.local,
            connection.peer,
            self._setting(connection),
            ptp_sockets=self._ptp_sockets if timing.is_ptp else None,
        )
        self._stream = self._lane = lane
        ports = lane.ports
        return {
            "type": lane.kind,
            "dataPort": ports.audio,
            "controlPort": ports.control,
            "streamID": 1,
        }

    def close_lane(self, session: AirPlay2Session) -> None:
        """End the stream but not the session."""
        if session is self._owner:
            self._close_stream()

    def set_anchor(self, session: AirPlay2Session, anchor: Anchor) -> bool:
        """Play or pause a buffered stream; False when it is too early."""
        lane = self._buffered_of(session)
        if lane is None:
            self.violation("SETRATEANCHORTIME without a buffered stream")
            return False
        return lane.set_anchor(anchor)

    def flush_buffered(self, session: AirPlay2Session, flush: Flush) -> None:
        """Drop a part of a buffered stream."""
        lane = self._buffered_of(session)
        if lane is None:
            self.violation("FLUSHBUFFERED without a buffered stream")
        else:
            lane.flush_buffered(flush)

    def sample_rate(self, session: AirPlay2Session) -> tuple[int, float] | None:
        """Return type and sample rate of the stream, for feedback."""
        if self._lane is None or session is not self._owner:
            return None
        return self._lane.kind, self._lane.sample_rate

    @override
    def teardown(self, session: Session) -> None:
        """End a session, its stream and its event channel."""
        if session is self._owner and self.events is not None:
            self.events.tcp_port.close()
            self._ptp_sockets.follow(None)
            self._lane = None
        super().teardown(session)

    # --- inside ------------------------------------------------------------------

    @property
    def _identity(self) -> Identity:
        has_password = self.password is not None
        return Identity(
            self.receiver_id,
            self._gate,
            self.quirks,
            has_password,
            self._airplay_changes,
        )

    @property
    def _event_door(self) -> Door:
        quirks = self.quirks
        opens_after_s = (
            None if quirks.closes_event_port else quirks.event_port_opens_after_s
        )
        return Door(opens_after_s, drops_syn=quirks.drops_event_syn)

    def _buffered_of(self, session: AirPlay2Session) -> BufferedStream | None:
        lane = self._lane if session is self._owner else None
        return lane if isinstance(lane, BufferedStream) else None

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = self._lane = None
        self._is_sounding = False

    @override
    def _new_session(self) -> Session:
        return AirPlay2Session(
            self,
            self.quirks,
            password=self.password,
            nonce=secrets.token_hex(16),
            audio_latency_frames=self.audio_latency_frames,
            volume_db=self.volume_db,
            song=self.song,
            visitor=self._gate.visit(self.quirks),
        )
