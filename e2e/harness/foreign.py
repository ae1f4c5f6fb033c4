"""Foreign clients and foreign echo servers, two of each kind behind one face.

One of each is written with the Python library `websockets`, the other with the npm package `ws`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .door import REPOSITORY
from .process import PATIENCE, Process

E2E = REPOSITORY / "e2e"
Message = str | bytes


class Refused(Exception):
    """The upgrade was answered with an HTTP status other than 101."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Ended(Exception):
    """The other side closed; 1006 stands for an end without a Close frame (RFC 6455, section 7.1.5)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


@dataclass
class Opening:
    """How a client asks for its upgrade."""

    token: str | None = None
    protocols: Sequence[str] = ()
    origin: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    trusted: Path | None = None
    """The issuers whose certificates are trusted, for `wss://`."""

    def all_headers(self) -> dict[str, str]:
        """The headers, with the token as a bearer token."""
        return {**self.headers, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}


class PythonClient:
    """A client on the Python library `websockets`."""

    def __init__(self) -> None:
        self._connection: ClientConnection | None = None
        self.protocol: str | None = None
        self.extensions: str | None = None

    async def open(self, url: str, how: Opening) -> None:
        """Opens a socket, or raises `Refused`."""
        if how.trusted:
            tls = {"ssl": ssl.create_default_context(cafile=str(how.trusted))}
        else:
            tls = {}
        options = {**tls, "open_timeout": PATIENCE, "close_timeout": PATIENCE, "max_size": 16 * 1024 * 1024, "proxy": None}
        try:
            self._connection = await connect(
                url,
                subprotocols=list(how.protocols) or None,
                origin=how.origin,
                additional_headers=how.all_headers(),
                **options,
            )
        except InvalidStatus as refused:
            raise Refused(refused.response.status_code) from None
        self.protocol = self._connection.subprotocol
        self.extensions = self._connection.response.headers.get("Sec-WebSocket-Extensions")

    async def send(self, *parts: Message) -> None:
        """Sends one message; several parts go out as fragments."""
        await self._connection.send(parts[0] if len(parts) == 1 else parts)

    async def receive(self) -> Message:
        """The next message, or raises `Ended`."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._connection.recv()
        except ConnectionClosed as end:
            raise (Ended(end.rcvd.code, end.rcvd.reason) if end.rcvd else Ended(1006, "")) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes from this side and waits until the other side has closed too."""
        closing = asyncio.create_task(self._connection.close(code, reason))
        try:
            # what is still on its way has to be read, or the other side's Close is never reached
            while True:
                await self.receive()
        except Ended:
            await closing

    async def __aenter__(self) -> PythonClient:
        return self

    async def __aexit__(self, *failure: object) -> None:
        if self._connection:
            await self.close()


class NodeClient:
    """A client on the npm package `ws`, in a process of its own."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self.protocol: str | None = None
        self.extensions: str | None = None

    async def _order(self, verb: str, **fields: object) -> None:
        await self._process.say(json.dumps({"do": verb, **fields}))

    async def _happened(self) -> dict:
        return json.loads((await self._process.line(r"^\{.*$"))[0])

    async def open(self, url: str, how: Opening) -> None:
        """Opens a socket, or raises `Refused`."""
        ca = how.trusted.read_text() if how.trusted else None
        await self._order(
            "open", url=url, protocols=list(how.protocols), origin=how.origin, headers=how.all_headers(), ca=ca
        )
        answer = await self._happened()
        if answer["happened"] == "refused":
            raise Refused(answer["status"])
        assert answer["happened"] == "upgrade", answer
        self.extensions = answer["extensions"]
        answer = await self._happened()
        assert answer["happened"] == "open", answer
        self.protocol = answer["protocol"]

    async def send(self, *parts: Message) -> None:
        """Sends one message; several parts go out as fragments."""
        binary = isinstance(parts[0], bytes)
        await self._order("send", binary=binary, parts=[base64.b64encode(p).decode() if binary else p for p in parts])

    async def receive(self) -> Message:
        """The next message, or raises `Ended`."""
        match await self._happened():
            case {"happened": "message", "binary": True, "data": data}:
                return base64.b64decode(data)
            case {"happened": "message", "data": data}:
                return data
            case {"happened": "close", "code": code, "reason": reason}:
                raise Ended(code, reason)
            case other:
                raise AssertionError(other)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes from this side and waits until the other side has closed too."""
        await self._order("close", code=code, reason=reason)
        try:
            while True:
                await self.receive()
        except Ended:
            pass

    async def __aenter__(self) -> NodeClient:
        self._process = await Process.start("node", E2E / "node" / "client.mjs")
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._process.stop()


Client = PythonClient | NodeClient
CLIENTS: dict[str, type[Client]] = {"websockets": PythonClient, "ws": NodeClient}
SERVERS: dict[str, tuple[str, ...]] = {
    "websockets": (sys.executable, "-m", "harness.python_echo"),
    "ws": ("node", str(E2E / "node" / "echo.mjs")),
}


class Upstream:
    """A foreign echo server that runs."""

    def __init__(self, process: Process, address: str) -> None:
        self.process = process
        self.address = address
        self.url = f"ws://{address}"

    async def closed(self) -> tuple[int, str]:
        """Waits until one of its connections has ended, and gives the code and the reason that the server saw."""
        seen = await self.process.line(r"^closed (\d+) ?(.*)$")
        return int(seen[1]), seen[2]

    async def stop(self) -> None:
        """Ends it."""
        await self.process.stop()


@asynccontextmanager
async def echo_server(kind: str) -> AsyncIterator[Upstream]:
    """Runs one of `SERVERS`."""
    process = await Process.start(*SERVERS[kind], cwd=E2E)
    try:
        yield Upstream(process, (await process.line(r"^listening on (\S+)$"))[1])
    finally:
        await process.stop()
