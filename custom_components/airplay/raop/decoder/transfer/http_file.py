"""A file on the web: it can seek, and continues after a broken connection."""

import io

from ...errors import MediaError, MediaUnreachableError
from ..guard.reach import Reach
from ..job_scope import JobScope
from ..media_errors import (
    BrokenStreamError,
    UnplayableError,
    for_network,
    for_status,
    only_a_part,
)
from ..web import ShortError, WebResponse, get
from .liveness import End
from .parts import Part, claims_ranges, part_of, version_of

_PIECE_BYTES = 1 << 15
_HEAD_BYTES = 1 << 17
_TAIL_BYTES = 1 << 16
_SKIP_BYTES = 1 << 18
# How often a connection may be closed properly at the same byte until that is the end.
_MAX_CLOSED = 2
# A length that a transcoder guesses is wrong by less than a hundredth.
_GUESSED_BYTES = 1 << 12
_GUESSED_SHARE = 64
_BEYOND_END = 416


class HttpFile:
    """A file on the web, read at any position.

    Its length is what its server announces, which some servers guess. Where a connection
    is closed properly, and another one is at the same byte, the file ends.
    """

    def __init__(
        self,
        url: str,
        response: WebResponse,
        part: Part | None,
        scope: JobScope,
        reach: Reach,
    ) -> None:
        """Wrap the response to a request for this URL: a whole file, or its first part.

        `end` is how its transfer ended.
        """
        self.url = response.url
        self.beyond = response.beyond
        # The target of a redirect may have expired at a later request.
        self._asked_url = url
        self.content_type = response.headers.get("Content-Type", "")
        self.is_ranged = part is not None or claims_ranges(response)
        # Without ranges, a read far ahead costs all bytes before it.
        self.reads_far = False
        self.end = End.WHOLE
        self._version = version_of(response)
        self._length = (part.total or part.end) if part else (response.length or 0)
        # Whether there may be more, because a part does not say of how much it is one.
        self._is_open = part is not None and part.total is None
        self._is_ending = False
        self._scope = scope
        self._reach = reach
        self._response: WebResponse | None = response
        self._response_at = 0
        self._position = 0
        # The beginning and the end are kept: libav reads both, then seeks back.
        self._head = bytearray()
        self._tail = b""

    def peek(self, size: int) -> bytes:
        """Return the beginning without consuming it."""
        while (at := len(self._head)) < size and (at < self._length or self._is_open):
            self._position = at
            if not self._fetch(_PIECE_BYTES):
                break
        self._position = 0
        return bytes(self._head[:size])

    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end.

        Raises UnplayableError: the server does not deliver it.
        """
        at = self._position
        tail_at = self._length - len(self._tail)
        if at < len(self._head):
            piece = bytes(self._head[at : at + size])
        elif at >= self._length:
            piece = self._read_behind(size)
        elif at >= tail_at:
            piece = self._tail[at - tail_at : at - tail_at + size]
        elif self._is_far() and not (self.is_ranged or self.reads_far):
            # libav looks for tags at the end, and works without them.
            return b""
        else:
            piece = self._fetch(size)
        self._position = at + len(piece)
        return piece

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; nothing is requested before the next read."""
        base = {io.SEEK_CUR: self._position, io.SEEK_END: self._length}.get(whence, 0)
        self._position = max(0, base + offset)
        return self._position

    def expect_end(self, within_s: float) -> None:
        """Take silence of this length for the end from now on."""
        self._is_ending = True
        if self._response is not None:
            self._response.expect_end(within_s)

    def close(self) -> None:
        """Close the connection."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _read_behind(self, size: int) -> bytes:
        """Read what comes behind the end that is known so far."""
        if self._is_open:
            return self._fetch(size)
        is_next = self._position == self._response_at
        if self._response is None or self.is_ranged or not is_next:
            return b""
        try:
            piece = self._response.read(size)
        except OSError:
            self._scope.check()
            return b""
        self._response_at += len(piece)
        self._length = max(self._length, self._response_at)
        return piece

    def _is_far(self) -> bool:
        return self._position - self._response_at > _SKIP_BYTES

    def _is_far_tail(self) -> bool:
        is_tail = self._length - _TAIL_BYTES <= self._position < self._length
        return self.is_ranged and not self._is_open and is_tail and self._is_far()

    def _fetch(self, size: int) -> bytes:
        """Read at the position from the server; retry if the connection breaks."""
        pauses = iter((0.0, *self._scope.limits.pauses_s))
        closed = 0
        while True:
            try:
                return self._fetch_once(size)
            except BrokenStreamError:
                self.close()
                return self._ended(End.OTHER)
            except ShortError as err:
                closed += 1
                problem = self._broken(err)
                if self._is_guess() or self._is_silence(err) or closed > _MAX_CLOSED:
                    return self._ended(End.CLOSED)
            except (OSError, UnplayableError) as err:
                problem = self._broken(err)
                if isinstance(err, TimeoutError) and self._is_guess():
                    return self._ended(End.CLOSED)
            pause = next(pauses, None)
            if pause is None or problem.kind is not MediaUnreachableError:
                raise problem
            if not closed:
                self._scope.pause(pause)

    def _broken(self, err: OSError | UnplayableError) -> UnplayableError:
        """Close the connection that broke, and return why it did."""
        self.close()
        self._scope.check()
        return err if isinstance(err, UnplayableError) else for_network(err)

    def _ended(self, end: End) -> bytes:
        """End the file here, whatever its server has announced."""
        self.end = end
        self._length = self._position
        self._is_open = False
        self._tail = b""
        return b""

    def _is_guess(self) -> bool:
        """Whether so little is missing that the announced length was a guess."""
        missing = self._length - self._position
        return not self.is_ranged and missing <= (
            _GUESSED_BYTES + self._length // _GUESSED_SHARE
        )

    def _is_silence(self, err: ShortError) -> bool:
        """Whether it ends by silence where its end was expected."""
        return self._is_ending and isinstance(err.__cause__, TimeoutError)

    def _fetch_once(self, size: int) -> bytes:
        if self._is_far_tail() and (tail := self._fetch_tail()):
            return tail[:size]
        self._go_to_position()
        return self._next(size) if self._response is not None else b""

    def _fetch_tail(self) -> bytes:
        """Read the end on its own connection, so that the first one continues."""
        start = self._length - _TAIL_BYTES
        response = self._ask_range(start)
        if response is None:
            return b""
        tail = bytearray()
        try:
            while len(tail) < _TAIL_BYTES and (piece := response.read(_PIECE_BYTES)):
                tail += piece
        finally:
            response.close()
        if len(tail) < _TAIL_BYTES:
            raise ConnectionResetError
        self._tail = bytes(tail[:_TAIL_BYTES])
        return self._tail[self._position - start :]

    def _go_to_position(self) -> None:
        if (
            self._response is None
            or self._is_far()
            or self._position < self._response_at
        ):
            self.close()
            self._ask()
        while (ahead := self._position - self._response_at) > 0:
            self._next(min(ahead, _PIECE_BYTES))

    def _ask(self) -> None:
        """Request what follows the position, or all if the server knows no parts."""
        self._is_ending = False
        self._response_at = self._position
        if self._position:
            self._response = self._ask_range(self._position)
        is_over = self._position >= self._length and not self._is_open
        if self._response is None and not is_over:
            self._response_at = 0
            self._response = self._ask_whole()

    def _ask_range(self, start: int) -> WebResponse | None:
        """Request the file from a byte on; None if its server cannot do that."""
        if not self.is_ranged:
            return None
        asked = {"Range": f"bytes={start}-"}
        if self._version:
            asked["If-Range"] = self._version
        response = get(self._asked_url, asked, self._scope, self._reach)
        part = part_of(response)
        if part is not None and part.start == start:
            self._take(part, response)
            return response
        response.close()
        if not self._is_open:
            self.is_ranged = False
        elif response.status == _BEYOND_END and start >= self._length:
            self._is_open = False
        else:
            raise only_a_part()
        return None

    def _take(self, part: Part, response: WebResponse) -> None:
        """Compare a part with what is known of the whole, or learn from it."""
        if self._is_open:
            self._length = part.total or max(self._length, part.end)
            self._is_open = part.total is None
        elif part.total not in {None, self._length}:
            response.close()
            raise _changed()

    def _ask_whole(self) -> WebResponse:
        response = get(self._asked_url, {}, self._scope, self._reach)
        part = part_of(response)
        if response.status != 200 and (part is None or part.start):
            response.close()
            raise for_status(response.status)
        version = version_of(response)
        if version and self._version and version != self._version:
            response.close()
            raise _changed()
        response.may_exceed = True
        return response

    def _next(self, size: int) -> bytes:
        """Read from the response.

        Raises ShortError: it ends before the file does.
        Raises BrokenStreamError: these are other bytes than before: it is no file.
        """
        assert self._response is not None
        piece = self._response.read(size)
        if not piece:
            raise ShortError
        at, self._response_at = self._response_at, self._response_at + len(piece)
        if at == len(self._head) < _HEAD_BYTES:
            self._head += piece
        elif (known := self._head[at : at + len(piece)]) != piece[: len(known)]:
            raise BrokenStreamError
        return piece


def _changed() -> UnplayableError:
    return UnplayableError(MediaError, "it changed on its server while it played")
