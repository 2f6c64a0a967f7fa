"""What the system has measured of a connection."""

import socket

from custom_components.airplay.raop.engine.net.tcp_quality import tcp_quality


def test_a_connection_has_a_round_trip(socket_enabled: None) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        there, _ = server.accept()
        with there:
            client.sendall(b"x")
            assert there.recv(1) == b"x"

            quality = tcp_quality(client)

    assert quality is not None
    assert 0 < quality.round_trip_us < 1_000_000
    assert quality.deviation_us > 0
    assert quality.repeats == 0


def test_a_closed_socket_and_one_of_another_kind_have_none(
    socket_enabled: None,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as closed:
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        assert tcp_quality(datagrams) is None
    assert tcp_quality(closed) is None
