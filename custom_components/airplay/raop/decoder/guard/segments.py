"""The pieces of a segmented stream (HLS, RFC 8216), opened for libav.

libav reads the playlists and asks for each address that they name; nothing is opened in
any other way. So the same rules hold for a segment as for all that comes from outside.
"""

from base64 import b64decode
import binascii
from collections.abc import Mapping
from contextlib import ExitStack, closing
import io
from pathlib import Path
import re
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote, urljoin

from ..job_scope import JobScope
from ..media_errors import (
    BrokenStreamError,
    UnplayableError,
    for_network,
    for_status,
    leads_outside,
    not_audio,
    unreachable,
)
from ..web import WebResponse, get
from .local_file import LocalFile, allowed
from .metered import MediaBytes
from .reach import Reach

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext

_BLOCK_BYTES = 16
_PIECE_BYTES = 1 << 15
_MAX_PLAYLIST_BYTES = 8 << 20
_MAX_FAILURES = 3
_PLAYLIST = b"#EXTM3U"
_MARK = b"\xef\xbb\xbf"
# Enough for the mark and a few blank lines, which libav does not expect.
_LOOK_BYTES = 64
_END = re.compile(rb"(?m)^#EXT-X-ENDLIST\b")
_CRYPTO = re.compile(r"crypto[+:]")
_URI = re.compile(r'(?<=URI=")[^"\r\n]*+(?=")')
_OFFSET = re.compile(r"[0-9]{1,18}")


class SegmentOpener:
    """Opens what libav asks for; a segment that is missing is skipped as an empty one."""

    # Connections are not libav's own, so it cannot keep them.
    OPTIONS: ClassVar[dict[str, str]] = {
        "protocol_whitelist": "file,http,https,tls,tcp,crypto,data",
        "http_persistent": "0",
        "http_multiple": "0",
        # What a segment is called says nothing, and nothing else is opened by its name.
        "allowed_extensions": "ALL",
        "allowed_segment_extensions": "ALL",
        "extension_picky": "0",
    }

    def __init__(self, url: str, scope: JobScope, reach: Reach) -> None:
        """Open the playlist at this URL, and what is within reach from there.

        Only a local playlist leads to files. `problem` is the last with an address.
        `has_end` tells whether a playlist lists all of its segments (§4.3.3.4).
        """
        self.url = url
        self.has_end = False
        self.problem: UnplayableError | None = None
        self._scope = scope
        self._reach = reach
        self._is_local = url.startswith("file:")
        self._has_started = False
        self._is_over = False
        self._failures = 0
        self._playlists: set[str] = set()

    def start(self) -> None:
        """Report from now on that the stream broke off: it is open."""
        self._has_started = True
        self._failures = 0

    def __call__(self, url: str, _flags: int, options: Mapping[str, str]) -> MediaBytes:
        """Open an address.

        Raises UnplayableError: content must not lead there.
        Raises BrokenStreamError: a playlist, or several segments in a row, are gone.
        Raises DeadlineError: see `JobScope.check`.
        """
        if self._is_over:
            # libav may go on for a while before it returns with the error.
            return io.BytesIO()
        try:
            self._scope.check()
            return self._open_or_skip(url, options)
        except Exception:
            self._is_over = True
            raise

    def _open_or_skip(self, url: str, options: Mapping[str, str]) -> MediaBytes:
        plain = _CRYPTO.sub("", url, count=1) if _CRYPTO.match(url) else url
        try:
            if plain == url:
                return self._open(url, options)
            cipher = _decryptor(options)
            return _Decrypted(self._open(plain, options), cipher)
        except UnplayableError as err:
            self._fail(err, plain)
            return io.BytesIO()

    def next_piece(self, response: WebResponse, size: int) -> bytes:
        """Return the next bytes of a segment, nothing where it ends or breaks off."""
        if self._is_over:
            return b""
        try:
            piece = response.read(size)
        except OSError as err:
            self._is_over = True
            self._scope.check()
            self._fail(for_network(err), "")
            self._is_over = False
            return b""
        if not piece:
            self._failures = 0
        return piece

    def _open(self, url: str, options: Mapping[str, str]) -> MediaBytes:
        scheme, colon, rest = url.partition(":")
        match scheme.lower() if colon else "":
            case "http" | "https":
                return self._open_web(url, options)
            case "data":
                return io.BytesIO(_data(rest))
            case "file" if self._is_local:
                # libav's addresses of files are not escaped.
                return self._open_file(rest)
            case "file":
                raise leads_outside()
        raise not_audio("its segments are at addresses of an unsupported kind")

    def _open_file(self, path: str) -> MediaBytes:
        found = Path(path.removeprefix("//"))
        if self.url != f"file:{path}":
            found = allowed(found, self._scope.bounds.folders)
        file = LocalFile(found)
        if not _is_playlist(file.peek(_LOOK_BYTES)):
            return file
        with closing(file):
            return self._listed(_from_its_head(file.peek(_MAX_PLAYLIST_BYTES)))

    def _open_web(self, url: str, options: Mapping[str, str]) -> MediaBytes:
        wanted = _range(options)
        response = get(
            url, {"Range": wanted} if wanted else {}, self._scope, self._reach
        )
        with ExitStack() as undo:
            undo.callback(response.close)
            if response.status not in {200, 206}:
                raise for_status(response.status)
            segment = _Segment(response, self)
            if wanted and response.status == 200:
                segment.skip(int(options["offset"]))
            head = segment.peek(_LOOK_BYTES)
            if not _is_playlist(head):
                undo.pop_all()
                return segment
            playlist = _from_its_head(segment.all())
        self._playlists.add(url)
        self._reach = self._reach.narrowed(response.beyond)
        return self._listed(_absolute(playlist, response.url, url))

    def _listed(self, playlist: bytes) -> io.BytesIO:
        self.has_end |= _END.search(playlist) is not None
        return io.BytesIO(playlist)

    def _fail(self, problem: UnplayableError, url: str) -> None:
        self.problem = problem
        if problem.is_refusal:
            raise problem
        self._failures += 1
        is_over = url in self._playlists or self._failures >= _MAX_FAILURES
        if self._has_started and is_over:
            raise BrokenStreamError from problem


