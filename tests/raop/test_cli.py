"""The command line, run as a user runs it, and its parts in this process."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
import json
from pathlib import Path
import re
import secrets
import signal
import socket
import time

import pytest
import pytest_socket

from custom_components.airplay.raop import cli
from custom_components.airplay.raop.engine.lanes.context import receiver_of
from custom_components.airplay.raop.program import play
from custom_components.airplay.raop.program.identity import identity_from_environment
from custom_components.airplay.raop.receiver_lanes import LaneKind
from tests.free_ports import occupied, port_range
from tests.program import RAOP
from tests.raop.engine.harness import read_wav, receiver, wav
from tests.sender_fork_server import SenderForkServer
from tests.virtual_receiver import Advertisement, Quirks, VirtualReceiver, to_unix_ns
from tests.virtual_receiver.airplay2 import PtpPorts
from tests.virtual_receiver.airplay2.homepod import homepod

# Without it, a receiver is of a kind that may never ask for the time.
LICENSED = ("--txt", "et=0,4")
QUICK = ("--depth-ms", "400", "--lead-ms", "400")


@pytest.fixture(autouse=True)
def network(socket_enabled: None) -> Iterator[None]:
    """Open this machine's own addresses."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "224.0.0.251"])
    yield
    pytest_socket.socket_allow_hosts(["127.0.0.1"])


@pytest.fixture(autouse=True)
def quick(
    request: pytest.FixtureRequest, fork_server: SenderForkServer
) -> Iterator[None]:
    """Have programs without their imports; one is started as users start it."""
    is_started = (
        request.function
        is test_play_reports_events_in_order_and_ends_with_the_last_frame
    )
    with nullcontext() if is_started else fork_server.preload(*RAOP):
        yield


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Return a file of 0.6 s."""
    wav(tmp_path / "song.wav", 0.6)
    return tmp_path / "song.wav"


@pytest.fixture
async def kitchen() -> AsyncIterator[VirtualReceiver]:
    """Return a well-behaved receiver."""
    async with receiver("Kitchen") as virtual:
        yield virtual


@dataclass(frozen=True)
class Outcome:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, object]]:
        """Return the objects that were printed."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def names(self) -> list[object]:
        """Return the events' names."""
        return [event["event"] for event in self.events]

    def event(self, name: str) -> dict[str, object]:
        """Return the first event of a name."""
        return next(event for event in self.events if event["event"] == name)


async def start(*arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *RAOP,
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )


async def raop(*arguments: object) -> Outcome:
    """Run a command to its end."""
    process = await start(*arguments)
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(), err.decode())


def at(of: VirtualReceiver) -> str:
    return f"{of.host}:{of.port}"


async def test_play_reports_events_in_order_and_ends_with_the_last_frame(
    kitchen: VirtualReceiver, song: Path
) -> None:
    done = await raop("play", song, "--receiver", at(kitchen), "--json", *QUICK)

    assert done.code == 0
    assert done.err == ""
    order = [name for name in done.names if name != "progress"]
    assert order == [
        "connecting",
        "connected",
        "buffering",
        "started",
        "media",
        "playing",
        "ended",
    ]
    assert kitchen.heard(song.read_bytes()[44:]).is_complete
    started = done.event("started")["at"]
    assert isinstance(started, float)
    first_ns = kitchen.heard(song.read_bytes()[44:]).first_frame_ns
    assert first_ns is not None
    assert abs(to_unix_ns(first_ns) - started * 1e9) < 2e6
    ended = done.event("ended")["time"]
    assert isinstance(ended, float)
    assert ended > started + 0.6


async def test_without_json_a_person_reads_it_and_stdout_stays_empty(
    kitchen: VirtualReceiver, song: Path
) -> None:
    done = await raop("play", song, "--receiver", at(kitchen), *QUICK)

    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[0].startswith("connecting")
    assert done.err.splitlines()[-1].startswith("ended reason=finished")


async def test_a_group_starts_at_the_instant_that_is_asked_for(song: Path) -> None:
    pcm = song.read_bytes()[44:]
    async with receiver("One") as one, receiver("Two") as two:
        wanted = time.time() + 3.5

        done = await raop(
            "play", song, "--receiver", at(one), "--receiver", at(two), "--json",
            "--start-at", wanted, "--volume", 50, *QUICK,
        )  # fmt: skip

        assert done.code == 0, done
        assert done.event("started")["at"] == pytest.approx(wanted, abs=0.0005)
        for each in (one, two):
            heard = each.heard(pcm)
            assert heard.is_complete
            assert heard.first_frame_ns is not None
            wall_ns = to_unix_ns(heard.first_frame_ns)
            assert abs(wall_ns - wanted * 1e9) < 2e6
            assert each.volume_db == -15.0


