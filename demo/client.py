"""A client of Home Assistant's web interface, for the check."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientConnectionError, ClientSession, ClientWebSocketResponse

from .progress import CheckError

_POLL_S = 0.2


class Client:
    """A logged-in user."""

    def __init__(
        self, session: ClientSession, socket: ClientWebSocketResponse, url: str
    ) -> None:
        """Wrap an open session; `log_in` creates it."""
        self._session = session
        self._socket = socket
        self._last_id = 0
        self.url = url

    async def ask(self, kind: str, **fields: object) -> Any:
        """Send a WebSocket command and return its result."""
        self._last_id += 1
        await self._socket.send_json({"id": self._last_id, "type": kind, **fields})
        answer = await self._socket.receive_json()
        if not answer.get("success"):
            raise CheckError(f"{kind}: {answer.get('error', answer)}")
        return answer["result"]

    async def act(self, action: str, **fields: object) -> None:
        """Run an action and wait until it has finished."""
        domain, _, service = action.partition(".")
        await self.ask(
            "call_service", domain=domain, service=service, service_data=fields
        )

    async def rest(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to the REST API."""
        async with self._session.request(method, self.url + path, json=body) as answer:
            if answer.status >= 400:
                raise CheckError(f"{method} {path}: {await answer.text()}")
            return await answer.json()

    async def download(self, url: str) -> bytes:
        """Fetch a file from Home Assistant."""
        async with self._session.get(url) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def state(self, entity_id: str) -> dict[str, Any]:
        """Return the state object of an entity."""
        state: dict[str, Any] = await self.rest("GET", f"/api/states/{entity_id}")
        return state


async def until[T](
    what: str, question: Callable[[], Awaitable[T | None]], timeout_s: float
) -> T:
    """Repeat a question until its answer is true, and return it."""
    try:
        async with asyncio.timeout(timeout_s):
            while not (answer := await question()):
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise CheckError(f"{what}: not within {timeout_s:.0f} s") from None
    return answer


async def is_up(url: str) -> bool:
    """Return whether the web interface answers."""
    try:
        async with (
            ClientSession() as session,
            session.get(f"{url}/manifest.json") as page,
        ):
            return page.status == 200
    except ClientConnectionError:
        return False


@asynccontextmanager
async def log_in(url: str, user: str, password: str) -> AsyncIterator[Client]:
    """Log in as the login page does."""
    async with ClientSession() as session:
        token = await _token(session, url, user, password)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        ClientSession(headers=headers) as session,
        session.ws_connect(f"{url}/api/websocket", max_msg_size=0) as socket,
    ):
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": token})
        if (answer := await socket.receive_json())["type"] != "auth_ok":
            raise CheckError(f"Home Assistant does not accept the login: {answer}")
        yield Client(session, socket, url)


async def _token(session: ClientSession, url: str, user: str, password: str) -> str:
    page = f"{url}/"
    start = {
        "client_id": page,
        "handler": ["homeassistant", None],
        "redirect_uri": page,
    }
    login = {"client_id": page, "username": user, "password": password}
    async with session.post(f"{url}/auth/login_flow", json=start) as answer:
        flow = (await answer.json())["flow_id"]
    async with session.post(f"{url}/auth/login_flow/{flow}", json=login) as answer:
        code = (await answer.json()).get("result")
    if not code:
        raise CheckError("Home Assistant does not accept the login")
    grant = {"grant_type": "authorization_code", "code": code, "client_id": page}
    async with session.post(f"{url}/auth/token", data=grant) as answer:
        token: str = (await answer.json())["access_token"]
    return token
