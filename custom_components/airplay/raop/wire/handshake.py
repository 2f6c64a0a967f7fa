"""A handshake: a generator asks, somebody else does the talking."""

from collections.abc import Generator

from .rtsp import Request, Response

type Handshake[T] = Generator[Request, Response, T]
