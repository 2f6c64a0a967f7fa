"""Hold a conversation with a handshake in the receiver's place."""

import pytest

from custom_components.airplay.raop.errors import RaopError
from custom_components.airplay.raop.wire.handshake import Handshake
from custom_components.airplay.raop.wire.rtsp import Request, Response


def answer(status: int = 200, /, *, body: bytes = b"", **headers: str) -> Response:
    """Return an answer; `_` in a header's name means `-`."""
    named = {name.replace("_", "-").lower(): text for name, text in headers.items()}
    return Response(status, "", named, body)


def talk[T](steps: Handshake[T], *answers: Response) -> tuple[list[Request], T]:
    """Give exactly these answers; return the requests and the result."""
    asked = [next(steps)]
    for number, response in enumerate(answers, 1):
        try:
            asked.append(steps.send(response))
        except StopIteration as done:
            assert number == len(answers), f"it ends after {number} answers"
            result: T = done.value
            return asked, result
    pytest.fail(f"it goes on with {asked[-1].method}")


def fail[T](
    kind: type[RaopError], steps: Handshake[T], *answers: Response, match: str = "."
) -> list[Request]:
    """Give answers of which the last one is too much; return the requests."""
    asked = [next(steps)]
    asked += [steps.send(response) for response in answers[:-1]]
    with pytest.raises(kind, match=match) as caught:
        steps.send(answers[-1])
    assert type(caught.value) is kind
    return asked


def header(request: Request, name: str) -> str | None:
    """Return a request's header."""
    return dict(request.headers).get(name)
