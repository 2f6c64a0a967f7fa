"""Where the corpus is made: each encoding once, by the ffmpeg program."""

from collections.abc import Mapping
from dataclasses import dataclass
import itertools
from pathlib import Path
import shutil
import subprocess

from .sound import as_f32, sound

FFMPEG = shutil.which("ffmpeg")
_PATIENCE_S = 60

CHANNELS = {
    "mono": 1,
    "stereo": 2,
    "2.1": 3,
    "3.0": 3,
    "3.0(back)": 3,
    "3.1": 4,
    "4.0": 4,
    "quad": 4,
    "quad(side)": 4,
    "4.1": 5,
    "5.0": 5,
    "5.0(side)": 5,
    "5.1": 6,
    "5.1(side)": 6,
    "6.0": 6,
    "6.0(front)": 6,
    "hexagonal": 6,
    "6.1": 7,
    "6.1(back)": 7,
    "6.1(front)": 7,
    "7.0": 7,
    "7.0(front)": 7,
    "7.1": 8,
    "7.1(wide)": 8,
    "octagonal": 8,
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """Sound as one codec in one container; `options` are those of ffmpeg's output."""

    codec: str
    muxer: str
    rate: int = 44100
    layout: str = "stereo"
    seconds: float = 1.5
    seed: int = 1
    options: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    has_cover: bool = False
    video: str = ""

    @property
    def channels(self) -> int:
        """The number of channels."""
        return CHANNELS[self.layout]

    @property
    def frames(self) -> int:
        """The length of the source, never a multiple of a codec's block."""
        return round(self.seconds * self.rate) + 77


class Workshop:
    """Makes encodings in a folder, and remembers them."""

    def __init__(self, folder: Path) -> None:
        """Work in a folder that exists."""
        self.folder = folder
        self._made: dict[Encoding, bytes] = {}
        self._pictures: dict[str, bytes] = {}
        self._numbers = itertools.count(1)

    def encode(self, wanted: Encoding) -> bytes:
        """Return a file of this encoding."""
        if wanted not in self._made:
            self._made[wanted] = self._encode(wanted)
        return self._made[wanted]

    def picture(self, codec: str = "mjpeg") -> bytes:
        """Return a small picture: of mjpeg, png, gif, or bmp."""
        if codec not in self._pictures:
            target = self._path()
            source = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=1:duration=1")
            run_ffmpeg(*source, "-c:v", codec, "-f", "image2pipe", str(target))
            self._pictures[codec] = target.read_bytes()
        return self._pictures[codec]

    def convert(
        self, files: Mapping[str, bytes], *arguments: str, out: str
    ) -> dict[str, bytes]:
        """Return the files that ffmpeg makes of others; `out` is its last argument."""
        folder = self._path()
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        run_ffmpeg(*arguments, out, folder=folder)
        made = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        new = {name: made[name] for name in made if name not in files}
        # A playlist comes before what it names.
        return dict(sorted(new.items(), key=lambda each: ".m3u8" not in each[0]))

    def folder_of(self, name: str) -> Path:
        """Return the folder of the files of a row."""
        return self.folder / "rows" / name.replace("/", "-")

    def place(self, name: str, files: Mapping[str, bytes]) -> Path:
        """Write the files of a row, and return the path of the first."""
        folder = self.folder_of(name)
        for each, content in files.items():
            path = folder / each
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / next(iter(files))

    def _encode(self, wanted: Encoding) -> bytes:
        source, target = self._path(), self._path()
        source.write_bytes(
            as_f32(sound(wanted.frames, wanted.channels, wanted.rate, wanted.seed))
        )
        order = "|".join(map(str, range(wanted.channels)))
        tags = [("-metadata", f"{key}={value}") for key, value in wanted.tags]
        run_ffmpeg(
            *("-f", "f32le", "-ar", str(wanted.rate), "-ac", str(wanted.channels)),
            *("-i", str(source)),
            *self._video(wanted),
            *("-map", "0:a", "-af", f"channelmap={order}:{wanted.layout}"),
            *("-c:a", wanted.codec, "-strict", "experimental"),
            *itertools.chain.from_iterable(tags),
            *wanted.options,
            *("-f", wanted.muxer, str(target)),
        )
        source.unlink()
        made = target.read_bytes()
        target.unlink()
        return made

    def _video(self, wanted: Encoding) -> list[str]:
        if wanted.has_cover:
            picture = self._path()
            picture.write_bytes(self.picture())
            return [
                *("-f", "mjpeg", "-i", str(picture), "-map", "1:v", "-c:v", "copy"),
                *("-disposition:v", "attached_pic"),
            ]
        if wanted.video:
            moving = f"testsrc=size=64x64:rate=10:duration={wanted.seconds}"
            shown = ("-map", "1:v", "-c:v", wanted.video, "-pix_fmt", "yuv420p")
            return ["-f", "lavfi", "-i", moving, *shown]
        return []

    def _path(self) -> Path:
        return self.folder / f"work{next(self._numbers)}"


def run_ffmpeg(*arguments: str, folder: Path | None = None) -> bytes:
    """Run ffmpeg, and return what it writes to its standard output.

    Raises RuntimeError: it fails.
    """
    assert FFMPEG
    done = subprocess.run(
        [FFMPEG, "-v", "error", "-nostdin", "-y", "-threads", "1", *arguments],
        capture_output=True,
        cwd=folder,
        timeout=_PATIENCE_S,
        check=False,
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"ffmpeg {' '.join(arguments)}: {words[-800:]}")
    return done.stdout