async def test_txt_replaces_mdns(song: Path) -> None:
    async with receiver("L16") as plain:
        done = await raop(
            "play", song, "--receiver", at(plain), "--txt", "cn=0", "--txt", "et=0",
            *QUICK,
        )  # fmt: skip

        assert done.code == 0
        assert b"L16/44100/2" in plain.asked("ANNOUNCE")[0].body
        assert plain.connections == 1
        assert plain.heard(song.read_bytes()[44:]).is_complete


async def test_receiver_without_txt_reports_its_records(song: Path) -> None:
    options = cli._parser().parse_args(["play", "x", "--receiver", "127.0.0.1:1"])
    async with homepod(ptp=PtpPorts(0, 0, None, None)) as pod:
        options.receiver = [(pod.host, pod.port)]
        (member,) = await play.members_of(options)
        txt = {"am": "x"}
        options.txt = list(txt.items())
        asked = len(pod.requests)
        (given,) = await play.members_of(options)

        found = receiver_of(member)
        assert found.keeps_clock
        assert found.lanes == (LaneKind.AIRPLAY2_REALTIME,)
        assert (member.txt, member.airplay_txt) == (pod.txt, pod.airplay_txt({}))
        assert (given.txt, given.airplay_txt) == (txt, {})
        assert len(pod.requests) == asked


async def test_every_failure_has_its_exit_code_and_one_line(song: Path) -> None:
    locked = receiver("Locked", password="sesame")
    busy = receiver("Busy", quirks=Quirks(refuse={"ANNOUNCE": 453}))
    broken = receiver("Broken", quirks=Quirks(refuse={"ANNOUNCE": 500}))
    silent = receiver("Silent", quirks=Quirks(asks_time=False))
    free = receiver("Free")
    missing = song.with_name("none.wav")
    # A port without a listener, and that no other socket gets meanwhile.
    gone = socket.socket()
    gone.bind(("127.0.0.1", 0))
    port = gone.getsockname()[1]
    async with locked, busy, broken, silent, free:
        unreachable, asked, wrong, taken, no_file, mute, refused = await asyncio.gather(
            raop("play", song, "--receiver", f"127.0.0.1:{port}"),
            raop("play", song, "--receiver", at(locked)),
            raop("play", song, "--receiver", at(locked), "--password", "open"),
            raop("play", song, "--receiver", at(busy)),
            raop("play", missing, "--receiver", at(free)),
            raop("play", song, "--receiver", at(silent), *QUICK, *LICENSED),
            raop("play", song, "--receiver", at(broken), "--json"),
        )

    gone.close()
    failures = [unreachable, asked, wrong, taken, no_file, mute]
    assert [each.code for each in failures] == [3, 4, 4, 5, 6, 7]
    last = [each.err.splitlines()[-1] for each in failures]
    assert f"port {port}: Connection refused" in last[0]
    assert "requires a password" in last[1]
    assert "refused the password" in last[2]
    assert "another sender" in last[3]
    assert "none.wav" in last[4]
    assert "never asked for the time" in last[5]
    assert [each.err for each in failures if "Traceback" in each.err] == []
    assert refused.code == 1
    assert refused.names[-1] == "error"
    assert refused.event("error")["code"] == "refused"


async def test_a_password_is_for_the_receivers_that_ask_for_one(song: Path) -> None:
    locked, free = receiver("Locked", password="sesame"), receiver("Free")
    async with locked, free:
        where = ("--receiver", at(locked), "--receiver", at(free))
        done = await raop("play", song, *where, "--password", "sesame", *QUICK)

        assert done.code == 0, done.err
        assert locked.heard(read_wav(song)).is_complete
        assert free.heard(read_wav(song)).is_complete


async def test_ctrl_c_ends_cleanly_and_frees_the_receiver(
    kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "long.wav", 30)
    process = await start("play", tmp_path / "long.wav", "--receiver", at(kitchen))
    await kitchen.wait_playing()

    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(5):
        _, err = await process.communicate()

    assert process.returncode == 130
    assert b"Traceback" not in err
    assert len(kitchen.asked("TEARDOWN")) == 1
    assert not kitchen.has_session


async def test_ctrl_c_while_connecting_ends_cleanly(song: Path) -> None:
    async with receiver("Deaf", quirks=Quirks(unanswered=frozenset({"SETUP"}))) as deaf:
        process = await start("play", song, "--receiver", at(deaf))
        await deaf.wait_for("SETUP")

        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(4):
            _, err = await process.communicate()

        assert process.returncode == 130
        assert b"Traceback" not in err
        await deaf.wait_idle(10)


