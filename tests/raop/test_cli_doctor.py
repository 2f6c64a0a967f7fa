"""`raop doctor`, run as a user runs it."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator
import json
import socket

import pytest
import pytest_socket

from custom_components.airplay.raop.diagnosis import (
    Diagnosed,
    DiagnosisCode,
    DoctorFailure,
    DoorFinding,
    DoorState,
    Findings,
    LinkFinding,
    NameFinding,
    WayFinding,
)
from custom_components.airplay.raop.program.doctor import exit_code, table
from tests.program import RAOP
from tests.raop.engine.harness import receiver
from tests.sender_fork_server import SenderForkServer
from tests.virtual_receiver import Quirks, VirtualReceiver


@pytest.fixture(autouse=True)
def network(socket_enabled: None) -> Iterator[None]:
    """Open this machine's own addresses."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"])
    yield
    pytest_socket.socket_allow_hosts(["127.0.0.1"])


@pytest.fixture(autouse=True)
def quick(fork_server: SenderForkServer) -> Iterator[None]:
    """Have programs without their imports."""
    with fork_server.preload(*RAOP):
        yield


async def doctor(*arguments: object) -> tuple[int, str, str]:
    """Run the command; return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *RAOP, "doctor", *map(str, arguments), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def at(of: VirtualReceiver) -> str:
    return f"{of.host}:{of.port}"


async def test_a_table_for_people_ends_with_the_sentence() -> None:
    async with receiver("Kitchen") as kitchen:
        code, out, err = await doctor(at(kitchen))

        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert lines[0] == at(kitchen)
        assert any(f"{at(kitchen)} open, " in each for each in lines)
        assert any(" 0 lost (0.0 %)" in each for each in lines)
        assert lines[-1].split(maxsplit=1) == [
            "ok",
            f"{at(kitchen)} accepts audio and shows that it plays: there is nothing to do.",
        ]
        assert not kitchen.has_session


async def test_json_has_all_figures_and_the_worst_exit_code_counts() -> None:
    gone = socket.socket()
    gone.bind(("127.0.0.1", 0))
    refused = receiver("Den", quirks=Quirks(refuse={"SETUP": 500}))
    locked = receiver("Bath", password="sesame")
    async with refused as den, locked as bath:
        places = (at(bath), f"127.0.0.1:{gone.getsockname()[1]}", at(den))
        code, out, err = await doctor(*places, "--json", "--password", "wrong")

    gone.close()
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["code"] for each in found] == [
        "wrong_password",
        "port_closed",
        "refused",
    ]
    assert [each["diagnosis"] for each in found] == list(places)
    assert found[2]["detail"] == "SETUP 500"
    assert found[2]["findings"]["ways"][0]["failure"]["status"] == 500
    assert code == 4
    assert "sesame" not in out + err


def test_each_verdict_has_an_exit_code() -> None:
    codes = {each: exit_code(each) for each in DiagnosisCode}

    assert [each for each, code in codes.items() if code == 0] == [
        "ok",
        "unconfirmed",
        "one_way",
    ]
    assert codes[DiagnosisCode.OFFLINE] == 3
    assert codes[DiagnosisCode.NEEDS_PAIRING] == 4
    assert codes[DiagnosisCode.IN_USE] == 5
    assert codes[DiagnosisCode.SILENT] == 7
    assert codes[DiagnosisCode.UDP_PORTS_TAKEN] == 8
    assert codes[DiagnosisCode.REFUSED] == 1


def test_a_table_shows_all_that_was_found_and_nothing_controls_a_terminal() -> None:
    link = LinkFinding(
        packets=400,
        lost=40,
        gaps=4,
        gaps_noticed=3,
        round_trip_ms=1.5,
        round_trip_jitter_ms=0.5,
        tcp_repeats=2,
        answer_ms=12.5,
        clock_offset_ms=3.5,
        clock_spread_us=900,
        strangers=("10.0.0.9",),
        refusal="Operation not permitted",
    )
    failure = DoctorFailure(code="refused", request="SETUP", status=500)
    findings = Findings(
        receiver="r",
        name="Den\x1b[2J",
        model="Speaker",
        names=(NameFinding(name="den.local"),),
        doors=(DoorFinding(address="fe80::1", port=7000, state=DoorState.NO_ANSWER),),
        ways=(
            WayFinding(way="raop ntp none", failure=failure, link=link),
            WayFinding(way="a", link=LinkFinding(is_unconfirmed=True)),
            WayFinding(way="b", link=LinkFinding(ptp_messages=7, ptp_probes=2)),
        ),
    )
    found = Diagnosed(
        diagnosis="d",
        receiver="r",
        code=DiagnosisCode.REFUSED,
        sentence="It refuses: restart it.",
        detail="SETUP 500",
        took_s=6.25,
        findings=findings,
    )

    assert [" ".join(line.split()) for line in table(found)] == [
        "Den\\x1b[2J",
        "name den.local: unknown",
        "port [fe80::1]:7000 no_answer",
        "receiver Speaker",
        "way raop ntp none: refused (SETUP 500)",
        "packets 400, 40 lost (10.0 %)",
        "gaps 4, 3 noticed",
        "round trip 1.5 ms ± 0.5 ms, 2 repeats",
        "answer 12.5 ms",
        "time requests 0",
        "clock 3.5 ms, spread 0.9 ms",
        "margin 0 ms",
        "UDP from nowhere",
        "strangers 10.0.0.9",
        "not sent Operation not permitted",
        "way a: unconfirmed",
        "packets 0, 0 lost (0.0 %)",
        "time requests 0",
        "margin 0 ms",
        "UDP from nowhere",
        "way b: plays",
        "packets 0, 0 lost (0.0 %)",
        "PTP 7 messages, 2 requests",
        "margin 0 ms",
        "UDP from nowhere",
        "took 6.2 s",
        "refused It refuses: restart it.",
    ]