def _is_playlist(head: bytes) -> bool:
    return _from_its_head(head).startswith(_PLAYLIST)


def _from_its_head(playlist: bytes) -> bytes:
    return playlist.removeprefix(_MARK).lstrip()


class _Segment:
    """The body of an answer, which ends where it breaks off."""

    def __init__(self, response: WebResponse, opener: SegmentOpener) -> None:
        self._response = response
        self._opener = opener
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (piece := self._next(_PIECE_BYTES)):
            self._ahead += piece
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            return piece
        return self._next(size)

    def skip(self, size: int) -> None:
        while size > 0 and (piece := self.read(min(size, _PIECE_BYTES))):
            size -= len(piece)

    def all(self) -> bytes:
        content = bytearray()
        while piece := self.read(_PIECE_BYTES):
            content += piece
            if len(content) > _MAX_PLAYLIST_BYTES:
                raise not_audio("its playlist is too long")
        return bytes(content)

    def close(self) -> None:
        self._response.close()

    def _next(self, size: int) -> bytes:
        return self._opener.next_piece(self._response, size)


class _Decrypted:
    """A segment decrypted with AES-128 in CBC mode and PKCS #7 padding (§4.3.2.4)."""

    def __init__(self, segment: MediaBytes, cipher: CipherContext) -> None:
        self._cipher = cipher
        self._segment = segment
        self._encrypted = b""
        self._plain = b""
        self._is_over = False

    def read(self, size: int) -> bytes:
        while not self._plain and not self._is_over:
            self._decrypt()
        piece, self._plain = self._plain[:size], self._plain[size:]
        return piece

    def close(self) -> None:
        if close := getattr(self._segment, "close", None):
            close()

    def _decrypt(self) -> None:
        piece = self._segment.read(_PIECE_BYTES)
        self._encrypted += piece
        self._is_over = not piece
        # The last block ends with the padding, and is known only at the end.
        whole = len(self._encrypted) - len(self._encrypted) % _BLOCK_BYTES
        if not self._is_over and whole == len(self._encrypted):
            whole = max(0, whole - _BLOCK_BYTES)
        plain = self._cipher.update(self._encrypted[:whole])
        self._encrypted = self._encrypted[whole:]
        if self._is_over and plain and plain[-1] <= _BLOCK_BYTES:
            plain = plain[: -plain[-1]] if plain[-1] else plain
        self._plain = plain


def _decryptor(options: Mapping[str, str]) -> CipherContext:
    # Few streams are encrypted, and every decoder would pay for it in memory.
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    try:
        key, start = (bytes.fromhex(options.get(each, "")) for each in ("key", "iv"))
        return Cipher(AES(key), CBC(start)).decryptor()
    except ValueError as err:
        raise not_audio("the key of its segments is not valid") from err


def _range(options: Mapping[str, str]) -> str:
    """Return the range of bytes that libav wants, "" for all."""
    start, end = options.get("offset", ""), options.get("end_offset", "")
    if not _OFFSET.fullmatch(start):
        return ""
    last = int(end) - 1 if _OFFSET.fullmatch(end) and int(end) > int(start) else ""
    return f"bytes={start}-{last}" if int(start) or last != "" else ""


def _data(rest: str) -> bytes:
    """Return the content of a data address, where keys are sometimes kept."""
    kind, _, content = rest.partition(",")
    if not kind.lower().endswith(";base64"):
        return unquote(content).encode("latin-1", "replace")
    try:
        return b64decode(unquote(content))
    except binascii.Error as err:
        raise not_audio("a data address in its playlist is not valid") from err


def _absolute(playlist: bytes, url: str, asked: str) -> bytes:
    """Return a playlist whose addresses no longer depend on its own.

    libav joins them with the address that it asked for, not with that of a redirect.
    """
    if url == asked:
        return playlist
    lines = playlist.decode("utf-8", "surrogateescape").split("\n")
    try:
        absolute = [
            _URI.sub(lambda match: urljoin(url, match[0]), line)
            if line.startswith("#") or not line.strip()
            else urljoin(url, line.strip())
            for line in lines
        ]
    except ValueError as err:
        raise unreachable("an address in its playlist is not valid") from err
    return "\n".join(absolute).encode("utf-8", "surrogateescape")
