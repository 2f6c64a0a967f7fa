"""The RTSP side of a session of AirPlay 2, without any socket.

Requests of AirPlay 1 on a plain connection get answers of AirPlay 1.
"""

from collections.abc import Callable, Collection
from typing import Protocol, override

from tests.virtual_receiver.network.rtsp import Request, Response
from tests.virtual_receiver.pairing import Visitor
from tests.virtual_receiver.quirks import Quirks
from tests.virtual_receiver.raop.metadata import Song
from tests.virtual_receiver.raop.parameters import rtptime_of
from tests.virtual_receiver.raop.session import Host, Session, SessionState

from .bodies import (
    BUFFERED,
    CONTENT_TYPE,
    Anchor,
    BodyError,
    Flush,
    SessionSetup,
    StreamSetup,
    Table,
    build,
    parse_anchor,
    parse_flush,
    parse_peers,
    parse_session,
    parse_stream,
    parse_table,
)


class Host2(Host, Protocol):
    """The receiver around a session of AirPlay 2."""

    def told(self, named: Collection[str] = ()) -> Table:
        """Return the answer to GET /info, which may name records."""

    def open_session(self, session: AirPlay2Session) -> Table | None:
        """Open the event channel; None when another sender may not be ended."""

    def has_events(self, session: AirPlay2Session) -> bool:
        """Return whether the sender has connected to the event channel."""

    def open_lane(self, session: AirPlay2Session, setup: StreamSetup) -> Table:
        """Open a stream's ports and return them."""

    def close_lane(self, session: AirPlay2Session) -> None:
        """End the stream but not the session."""

    def set_anchor(self, session: AirPlay2Session, anchor: Anchor) -> bool:
        """Play or pause a buffered stream; False when it is too early."""

    def flush_buffered(self, session: AirPlay2Session, flush: Flush) -> None:
        """Drop a part of a buffered stream."""

    def sample_rate(self, session: AirPlay2Session) -> tuple[int, float] | None:
        """Return type and sample rate of the stream, for feedback."""


