"""Where other media begins in the bytes of a stream.

Streams are joined as bytes: the songs of an Ogg radio, files written one behind the
other, a station that changes its codec. libav looks at the beginning only; what is of
another kind behind it becomes noise, errors, or nothing. This finds such joints while the
bytes are read in order, and looks at each of them a bounded number of times.
"""

import re

from .units import MORE, NONE, Framing, are_alike, is_first_page, serial_of, unit_bytes

# A stream of frames may begin within one, so its first is looked for only so far.
_MAX_LEAD_BYTES = 1 << 16
# So many in a row are no accident in other bytes.
_FRAMES_IN_A_ROW = 3
_ID3 = b"ID3"
_ID3_HEADER_BYTES = 10
_FLAC_MARK = rb"fLaC[\0\x80]\0\0\x22"
_LONGEST_MARK = 8
# Within FLAC, whose frames cannot be walked through, only itself is looked for.
_IN_FLAC = re.compile(_FLAC_MARK)
# A page of Ogg, the stream information of FLAC, a frame of MPEG or ADTS.
_ANYWHERE = re.compile(rb"OggS\0|" + _FLAC_MARK + rb"|\xff[\xe2-\xff]")


class JointFinder:
    """Follows the units of a stream to the first byte of other media.

    `joint` is where that begins, counted from the first byte that was fed. `framing` is
    None as long as it is not known, `serials` are those that a stream of Ogg begins with.
    `has_others` tells whether pages of other streams were seen.
    """

    def __init__(
        self, framing: Framing | None = None, serials: frozenset[bytes] = frozenset()
    ) -> None:
        """Begin with media, or anywhere within a stream that is known already."""
        self.joint: int | None = None
        self.framing = framing
        self.serials = serials
        self.has_others = False
        is_within = framing is not None
        self._is_behind_tags = self._is_behind_first_pages = is_within
        self._is_lost = True
        self._is_idle = False
        self._window = b""
        self._window_at = 0
        # The next unit, or how far one was looked for.
        self._at = 0
        self._search_at = 0

    def feed(self, octets: bytes) -> int:
        """Take the next bytes; return up to where all belong to the media so far."""
        if self._is_idle or self.joint is not None:
            self._window_at += len(octets)
            return self._cleared()
        self._window += octets
        while self._step():
            pass
        passed = min(self._at - self._window_at, len(self._window))
        self._window = self._window[passed:]
        self._window_at += passed
        return self._cleared()

    def _cleared(self) -> int:
        if self.joint is not None:
            return self.joint
        end = self._window_at + len(self._window)
        return end if self.framing is None else min(self._at, end)

    def _step(self) -> bool:
        """Pass one unit; return False if there is none, or more bytes are needed."""
        at = self._at - self._window_at
        if at >= len(self._window):
            return False
        if not self._is_behind_tags and (tag_bytes := self._tag_bytes(at)) != NONE:
            self._at += max(tag_bytes, 0)
            return tag_bytes != MORE
        if self._is_lost or self.framing is None:
            return self._search(at)
        size = unit_bytes(self.framing, self._window, at)
        if size == MORE:
            return False
        self._is_lost = size == NONE
        if self.framing is Framing.OGG and size > 0 and self._is_other(at):
            self.joint = self._at
            return False
        self._at += size
        return True

    def _tag_bytes(self, at: int) -> int:
        """Return the length of a tag (ID3) that comes before everything else."""
        header = self._window[at : at + _ID3_HEADER_BYTES]
        if not header.startswith(_ID3[: len(header)]):
            self._is_behind_tags = True
            self._search_at = self._at
            return NONE
        if len(header) < _ID3_HEADER_BYTES:
            return MORE
        size = 0
        for octet in header[6:]:
            size = size << 7 | octet & 0x7F
        return _ID3_HEADER_BYTES + size

    def _is_other(self, at: int) -> bool:
        """Whether a page of Ogg begins other streams than those before it."""
        serial = serial_of(self._window, at)
        if is_first_page(self._window, at):
            self.serials |= {serial}
            return self._is_behind_first_pages
        self._is_behind_first_pages = True
        self.has_others |= serial not in self.serials
        return False

    def _search(self, at: int) -> bool:
        """Look for the next unit of any kind from a position on."""
        marks = _IN_FLAC if self.framing is Framing.FLAC else _ANYWHERE
        for mark in marks.finditer(self._window, at):
            framing = _framing_of(mark[0])
            found = self._look(framing, mark.start())
            if found != NONE:
                self._at = self._window_at + mark.start()
                return found != MORE and self._take(framing)
        rest = max(at, len(self._window) - _LONGEST_MARK + 1)
        self._at = self._window_at + rest
        if self.framing is None and self._at - self._search_at > _MAX_LEAD_BYTES:
            self._is_idle = True
        return False

    def _look(self, framing: Framing, at: int) -> int:
        """Return whether there are enough units to be sure; MORE bytes decide, or NONE."""
        if framing is Framing.FLAC:
            return _LONGEST_MARK
        size = first = unit_bytes(framing, self._window, at)
        if framing is Framing.OGG:
            is_known = first > 0 and self.framing not in {None, Framing.OGG}
            return NONE if is_known and not is_first_page(self._window, at) else first
        after = at
        for _ in range(_FRAMES_IN_A_ROW - 1):
            if size <= 0:
                break
            after += size
            if after >= len(self._window):
                return MORE
            size = unit_bytes(framing, self._window, after)
            if size > 0 and not are_alike(framing, self._window, at, after):
                return NONE
        return size

    def _take(self, framing: Framing) -> bool:
        """Follow the units from here on, unless they are those of other media."""
        is_first = self.framing is None
        if framing is Framing.FLAC and is_first:
            # Only the next beginning of such media is looked for.
            self._at += _LONGEST_MARK
        elif framing is Framing.FLAC or not (is_first or framing is self.framing):
            self.joint = self._at
            return False
        else:
            self._is_lost = False
        self.framing = framing
        return True


def _framing_of(mark: bytes) -> Framing:
    if mark.startswith(b"OggS"):
        return Framing.OGG
    if mark.startswith(b"fLaC"):
        return Framing.FLAC
    return Framing.MPEG if mark[1] & 0x06 else Framing.ADTS
