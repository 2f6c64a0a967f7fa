"""A network of real receivers on this machine, as scripts/receivers brings it up."""

import base64
from collections.abc import Iterable, Iterator, Sequence
import contextlib
from contextlib import contextmanager
from dataclasses import dataclass
import itertools
import os
from pathlib import Path
import re
import subprocess
import sys
from typing import Any, Self

ROOT = Path(__file__).parents[2]
_SCRIPT = ROOT / "scripts" / "receivers"
_WAKEUPS = ROOT / "tests" / "real" / "lab" / "wakeups.py"
_POOR_LINK = ROOT / "tests" / "real" / "lab" / "poor_link.py"
# Below that of the sender's pacing thread.
_PRIORITY = 3
# A thread that finds out how fast this machine is, and has a processor for 1.4 s.
_COMPUTING = "soxr_checker"
_PLACES = 8
# A volume in shairport-sync's metadata, as base64: that of AirPlay comes first.
_VOLUME_REPORT = re.compile(
    rb"<code>70766f6c</code>.*?>\s*([\w+/=]+)\s*</data>", re.DOTALL
)
SUBNET = "10.77.0"
WAKEUPS_PER_S = 500


class LabError(Exception):
    """The lab is not there, or a receiver in it did not start."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The counters of shairport-sync since the start of play; it reports every 8 s."""

    missing: int
    late: int
    too_late: int
    resend_requests: int


