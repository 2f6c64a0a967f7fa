"""SET_PARAMETER and GET_PARAMETER: volume, metadata, artwork and progress."""

import math
from typing import Protocol

from tests.virtual_receiver.network.rtsp import Request, Response, parse_parameters
from tests.virtual_receiver.quirks import Quirks

from .metadata import MetadataError, Song, parse_dmap, parse_progress

_MIN_DB = -30.0
_DB_PER_PERCENT = 0.3


class ParameterHost(Protocol):
    """The listener to the parameters that a sender sets."""

    def volume_changed(self, volume_db: float, *, is_recording: bool) -> None:
        """Set a volume in dB."""

    def song_changed(self, kind: str) -> None:
        """Note that text, artwork or progress came."""

    def violation(self, text: str) -> None:
        """Note something that the protocol does not allow."""


class Parameters:
    """The parameters that a sender has set in one session."""

    def __init__(
        self, host: ParameterHost, quirks: Quirks, volume_db: float, song: Song
    ) -> None:
        """Begin with the receiver's volume."""
        self._host = host
        self._quirks = quirks
        self._early_volume_db: float | None = None
        self._found_volume_db = volume_db
        self.volume_db = volume_db
        self.song = song
        self.is_recording = False

    def start(self) -> None:
        """RECORD: some receivers lose the volume that was set before."""
        self.is_recording = True
        if self._quirks.forgets_early_volume and self._early_volume_db is not None:
            self.volume_db = self._early_volume_db

    def sound(self) -> None:
        """Begin to play: some receivers lose the volume that was set before."""
        if self._quirks.forgets_silent_volume:
            self.volume_db = self._found_volume_db

    def get(self, request: Request) -> Response:
        if request.body.strip() != b"volume":
            return Response()
        reported_db = self._quirks.reported_volume_db
        volume_db = self.volume_db if reported_db is None else reported_db
        text = f"volume: {volume_db:.6f}\r\n"
        # measured: shairport-sync 5.1 puts the empty line first, 3.3.8 last
        text = f"\r\n{text}" if self._quirks.leading_crlf else f"{text}\r\n"
        return Response(body=text.encode())

    def set(self, request: Request) -> Response:
        if is_volume(request) and self._quirks.volume_status != 200:
            return Response(self._quirks.volume_status)
        try:
            return self._take_parameter(request)
        except (MetadataError, ValueError) as err:
            self._host.violation(f"SET_PARAMETER: {err}")
            return Response(400)

    def _take_parameter(self, request: Request) -> Response:
        content_type = request.content_type
        if content_type == "text/parameters":
            for line in request.body.decode().split("\r\n"):
                self._take_line(line)
        elif content_type == "application/x-dmap-tagged":
            self.song.text = parse_dmap(request.body)
            self.song.text_rtptime = self._song_rtptime(request)
            self._host.song_changed("text")
        elif content_type.startswith("image/"):
            self.song.artwork, self.song.artwork_type = request.body, content_type
            self.song.artwork_rtptime = self._song_rtptime(request)
            self._host.song_changed("artwork")
        else:
            self._host.violation(f"SET_PARAMETER with {content_type!r}")
        return Response()

    def _take_line(self, line: str) -> None:
        name, _, value = line.partition(": ")
        if name == "volume":
            self._set_volume(float(value))
        elif name == "progress":
            self.song.progress = parse_progress(value)
            self._host.song_changed("progress")
        elif line:
            self._host.violation(f"parameter {line!r}")

    def _set_volume(self, volume_db: float) -> None:
        if not (-30.0 <= volume_db <= 0.0 or volume_db == -144.0):
            self._host.violation(f"volume {volume_db}")
        if not self._quirks.ignores_volume:
            if not self.is_recording and self._early_volume_db is None:
                self._early_volume_db = self.volume_db
            self.volume_db = self._on_step(volume_db)
        self._host.volume_changed(volume_db, is_recording=self.is_recording)

    def _on_step(self, volume_db: float) -> float:
        """Round a volume down to the steps that the receiver knows."""
        step_db = self._quirks.volume_steps * _DB_PER_PERCENT
        if not step_db or volume_db < _MIN_DB:
            return volume_db
        # the levels of whole steps come with the errors of their decimals
        steps = math.floor((volume_db - _MIN_DB) / step_db + 1e-6)
        return _MIN_DB + steps * step_db

    def _song_rtptime(self, request: Request) -> int | None:
        """Return the RTP-Info of metadata; Sonos answers 400 without one."""
        rtptime = rtptime_of(request)
        if rtptime is None:
            self._host.violation("metadata without RTP-Info")
        return rtptime


def is_volume(request: Request) -> bool:
    """Return whether a request sets the volume."""
    is_text = request.content_type == "text/parameters"
    return (
        request.method == "SET_PARAMETER"
        and is_text
        and (request.body.startswith(b"volume:"))
    )


def rtptime_of(request: Request) -> int | None:
    """Return the rtptime in RTP-Info."""
    text = parse_parameters(request.headers.get("rtp-info", ""), ";").get("rtptime")
    return int(text) if text is not None and text.isdigit() else None
