"""The program that scales a picture of a stranger, in a process of its own.

A small file can hold much more than pixels: texts, tags that are all stored at the same
place, or thousands of scans, which take Pillow gigabytes or minutes. Here the kernel
ends that, and a decoder that a picture makes run wild is not in Home Assistant.

Standard input is the picture, standard output the JPEG for receivers. Without one, the
reason is on standard error. It is started by its path, and imports nothing of the
integration.
"""

from io import BytesIO
import os
import resource
import struct
import sys

from PIL import Image

# A picture of the most pixels takes a third, in the format that needs most.
MEMORY_BYTES = 256 << 20
# Several times what the most pixels take on a small machine.
CPU_S = 5
_EDGE = 600
_MAX_SENT_BYTES = 100_000
# A small file can contain many pixels, each of which needs several bytes of memory.
_MAX_PIXELS = 4_000_000
_KINDS = ("JPEG", "PNG", "WEBP", "GIF")
_QUALITIES = (90, 80, 65, 50, 35, 20, 10)
_ORIENTATION = 0x0112
# How to turn a picture upright, by the orientation in its EXIF data.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Pillow's plugins raise these for damaged files.
_DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    LookupError,
    TypeError,
    EOFError,
    ArithmeticError,
    struct.error,
    Image.DecompressionBombError,
)


class PictureError(Exception):
    """There is no picture to show; the text is the reason."""


def scale(content: bytes) -> bytes:
    """Return a picture as receivers accept it. Raises PictureError: there is none."""
    try:
        image = _small(content)
    except _DAMAGED as err:
        raise PictureError("it is damaged") from err
    # What the file says besides, such as a comment, would be written too.
    image.info.clear()
    for quality in _QUALITIES:
        written = BytesIO()
        image.save(written, "JPEG", quality=quality)
        if written.tell() < _MAX_SENT_BYTES:
            break
    return written.getvalue()


def limit() -> None:
    """Set the limits that hold for the rest of this process."""
    if sys.platform != "darwin":
        # On macOS every program reserves more from its start, so the kernel refuses.
        _lower(resource.RLIMIT_AS, MEMORY_BYTES)
    _lower(resource.RLIMIT_CPU, CPU_S)
    _lower(resource.RLIMIT_CORE, 0)
    # It writes to no file.
    _lower(resource.RLIMIT_FSIZE, 0)
    os.nice(5)


def main() -> int:
    """Scale the picture on standard input; return the exit code."""
    limit()
    try:
        sys.stdout.buffer.write(scale(sys.stdin.buffer.read()))
    except PictureError as err:
        sys.stderr.write(str(err))
        return 1
    except MemoryError:
        sys.stderr.write("it needs too much memory")
        return 1
    return 0


def _small(content: bytes) -> Image.Image:
    """Return a picture at its final size."""
    with Image.open(BytesIO(content), formats=_KINDS) as original:
        if original.width * original.height > _MAX_PIXELS:
            raise PictureError("it has too many pixels")
        turn = _TURNS.get(original.getexif().get(_ORIENTATION, 1))
        original.draft("RGB", (_EDGE, _EDGE))
        # A picture with a palette cannot be scaled smoothly.
        can_scale = original.mode in {"RGB", "RGBA", "L"}
        image = original if can_scale else original.convert("RGB")
        image.thumbnail((_EDGE, _EDGE))
        small = image.convert("RGB")
    return small if turn is None else small.transpose(turn)


def _lower(kind: int, most: int) -> None:
    """Set a limit, unless the system's own is lower, which cannot be raised."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    sys.exit(main())