class Lab:
    """A network with a sender's side and places for receivers."""

    def __init__(self) -> None:
        """Name the network after this process, so that several can be up at once."""
        self.name = f"lab{os.getpid()}"
        # In a cycle, and one for each of several threads.
        self._places = itertools.cycle(range(1, _PLACES + 1))
        self.run_folder = Path(self.command("root")) / "run" / self.name

    def up(self) -> None:
        """Bring the network up; networks that a dead process left behind go."""
        names = subprocess.check_output(["ip", "netns", "list"], text=True)
        for pid in set(re.findall(r"^lab(\d+)-", names, re.MULTILINE)):
            if not Path(f"/proc/{pid}").exists():
                self.command("down", name=f"lab{pid}")
        self.command("up", str(_PLACES))

    def down(self) -> None:
        """End the network and all that runs in it."""
        self.command("down")

    def start(self, mode: str, options: dict[str, object]) -> Shairport:
        """Start a receiver at the next place, which may be one of a test before."""
        receiver = Shairport(self, next(self._places), mode, options)
        receiver.start()
        return receiver

    def in_sender_namespace(self, argv: Sequence[str | Path]) -> list[str]:
        """Return the command that runs another one on the sender's side."""
        return ["ip", "netns", "exec", f"{self.name}-tx", *map(str, argv)]

    def run_in_sender_namespace(
        self, argv: Sequence[str | Path], **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the sender's side and return its output."""
        command = self.in_sender_namespace(argv)
        options = {"capture_output": True, "check": False} | options
        return subprocess.run(command, text=True, **options)  # noqa: PLW1510

    def popen_in_sender_namespace(
        self, argv: Sequence[str | Path], **options: Any
    ) -> subprocess.Popen[str]:
        """Start a command on the sender's side."""
        command = self.in_sender_namespace(argv)
        return subprocess.Popen(command, text=True, **options)

    @contextmanager
    def awake(self, receivers: Iterable[Shairport]) -> Iterator[None]:
        """Wake receivers at odd moments, so that they release blocks when due."""
        # A receiver of other packets, or with another key, is not woken by these.
        by_mode: dict[bool, list[Shairport]] = {}
        for receiver in receivers:
            by_mode.setdefault(receiver.is_modern, []).append(receiver)
        with contextlib.ExitStack() as stack:
            for group in by_mode.values():
                stack.enter_context(_waking(f"{self.name}-tx", group))
            yield

    @contextmanager
    def sender_namespace(self) -> Iterator[None]:
        """Move this thread, and the processes that it starts, to the sender's side."""
        with (
            Path("/proc/thread-self/ns/net").open("rb") as home,
            Path(f"/run/netns/{self.name}-tx").open("rb") as away,
        ):
            os.setns(away.fileno(), os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(home.fileno(), os.CLONE_NEWNET)

    def command(self, *arguments: str, name: str | None = None) -> str:
        """Run a command of scripts/receivers in this network."""
        done = subprocess.run(
            [str(_SCRIPT), *arguments],
            env=os.environ | {"AIRPLAY_LAB_NAME": name or self.name},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LabError(done.stderr.strip())
        return done.stdout.strip()


class Shairport:
    """One receiver: shairport-sync, or `shairplay` or `nodetunes`.

    `ap1` and `ap2` are shairport-sync 5.x, `ap1mid` is 4.3.7, `ap1old` is 3.3.8. Only
    shairport-sync has metadata, a remote control and statistics.
    """

    def __init__(
        self, lab: Lab, place: int, mode: str, options: dict[str, object]
    ) -> None:
        """Describe a receiver at a place of the network; `start` starts it."""
        self.host = f"{SUBNET}.{10 + place}"
        self.port = int(str(options.get("port", 7000 if mode == "ap2" else 5000)))
        self.name = str(options.get("name", f"Lab {place}"))
        self._lab = lab
        self._place = str(place)
        self._mode = mode
        self._options = options
        self._output = lab.run_folder / f"rx{place}"

    @property
    def is_modern(self) -> bool:
        """Return whether it accepts AirPlay 2."""
        return self._mode == "ap2"

    @property
    def address(self) -> str:
        """HOST:PORT, as the command line accepts it."""
        return f"{self.host}:{self.port}"

    @property
    def pcm_path(self) -> Path:
        """Its output: raw 16 bit stereo at 44.1 kHz."""
        return self._output.with_suffix(".pcm")

    @property
    def index_path(self) -> Path:
        """When it plays; see lab/pcm_recorder.py."""
        return self._output.with_suffix(".idx")

    @property
    def log_path(self) -> Path:
        """Its log."""
        return self._output.with_suffix(".log")

    @property
    def metadata_path(self) -> Path:
        """Titles, volume and pictures in shairport-sync's own format."""
        return self._output.with_suffix(".metadata")

    @property
    def clock_path(self) -> Path:
        """The sender's clock as known to its nqptp: shared memory."""
        namespace = f"{self._lab.name}-rx{self._place}"
        found = subprocess.run(
            ["ip", "netns", "pids", namespace],
            capture_output=True,
            text=True,
            check=True,
        )
        processes = (Path("/proc") / number for number in found.stdout.split())
        (nqptp,) = (each for each in processes if _name_of(each) == "nqptp")
        return nqptp / "root" / "dev" / "shm" / "nqptp"

    def start(self) -> Self:
        """Start it; an earlier recording is deleted."""
        options = [f"{key}={value}" for key, value in self._options.items()]
        self._lab.command("start", self._place, self._mode, *options)
        self.prefer()
        return self

    def kill(self) -> None:
        """End it at once, without a word to the sender or to mDNS."""
        self._lab.command("stop", self._place)

    def restart(self, **options: object) -> None:
        """Kill it and start it again, with an empty recording and other options."""
        self.kill()
        self._options = self._options | options
        self.start()

    def set_loss(self, percent: float) -> None:
        """Lose that share of the audio packets at random."""
        self._lab.command("loss", self._place, str(percent))

    def cut_off(self) -> None:
        """Let nothing in or out."""
        self._lab.command("blackout", self._place, "on")

    def plug_in(self) -> None:
        """Let everything through again."""
        self._lab.command("blackout", self._place, "off")

    def prefer(self) -> None:
        """Give it priority over all else here, as if it were a separate machine."""
        namespace = f"{self._lab.name}-rx{self._place}"
        pids = subprocess.check_output(["ip", "netns", "pids", namespace], text=True)
        for pid in pids.split():
            for task in Path(f"/proc/{pid}/task").glob("*"):
                if _name_of(task) != _COMPUTING:
                    _prefer(int(task.name))

    @contextmanager
    def poor_link(
        self, *, late_ms: float, rarity: float, loss_percent: float
    ) -> Iterator[None]:
        """Let packets be late and get lost, as lab/poor_link.py explains."""
        names = [f"{self._lab.name}-sw", "br0", f"{self._lab.name}-rx{self._place}"]
        numbers = [str(late_ms), str(rarity), str(loss_percent)]
        link = subprocess.Popen(
            [sys.executable, str(_POOR_LINK), *names, *numbers],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert link.stdout is not None
        try:
            if not link.stdout.readline():
                raise LabError("there is no poor link")
            _prefer(link.pid)
            yield
        finally:
            link.kill()
            link.communicate()
            self._lab.command("replug", self._place)

    @contextmanager
    def awake_behind_link(self) -> Iterator[None]:
        """Wake it as `Lab.awake` does, but from its own side of a poor link."""
        with _waking(f"{self._lab.name}-rx{self._place}", [self]):
            yield

    def press(self, method: str, *arguments: str) -> None:
        """Use its remote control: RemoteControl.Play, AdvancedRemoteControl.SetVolume."""
        self._on_bus("org.gnome.ShairportSync", method, *arguments)

    def press_mpris(self, method: str) -> None:
        """Use its remote control by the interface of desktop programs."""
        self._lab.command(
            "bus",
            self._place,
            "--dest=org.mpris.MediaPlayer2.ShairportSync",
            "/org/mpris/MediaPlayer2",
            f"org.mpris.MediaPlayer2.Player.{method}",
        )

    @property
    def has_sender_to_order(self) -> bool:
        """Return whether it has found the sender's record and got an answer there."""
        told = self._on_bus(
            "org.freedesktop.DBus",
            "Properties.Get",
            "string:org.gnome.ShairportSync.RemoteControl",
            "string:Available",
        )
        return "true" in told

    def _on_bus(self, prefix: str, method: str, *arguments: str) -> str:
        return self._lab.command(
            "bus",
            self._place,
            "--dest=org.gnome.ShairportSync",
            "/org/gnome/ShairportSync",
            f"{prefix}.{method}",
            *arguments,
        )

    def volumes_db(self) -> list[float]:
        """Return the volumes that were sent to it, not to `shairplay`, which is mum."""
        if self._mode == "nodetunes":
            said = re.findall(r"volumeChange (-?[\d.]+)", self._log())
            return [float(each) for each in said]
        reports = _VOLUME_REPORT.findall(self.metadata_path.read_bytes())
        return [float(base64.b64decode(each).split(b",")[0]) for each in reports]

    def statistics(self) -> Statistics:
        """Read its newest statistics line; all 0 in a play shorter than 8 s."""
        return parse_statistics(self._log())

    def _log(self) -> str:
        return self.log_path.read_text(errors="replace")


@contextmanager
def _waking(namespace: str, receivers: Iterable[Shairport]) -> Iterator[None]:
    hosts = [receiver.host for receiver in receivers]
    argv = [sys.executable, str(_WAKEUPS), "eth0", str(WAKEUPS_PER_S), *hosts]
    waking = subprocess.Popen(["ip", "netns", "exec", namespace, *argv])
    _prefer(waking.pid)
    try:
        yield
    finally:
        waking.kill()
        waking.wait()


def _name_of(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:  # It has ended.
        return ""


def _prefer(task: int) -> None:
    with contextlib.suppress(OSError):
        os.sched_setscheduler(task, os.SCHED_FIFO, os.sched_param(_PRIORITY))


def parse_statistics(log: str) -> Statistics:
    """Find the last statistics in a log of either version of shairport-sync."""
    names: list[str] = []
    values: list[str] = []
    for line in log.splitlines():
        text = re.sub(r'^.*?"player\.c:\d+"', "", line).strip()
        if text.lower().startswith(("missing |", "total packets,")):
            names = re.split(r"\s*[|,]\s*", text.lower())
        elif names and re.fullmatch(r"[\d.,\s-]+", text):
            values = re.split(r"[,\s]+", text)
    counted = dict(zip(names, values, strict=False))

    def count(*keys: str) -> int:
        return next((int(counted[key]) for key in keys if key in counted), 0)

    return Statistics(
        missing=count("missing", "missing packets"),
        late=count("late", "late packets"),
        too_late=count("too late", "too late packets"),
        resend_requests=count("resend reqs", "resend requests"),
    )
