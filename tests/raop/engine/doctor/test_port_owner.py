"""Which program uses a UDP port."""

import os
from pathlib import Path
import socket

import pytest

from custom_components.airplay.raop.engine.doctor import port_owner
from custom_components.airplay.raop.engine.doctor.port_owner import owner_of


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_program_is_named_with_its_number(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        port = sock.getsockname()[1]
        name = Path("/proc/self/comm").read_text().strip()

        assert f"{name} ({os.getpid()})" in owner_of((port, 1)).split(", ")

    assert owner_of((port,)) == ""


def test_what_may_not_be_seen_has_no_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "net").mkdir()
    row = "0: 0100007F:013F 00000000:0000 07 0:0 00:0 00000000 0 0 4711 2"
    (tmp_path / "net" / "udp").write_text(f"sl local_address\n{row}\n")
    monkeypatch.setattr(port_owner, "_PROC", tmp_path)

    assert owner_of((319, 320)) == ""
    (tmp_path / "12" / "fd").mkdir(parents=True)
    (tmp_path / "12" / "fd" / "3").symlink_to("socket:[4711]")
    (tmp_path / "12" / "fd" / "4").write_text("")
    assert owner_of((319, 320)) == "a program (12)"
    assert owner_of((321,)) == ""
