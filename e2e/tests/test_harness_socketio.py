"""The clients of Socket.IO against a foreign server, with no door between: what these prove, the other tests may blame on the door."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from harness.socketio import CLIENTS, TRANSPORTS, client, foreign_server

BYTES = {"base64": "AP8eBA=="}


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """The address of a foreign server."""
    async with foreign_server() as url:
        yield url


@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_of_socket_io_tells_all_that_happens(kind: str, transports: str, server: str) -> None:
    async with client(kind) as here:
        await here.open(server, "/default", transports=TRANSPORTS[transports], token="t", acknowledges=True)
        await here.expect("connect")
        hello = await here.expect("event", name="hello", asks=True)
        assert hello["args"][0]["token"] == "t"
        await here.expect("event", name="thanks", args=[])
        await here.emit("echo", "grüße", {"deep": [1, BYTES]}, number=7)
        await here.expect("ack", number=7, args=["grüße", {"deep": [1, BYTES]}])
        await here.expect("event", name="echo", args=["grüße", {"deep": [1, BYTES]}], asks=False)
        await here.emit("leave")
        await here.expect("disconnect")


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_of_socket_io_tells_that_it_is_not_let_in(kind: str, server: str) -> None:
    async with client(kind) as here:
        await here.open(server, "/closed", transports=["websocket"])
        await here.expect("connect_error", message="not let in")


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_of_socket_io_leaves_when_it_is_told_to(kind: str, server: str) -> None:
    async with client(kind) as here:
        await here.open(server, transports=["websocket"])
        await here.expect("connect", transport="websocket")
        await here.expect("event", name="hello")
        await here.close()
        await here.expect("disconnect")


@pytest.mark.parametrize("kind", [kind for kind in CLIENTS if kind != "python-socketio"])
async def test_a_client_of_socket_io_tells_that_it_has_changed_to_a_websocket(kind: str, server: str) -> None:
    async with client(kind) as here:
        await here.open(server, transports=TRANSPORTS["upgrade"])
        happened = ""
        while happened != "upgrade":
            happening = await here.happening(but="event")
            happened = happening["happened"]
            assert happened in ("connect", "upgrade"), happening
        assert happening["transport"] == "websocket"
