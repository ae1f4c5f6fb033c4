"""Clients of Socket.IO, of every generation, through a gate that speaks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.door import SITE, Door
from harness.socketio import CLIENTS, TRANSPORTS, client

UI = """
[[gate]]
name = "ui"
path = "/socket.io/"
backend = { hub = {} }
transport = { socketio = { namespaces = ["/default"] } }
ladder = [{ jwt = { issuer = "site", timeout = "20s" } }]

[[gate.channel]]
name = "/default"
subscribe = "any"

[[gate]]
name = "hasty"
path = "/hasty/"
backend = { hub = {} }
transport = { socketio = {} }
ladder = [{ jwt = { issuer = "site", timeout = "3s" } }]

[[gate.channel]]
name = "/"
subscribe = "any"
"""


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A server with one gate that speaks Socket.IO."""
    door = await Door(tmp_path, SITE, UI).start()
    yield door
    await door.stop()


@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_is_let_in_by_the_event_authentication(kind: str, transports: str, door: Door) -> None:
    async with client(kind) as here:
        await here.open(f"http://{door.public}", "/default", transports=TRANSPORTS[transports])
        await here.expect("connect")
        await here.emit("authentication", {"token": door.token("bob")})
        await here.expect("event", name="authenticated", args=[True])
        admitted = await here.expect("event", name="doorward")
        assert admitted["args"][0]["subject"]["pk"] == "bob"


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_is_let_in_by_the_token_with_its_connect(kind: str, door: Door) -> None:
    if kind == "socket.io-client 2":
        pytest.skip("its CONNECT shows nothing")
    async with client(kind) as here:
        await here.open(f"http://{door.public}", "/default", transports=["polling"], token=door.token("bob"))
        await here.expect("connect")
        await here.expect("event", name="authenticated", args=[True])


@pytest.mark.parametrize("acknowledges", [True, False])
@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_that_is_refused_hears_unauthorized_and_is_disconnected(
    kind: str, transports: str, acknowledges: bool, door: Door
) -> None:
    async with client(kind) as here:
        url = f"http://{door.public}"
        await here.open(url, "/default", transports=TRANSPORTS[transports], acknowledges=acknowledges)
        await here.expect("connect")
        await here.emit("authentication", {"token": "eyJhbGciOiJub25lIn0.e30."})
        refused = await here.expect("event", name="unauthorized", asks=True)
        assert refused["args"][0]["message"] == "TOKEN_REJECTED"
        await here.expect("disconnect")


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_that_says_nothing_is_disconnected_at_the_deadline_without_an_event(kind: str, door: Door) -> None:
    async with client(kind) as here:
        await here.open(f"http://{door.public}", transports=["polling", "websocket"], path="/hasty/")
        await here.expect("connect")
        await here.emit("join", "room", number=1)
        await here.expect("disconnect")
