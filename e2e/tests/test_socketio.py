"""Clients of Socket.IO, of every generation, through a gate that speaks it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.api import ask
from harness.door import SITE, Door
from harness.issuer import Issuer
from harness.socketio import CLIENTS, TRANSPORTS, SocketIo, client

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
    """A server with gates that speak Socket.IO."""
    door = await Door(tmp_path, SITE, UI).start()
    yield door
    await door.stop()


class Application:
    """A program that emits to the gate `ui`, and ends who is there."""

    def __init__(self, door: Door, key: str) -> None:
        self.door = door
        self._key = key

    @classmethod
    async def of(cls, door: Door) -> Application:
        scopes = [word for scope in ("events:emit", "sessions:end") for word in ("--scope", scope)]
        return cls(door, await door.made("apikey", "add", "app", *scopes))

    async def emit(self, number: int, **place: str) -> int:
        """Emits the event `happened` with that number; for how many sockets."""
        body = {"gate": "ui", "namespace": "/default", "event": "happened", "data": {"number": number}, **place}
        status, answer = await ask(self.door, self._key, "POST", "/emit", body)
        assert status == 200, answer
        return answer["sockets"]

    async def end(self, subject: str) -> int:
        """Ends a subject; how many sockets it had."""
        status, receipt = await ask(self.door, self._key, "POST", "/end", {"subject": f"member:{subject}"})
        assert status == 200, receipt
        return receipt["ended"]


async def shown(here: SocketIo, door: Door, token: str, transports: str = "websocket") -> None:
    """Opens the gate `ui` and shows a token there."""
    door.keep_secret(token.rsplit(".", 1)[1])
    await here.open(f"http://{door.public}", "/default", transports=TRANSPORTS[transports])
    await here.expect("connect")
    await here.emit("authentication", {"token": token})


async def let_in(here: SocketIo) -> dict:
    """What it hears that has shown a good token; who it is let in as."""
    await here.expect("event", name="authenticated", args=[True])
    admitted = await here.expect("event", name="doorward")
    return admitted["args"][0]["subject"]


async def rejected(here: SocketIo) -> None:
    """What it hears that has shown a bad one."""
    refused = await here.expect("event", name="unauthorized")
    assert refused["args"][0]["message"] == "TOKEN_REJECTED"
    await here.expect("disconnect")


@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_is_let_in_by_the_event_authentication(kind: str, transports: str, door: Door) -> None:
    async with client(kind) as here:
        await shown(here, door, door.token("bob"), transports)
        assert (await let_in(here))["pk"] == "bob"


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


@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("kind", CLIENTS)
async def test_c58_what_is_emitted_is_heard_in_order_from_the_admission_on_and_nothing_of_before(
    kind: str, transports: str, door: Door
) -> None:
    application = await Application.of(door)
    async with client(kind) as here:
        await here.open(f"http://{door.public}", "/default", transports=TRANSPORTS[transports])
        await here.expect("connect")
        assert [await application.emit(number) for number in range(3)] == [0, 0, 0]
        await here.emit("authentication", {"token": door.token("bob")})
        first = 3
        while not await application.emit(first):
            first += 1
        assert [await application.emit(first + more) for more in range(1, 6)] == [1] * 5
        assert await application.emit(-1, room="red") == 0, "nobody is in that room"
        await let_in(here)
        for number in range(first, first + 6):
            await here.expect("event", name="happened", args=[{"number": number}], asks=False)


async def test_a_room_is_for_those_who_are_subscribed_to_it(door: Door) -> None:
    application = await Application.of(door)
    async with client("socket.io-client 4") as here:
        await shown(here, door, door.token("bob"))
        await let_in(here)
        await here.emit("doorward", {"action": "subscribe", "channel": "/default", "pk": "red"})
        subscribed = await here.expect("event", name="doorward")
        assert subscribed["args"][0]["event"] == "subscribed", subscribed
        assert (await application.emit(1, room="red"), await application.emit(2, room="blue")) == (1, 0)
        await here.expect("event", name="happened", args=[{"number": 1}])


@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("kind", CLIENTS)
async def test_an_ended_client_hears_why_and_is_disconnected(kind: str, transports: str, door: Door) -> None:
    application = await Application.of(door)
    async with client(kind) as here:
        for by in ("the API", "the command line"):
            await shown(here, door, door.token("bob"), transports)
            await let_in(here)
            if by == "the API":
                assert await application.end("bob") == 1
            else:
                ended = await door.cli("sockets", "end", "subject=member:bob")
                assert ended.code == 0, ended
            told = (await here.expect("event", name="doorward"))["args"][0]
            assert (told["event"], told["code"], told["reason"]) == ("ended", 4410, "session_ended"), by
            await here.expect("disconnect")
        assert await application.emit(1) == 0


@pytest.mark.parametrize("kind", CLIENTS)
async def test_an_access_token_of_a_foreign_issuer_is_taken_and_its_refresh_tokens_are_not(
    kind: str, folder: Path
) -> None:
    async with Issuer() as issuer, Door(folder, issuer.section("site"), UI) as door, client(kind) as here:
        await door.process.line(r"the keys of an issuer are fetched", on="stderr")
        for algorithm in ("RS256", "HS256"):
            await shown(here, door, await issuer.order("sign", typ="Refresh", alg=algorithm))
            await rejected(here)
        await shown(here, door, await issuer.token())
        assert (await let_in(here))["pk"] == "shop"


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_outlives_its_token_and_needs_a_fresh_one_when_it_comes_again(kind: str, door: Door) -> None:
    async with client(kind) as here, client(kind) as other:
        application = await Application.of(door)
        # Just expired: for five seconds it is taken nevertheless, as clocks differ.
        token = door.token("bob", lasts=-1, iat=int(time.time()) - 60)
        await shown(here, door, token)
        await let_in(here)
        # The other comes again and again until the token has expired.
        while True:
            await shown(other, door, token)
            verdict = await other.expect("event")
            if verdict["name"] == "unauthorized":
                break
            await other.expect("event", name="doorward")
            await other.close()
            await other.expect("disconnect")
        assert await application.emit(1) == 1
        await here.expect("event", name="happened", args=[{"number": 1}])
        await here.close()
        await here.expect("disconnect")
        await shown(here, door, token)
        await rejected(here)
        await shown(here, door, door.token("bob"))
        assert (await let_in(here))["pk"] == "bob"
