"""Home Assistant's local media, whose IDs are paths within its media folders.

They look like addresses, but `#`, `?`, and `%` in them are those of the names of files.
"""

from dataclasses import dataclass
import mimetypes
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.util import raise_if_invalid_path

LOCAL_SOURCE = "media-source://media_source"


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """A file or folder: its path, and the media folder with its name in IDs."""

    path: str
    root: str
    folder: str

    @property
    def id_prefix(self) -> str:
        """Return what the IDs of all media in the same media folder begin with."""
        return f"{LOCAL_SOURCE}/{self.folder}/"

    @property
    def has_known_type(self) -> bool:
        """Whether its name has an extension that Home Assistant knows."""
        return mimetypes.guess_type(self.path)[0] is not None


def is_local_id(media_id: str) -> bool:
    """Whether an ID is one of local media, or of the list of their folders."""
    rest = media_id.removeprefix(LOCAL_SOURCE)
    return rest != media_id and rest[:1] in ("", "/")


def local_media(hass: HomeAssistant, media_id: str) -> LocalMedia | None:
    """Return what an ID of local media names; None if it is none, or not valid."""
    if not is_local_id(media_id):
        return None
    folder, _, location = media_id[len(LOCAL_SOURCE) + 1 :].partition("/")
    root = hass.config.media_dirs.get(folder)
    try:
        raise_if_invalid_path(location)
    except ValueError:
        return None
    if root is None or location.startswith("/"):
        return None
    return LocalMedia(str(Path(root, location)), str(Path(root)), folder)


def local_name(media_id: str) -> str | None:
    """Return the name of a local file or folder as the browser shows it."""
    if media_id.startswith("/") or is_local_id(media_id):
        return media_id.rstrip("/").rpartition("/")[2] or None
    return None
