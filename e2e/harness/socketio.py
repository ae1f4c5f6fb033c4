"""Foreign clients of Socket.IO, of every generation, behind one face."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .foreign import E2E
from .process import Process

CLIENTS: dict[str, tuple[str, ...]] = {
    "socket.io-client 2": ("node", str(E2E / "node" / "socketio.mjs"), "2"),
    "socket.io-client 3": ("node", str(E2E / "node" / "socketio.mjs"), "3"),
    "socket.io-client 4": ("node", str(E2E / "node" / "socketio.mjs"), "4"),
    "python-socketio": (sys.executable, "-m", "harness.python_socketio"),
}
TRANSPORTS: dict[str, list[str]] = {
    "polling": ["polling"],
    "websocket": ["websocket"],
    "upgrade": ["polling", "websocket"],
}


class SocketIo:
    """A client in a process of its own; `node/socketio.mjs` says what it is told and what it tells."""

    def __init__(self, process: Process, shows_token_in: str) -> None:
        self._process = process
        self._shows_token_in = shows_token_in

    async def open(
        self, url: str, namespace: str = "/", *, transports: list[str], token: str | None = None, **options: object
    ) -> None:
        """Begins to connect to the server at `url`, an `http://` address; what becomes of it happens."""
        shows = {self._shows_token_in: {"token": token}} if token else {}
        await self._order(
            "open", url=url, namespace=namespace, **{"path": "/socket.io/", "transports": transports, **shows, **options}
        )

    async def emit(self, name: str, *args: object, number: int | None = None) -> None:
        """Sends an event; with a number an acknowledgement is asked for. Bytes are `{"base64": ...}`."""
        await self._order("emit", name=name, args=args, **({} if number is None else {"number": number}))

    async def close(self) -> None:
        """Leaves."""
        await self._order("close")

    async def happening(self, *, but: str = "upgrade") -> dict:
        """The next thing that happens; an upgrade of the transport is passed over."""
        while True:
            happening = json.loads((await self._process.line(r"^\{.*$"))[0])
            if happening["happened"] != but:
                return happening

    async def expect(self, happened: str, **fields: object) -> dict:
        """The next thing that happens, which has to be this one."""
        happening = await self.happening(but="" if happened == "upgrade" else "upgrade")
        expected = {"happened": happened, **fields}
        assert expected.items() <= happening.items(), (expected, happening)
        return happening

    async def _order(self, verb: str, **fields: object) -> None:
        await self._process.say(json.dumps({"do": verb, **fields}))


@asynccontextmanager
async def client(kind: str) -> AsyncIterator[SocketIo]:
    """A client of one of `CLIENTS`."""
    process = await Process.start(*CLIENTS[kind], cwd=E2E)
    try:
        yield SocketIo(process, "query" if kind == "socket.io-client 2" else "auth")
    finally:
        await process.stop()


@asynccontextmanager
async def foreign_server() -> AsyncIterator[str]:
    """`node/socketio-server.mjs`; gives its address, `http://...`."""
    process = await Process.start("node", str(E2E / "node" / "socketio-server.mjs"))
    try:
        address = (await process.line(r"^listening on (\S+)$"))[1]
        yield f"http://{address}"
    finally:
        await process.stop()
