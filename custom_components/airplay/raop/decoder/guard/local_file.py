"""Local files: which may be opened, and their bytes for libav."""

from collections.abc import Iterable
import io
from pathlib import Path
import stat

from ..media_errors import forbidden, leads_outside, not_found


class LocalFile:
    """A regular file; libav gets its bytes and never its path as an address."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises UnplayableError: there is none, it is not a file, or may not be read.
        """
        # libav knows some formats by the ending of the name only.
        self.name = str(path)
        try:
            # A pipe would wait for its writer, a device may do anything.
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise not_found("it is a folder")
            if not stat.S_ISREG(mode):
                raise not_found("it is not a file")
            self._file = path.open("rb")
        except PermissionError as err:
            raise forbidden("the file may not be read") from err
        except (OSError, ValueError) as err:
            raise not_found("there is no such file") from err

    def peek(self, size: int) -> bytes:
        """Return the beginning; the next read begins there.

        Raises OSError: it cannot be read.
        """
        self._file.seek(0)
        head = self._file.read(size)
        self._file.seek(0)
        return head

    def read(self, size: int) -> bytes:
        """Return the next bytes, or nothing at the end."""
        return self._file.read(size)

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        return self._file.seek(offset, whence)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def allowed(path: Path, folders: Iterable[str] | None) -> Path:
    """Return the real path of a file that content names.

    Raises UnplayableError: its links lead outside the allowed folders.
    """
    try:
        real = path.resolve()
        homes = None if folders is None else [Path(each).resolve() for each in folders]
    except (OSError, RuntimeError, ValueError) as err:
        raise not_found("there is no such file") from err
    if homes is not None and not any(real.is_relative_to(home) for home in homes):
        raise leads_outside()
    return real