async def test_scan_lists_announcements_for_people_and_for_programs() -> None:
    unique = secrets.token_hex(4).upper()
    virtual = receiver(f"Scan {unique}", receiver_id=f"0A0C{unique}", password="x")
    async with virtual:
        advertisement = Advertisement(virtual, interfaces=["127.0.0.1"])
        await advertisement.announce()
        arguments = ("scan", "--interface", "127.0.0.1", "--seconds", "2.5")
        people, programs = await asyncio.gather(
            raop(*arguments), raop(*arguments, "--json")
        )
        await advertisement.withdraw()

    (line,) = [each for each in people.out.splitlines() if unique in each]
    assert at(virtual) in line
    assert "ShairportSync  password" in line
    rows = [json.loads(each) for each in programs.out.splitlines()]
    (row,) = [each for each in rows if each["name"] == virtual.name]
    assert (row["host"], row["port"], row["id"]) == (
        "127.0.0.1",
        virtual.port,
        virtual.receiver_id.lower(),
    )
    assert row["password"] is True
    assert row["obstacle"] is None
    assert row["txt"] == virtual.txt
    assert people.code == programs.code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["play"],
        ["play", "song.wav"],
        ["play", "song.wav", "--receiver", ""],
        ["play", "song.wav", "--receiver", "host:0"],
        ["play", "song.wav", "--receiver", "host:65536"],
        ["play", "song.wav", "--receiver", "::1:5000"],
        ["play", "song.wav", "--receiver", "host", "--volume", "101"],
        ["play", "song.wav", "--receiver", "host", "--volume", "nan"],
        ["play", "song.wav", "--receiver", "host", "--volume", "loud"],
        ["play", "song.wav", "--receiver", "host", "--txt", "cn"],
        ["play", "song.wav", "--receiver", "host", "--txt", "=1"],
        ["play", "song.wav", "--receiver", "host", "--start-at", "noon"],
        ["play", "song.wav", "--receiver", "host", "--lane", "road"],
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.run(arguments)

    assert caught.value.code == 2
    assert "usage: raop" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("kitchen.local", ("kitchen.local", 5000)),
        ("10.0.0.2:7000", ("10.0.0.2", 7000)),
        ("[fe80::1%eth0]:7000", ("fe80::1%eth0", 7000)),
        ("[::1]", ("::1", 5000)),
    ],
)
def test_receivers_are_named_by_host_and_port(
    text: str, endpoint: tuple[str, int]
) -> None:
    assert cli._endpoint(text) == endpoint


def test_identity_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRPLAY_DACP_ID", "A1")
    monkeypatch.setenv("AIRPLAY_CLIENT_NAME", "Zuhause")
    given = identity_from_environment()
    monkeypatch.delenv("AIRPLAY_DACP_ID")
    monkeypatch.delenv("AIRPLAY_CLIENT_NAME")
    fresh = [identity_from_environment() for _ in range(50)]

    assert (given.dacp_id, given.client_name) == ("A1", "Zuhause")
    # Receivers strip leading zeros in one of the two places that contain it.
    assert all(len(each.dacp_id) == 16 and each.dacp_id[0] != "0" for each in fresh)
    assert len({each.dacp_id for each in fresh}) == 50
    assert fresh[0].client_name == "Home Assistant"


async def test_udp_ports_are_of_the_range_that_is_given(
    kitchen: VirtualReceiver, song: Path
) -> None:
    ports = port_range(64)
    done = await raop(
        "play", song, "--receiver", at(kitchen), "--udp-ports", ports, *QUICK
    )

    assert done.code == 0
    transport = kitchen.asked("SETUP")[0].headers["transport"]
    used = [int(port) for port in re.findall(r"_port=(\d+)", transport)]
    assert len(used) == 2
    assert all(ports.first <= port <= ports.last for port in used)


async def test_udp_ports_that_are_all_in_use_are_named(
    kitchen: VirtualReceiver, song: Path
) -> None:
    ports = port_range(64)
    with occupied(ports):
        done = await raop(
            "play", song, "--receiver", at(kitchen), "--udp-ports", ports, *QUICK
        )

    assert done.code == 8
    assert f"all UDP ports of the range {ports} are in use" in done.err


@pytest.mark.parametrize("text", ["6001", "80-200", "6001-6010", "6100-6001"])
def test_udp_ports_that_cannot_be_are_refused(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.run(["play", "a.mp3", "--receiver", "h", "--udp-ports", text])

    assert text in capsys.readouterr().err
