"""Connections: names, several addresses, TLS."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
import socket
import ssl
import threading

import pytest

from custom_components.airplay.raop.decoder import connection
from custom_components.airplay.raop.decoder.guard.reach import ANYWHERE
from custom_components.airplay.raop.decoder.job_scope import JobScope
from custom_components.airplay.raop.decoder.media_errors import UnplayableError
from custom_components.airplay.raop.decoder.web import get
from custom_components.airplay.raop.errors import MediaUnreachableError
from custom_components.airplay.raop.messages import MediaBounds
from tests.certificates import write_certificate

from ..audio.conftest import Keep, Play
from ..audio.media import RATE, noise, wav
from ..audio.recorder import HASTY, PATIENCE_S, DecoderThread, Played
from ..audio.web_server import WebServer, ranged, redirect, whole


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a certificate for 127.0.0.1 with its key, self-signed."""
    return write_certificate(tmp_path)


@pytest.fixture
def secure_web(socket_enabled: None, certificate: Path) -> Iterator[WebServer]:
    """Return a web server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = WebServer(context)
    yield server
    server.close()


@pytest.fixture
def trusting(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DecoderThread]:
    """Return decoder processes that trust the server's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    decoders = DecoderThread()
    yield decoders
    decoders.close()


def named(*addresses: tuple[socket.AddressFamily, object]) -> object:
    """Return a look-up that finds these addresses."""
    return lambda *_, **__: [
        (family, socket.SOCK_STREAM, 6, "", address) for family, address in addresses
    ]


def test_a_file_plays_over_tls(secure_web: WebServer, trusting: DecoderThread) -> None:
    song = secure_web.serve("/song.wav", ranged(wav(noise(RATE))))

    with closing(Played(trusting, song)) as played:
        assert len(played.all()) == RATE * 4


def test_an_untrusted_certificate_is_reported(
    secure_web: WebServer, play: Play
) -> None:
    failure = play(secure_web.serve("/x", whole(b""))).failure().error

    assert type(failure) is MediaUnreachableError
    assert "certificate of its server cannot be trusted" in str(failure)


def test_only_the_certificate_of_our_own_port_is_not_verified(
    secure_web: WebServer, play: Play
) -> None:
    song = secure_web.serve("/song.wav", ranged(wav(noise(RATE))))
    port = secure_web.port

    own = play(song, bounds=MediaBounds(own_server=f"127.0.0.1:{port}"))
    other_port = play(song, bounds=MediaBounds(own_server=f"127.0.0.1:{port + 1}"))
    other_host = play(song, bounds=MediaBounds(own_server=f"home.local:{port}"))

    assert len(own.all()) == RATE * 4
    assert "certificate" in str(other_port.failure().error)
    assert "certificate" in str(other_host.failure().error)


def test_a_redirect_from_our_own_server_to_another_port_is_verified(
    secure_web: WebServer, play: Play, web: WebServer
) -> None:
    to = secure_web.serve("/song.wav", ranged(wav(noise(RATE))))
    own = web.serve("/own", redirect(to))

    played = play(own, bounds=MediaBounds(own_server=f"127.0.0.1:{web.port}"))

    assert "certificate" in str(played.failure().error)


@pytest.mark.usefixtures("socket_enabled")
def test_a_server_without_tls_is_reported(play: Play) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        played = play(f"https://127.0.0.1:{server.getsockname()[1]}/x")
        plain, _ = server.accept()
        with plain:
            plain.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            failure = played.failure().error

    assert type(failure) is MediaUnreachableError
    assert "does not speak TLS" in str(failure)


def test_a_handshake_that_never_ends_times_out(
    socket_enabled: None, play: Play
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}/x"

        failure = play(url, limits=replace(HASTY, read_s=0.2)).failure().error

    assert "does not answer in time" in str(failure)


@pytest.mark.parametrize("good", [0, 1])
def test_the_first_address_that_answers_is_used(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    ports = [1, 1]
    ports[good] = web.port
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        named(*((socket.AF_INET, ("127.0.0.1", port)) for port in ports)),
    )
    web.serve("/x", whole(b"here"))

    response = get(f"http://some.name:{web.port}/x", {}, JobScope(HASTY))

    assert response.read(100) == b"here"
    assert "Host: some.name" in web.requests[0].head
    response.close()
    response.close()


@pytest.mark.parametrize("failure", [socket.gaierror(), UnicodeError()])
def test_an_unknown_host_name_is_reported(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(UnplayableError, match="cannot be resolved"):
        get("http://some.name/x", {}, JobScope(HASTY))


@pytest.fixture
def slow_name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have a name server that answers after the test.

    The caller stays behind in a thread, which has ended when the next test begins.
    """
    is_asked, answered = threading.Event(), threading.Event()
    asking: list[threading.Thread] = []

    def look_up(*_: object, **__: object) -> list[object]:
        asking.append(threading.current_thread())
        is_asked.set()
        answered.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    answered.set()
    assert is_asked.wait(PATIENCE_S)
    for thread in asking:
        thread.join()


@pytest.mark.usefixtures("slow_name_server")
def test_a_name_server_that_is_too_slow_is_not_waited_for() -> None:
    with pytest.raises(UnplayableError, match="does not answer in time"):
        get("http://some.name/x", {}, JobScope(replace(HASTY, open_s=0.05)))


@pytest.mark.usefixtures("socket_enabled")
def test_a_request_that_cannot_be_sent_leaves_no_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        sock, _ = connection.connect(
            "127.0.0.1", port, JobScope(HASTY), ANYWHERE, is_secure=False
        )
        end = connection.WebSocket(sock, JobScope(HASTY))

        end.close()

        assert sock.fileno() == -1


def test_a_path_and_a_link_meet(keep: Keep, play: Play) -> None:
    """Files need no connection at all, not even if sockets are forbidden."""
    assert len(play(keep("a.wav", wav(noise(RATE)))).all()) == RATE * 4
