"""A handshake: a generator yields requests, its caller sends them."""

from collections.abc import Generator

from .rtsp import Request, Response

type Handshake[T] = Generator[Request, Response, T]