class AirPlay2Session(Session):
    """One connection's state machine for both generations."""

    def __init__(
        self,
        host: Host2,
        quirks: Quirks,
        *,
        password: str | None,
        nonce: str,
        audio_latency_frames: int,
        volume_db: float,
        song: Song,
        visitor: Visitor,
    ) -> None:
        """Accept a new connection."""
        super().__init__(
            host,
            quirks,
            password=password,
            nonce=nonce,
            audio_latency_frames=audio_latency_frames,
            volume_db=volume_db,
            song=song,
            visitor=visitor,
        )
        self._host2 = host
        self._has_metadata = self._was_recorded_first = False
        self.setup: SessionSetup | None = None
        self.stream: StreamSetup | None = None
        self.peers: tuple[str, ...] = ()
        """The addresses of SETPEERS."""
        self.commands: list[Table] = []
        """The bodies of POST /command."""
        self._methods |= {
            "SETPEERS": self._set_peers,
            "SETPEERSX": self._set_peers,
            "FLUSHBUFFERED": self._of_body(self._flush_buffered),
            "SETRATEANCHORTIME": self._of_body(self._set_anchor),
        }

    @property
    @override
    def is_silenced(self) -> bool:
        """Return whether it does not even ask for the time."""
        is_ntp = self.setup is not None and not self.setup.is_ptp
        if is_ntp and self._quirks.ntp_accepted_and_silent:
            return True
        return super().is_silenced

    @property
    @override
    def is_deaf(self) -> bool:
        """Return whether audio is thrown away, as these receivers do."""
        if self.setup is None:
            return super().is_deaf
        quirks = self._quirks
        if self.is_silenced:
            return True
        return (quirks.needs_record_first and not self._was_recorded_first) or (
            quirks.needs_metadata and not self._has_metadata
        )

    # --- permission -----------------------------------------------------------

    @override
    def _is_allowed(self, request: Request) -> bool:
        if self.secret is None:
            # requested before a pairing, which decides about AirPlay 2 alone
            return request.method in ("GET", "POST") or super()._is_allowed(request)
        wants_digest = self._quirks.setup_wants_digest and request.method == "SETUP"
        return not wants_digest or super()._is_allowed(request)

    @override
    def _is_classic(self, request: Request) -> bool:
        return self.setup is None and request.content_type != CONTENT_TYPE

    # --- requests -------------------------------------------------------------

    def _of_body(
        self, take: Callable[[Table], Response]
    ) -> Callable[[Request], Response]:
        """Read a request's property list before the request is handled."""

        def handle(request: Request) -> Response:
            if self.setup is None:
                self._host.violation(f"{request.method} before SETUP")
                return Response(455)
            try:
                return take(parse_table(request.body))
            except BodyError as err:
                self._host.violation(f"{request.method}: {err}")
                return Response(400)

        return handle

    @override
    def _setup(self, request: Request) -> Response:
        if request.content_type != CONTENT_TYPE:
            return super()._setup(request)
        if self.secret is None:
            self._host.violation("SETUP of AirPlay 2 without encryption")
            return Response(470)
        try:
            table = parse_table(request.body)
            if "streams" in table:
                return self._set_up_stream(parse_stream(table))
            return self._set_up_session(request, parse_session(table))
        except BodyError as err:
            self._host.violation(f"SETUP: {err}")
            return Response(400)

    def _set_up_session(self, request: Request, setup: SessionSetup) -> Response:
        if not setup.is_ptp and not self._quirks.takes_ntp:
            return Response()
        if setup.is_ptp and not self._quirks.takes_ptp:
            return Response(400)
        self.setup = setup
        self.dacp_id = request.headers.get("dacp-id")
        self.active_remote = request.headers.get("active-remote")
        told = self._host2.open_session(self)
        if told is None:
            self.setup = None
            return Response(453)
        self.state = SessionState.READY
        return _answer(told)

    def _set_up_stream(self, stream: StreamSetup) -> Response:
        if self.setup is None:
            self._host.violation("SETUP of a stream without a session")
            return Response(455)
        if self._quirks.needs_events_first and not self._host2.has_events(self):
            return Response(500)
        if self._quirks.ntp_stream_setup_400 and not self.setup.is_ptp:
            return Response(400)
        if stream.kind == BUFFERED:
            if not self._quirks.takes_buffered or not self.setup.is_ptp:
                return Response(400)
            if stream.has_latency:
                # a Sonos adds latencyMax as extra delay
                self._host.violation("a buffered stream with latencies")
        self.stream = stream
        self._was_recorded_first = self.state is SessionState.RECORDING
        return _answer({"streams": [self._host2.open_lane(self, stream)]})

    @override
    def _record(self, request: Request) -> Response:
        if self.setup is None:
            return super()._record(request)
        self.state = SessionState.RECORDING
        self._parameters.start()
        self._host.record(self, rtptime_of(request))
        return Response()

    @override
    def _flush(self, request: Request) -> Response:
        if self.setup is None:
            return super()._flush(request)
        if self.stream is None:
            self._host.violation("FLUSH without a stream")
            return Response(455)
        self._host.flush(self, rtptime_of(request))
        return Response()

    @override
    def _set_parameter(self, request: Request) -> Response:
        if self.setup is None:
            return super()._set_parameter(request)
        if request.content_type == "application/x-dmap-tagged":
            self._has_metadata = True
        return self._parameters.set(request)

    @override
    def _teardown(self, request: Request) -> Response:
        if self.setup is None:
            return super()._teardown(request)
        try:
            table = parse_table(request.body) if request.body else {}
        except BodyError as err:
            self._host.violation(f"TEARDOWN: {err}")
            return Response(400)
        self.stream = None
        if table.get("streams"):
            self._host2.close_lane(self)
            return Response()
        self.setup = None
        self.state = SessionState.CONNECTED
        self._parameters.is_recording = False
        self._host.teardown(self)
        return Response(headers={"Connection": "close"}, close=True)

    @override
    def _post(self, request: Request) -> Response:
        match request.uri:
            case "/feedback":
                return self._feedback()
            case "/command":
                try:
                    self.commands = [*self.commands[-99:], parse_table(request.body)]
                except BodyError as err:
                    self._host.violation(f"/command: {err}")
                    return Response(400)
                return Response()
            case "/audioMode":
                return Response()
        return super()._post(request)

    @override
    def _tell_info(self, request: Request) -> Response:
        try:
            table = parse_table(request.body) if request.body else {}
        except BodyError as err:
            self._host.violation(f"/info: {err}")
            return Response(400)
        listed = table.get("qualifier")
        named = [str(each) for each in listed] if isinstance(listed, list) else []
        query = request.uri.partition("?")[2]
        named += [word for word in query.split("&") if word]
        return _answer(self._host2.told(named))

    def _feedback(self) -> Response:
        told = self._host2.sample_rate(self)
        if told is None:
            return Response()
        kind, rate = told
        return _answer({"streams": [{"type": kind, "sr": rate}]})

    def _set_peers(self, request: Request) -> Response:
        try:
            self.peers = parse_peers(request.body)
        except BodyError as err:
            self._host.violation(f"{request.method}: {err}")
            return Response(400)
        return Response()

    def _set_anchor(self, table: Table) -> Response:
        anchor = parse_anchor(table)
        is_bare = anchor.is_running and anchor.rtptime is None
        if is_bare and self._quirks.refuses_bare_rate:
            return Response(400)
        accepted = self._host2.set_anchor(self, anchor)
        return Response(200 if accepted else 400)

    def _flush_buffered(self, table: Table) -> Response:
        self._host2.flush_buffered(self, parse_flush(table))
        return Response()


def _answer(table: Table) -> Response:
    return Response(headers={"Content-Type": CONTENT_TYPE}, body=build(table))
