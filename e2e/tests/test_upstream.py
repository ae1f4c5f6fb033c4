"""A gate in front of an unchanged WebSocket server: two foreign libraries behind it, two before it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import jwt
import pytest

from harness import http
from harness.commands import FRAGMENTS, numbered
from harness.door import SITE, Door, upstream
from harness.foreign import CLIENTS, Client, Ended, Opening, Refused, Upstream, echo_server

APP = "https://app.example"
FOREIGN = (
    "https://evil.example",
    "http://app.example",
    "https://app.example:444",
    "https://app.example.evil.example",
    "https://app.example@evil.example",
    "null",
)


@asynccontextmanager
async def guarded(folder: Path, behind: str) -> AsyncIterator[tuple[Door, Upstream]]:
    """An echo server and a gate in front of it."""
    async with echo_server(behind) as server, Door(folder, SITE, upstream(server.url, origins=[APP])) as door:
        yield door, server


@asynccontextmanager
async def through(
    folder: Path, before: str, behind: str, **how: object
) -> AsyncIterator[tuple[Client, Upstream, Door]]:
    """A client that has passed the gate."""
    async with guarded(folder, behind) as (door, server), CLIENTS[before]() as client:
        await client.open(door.url("/app"), Opening(token=door.token("alice"), **how))
        yield client, server, door


async def test_messages_pass_unchanged_in_both_directions(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind) as (client, _, _):
        assert not client.extensions, "extensions are stripped: the gate relays frames as they are"
        for message in ("grüße ☂", "", b"", b"\x00\xff\xfe", "x" * 125, "x" * 126, b"y" * 65535, b"y" * 65536):
            await client.send(message)
            assert await client.receive() == message


async def test_messages_of_a_mebibyte_pass(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind) as (client, _, _):
        binary, text = os.urandom(1 << 20), "ß" * (1 << 19)
        for message in (binary, text):
            await client.send(message)
            assert await client.receive() == message


async def test_fragmented_messages_pass_in_both_directions(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind) as (client, _, _):
        await client.send("gr", "üß", "e")
        assert await client.receive() == "grüße"
        parts = [os.urandom(70_000) for _ in range(4)]
        await client.send(*parts)
        assert await client.receive() == b"".join(parts)
        await client.send("fragments")
        assert await client.receive() == "".join(FRAGMENTS)


async def test_many_messages_keep_their_order(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind) as (client, _, _):
        for number in range(50):
            await client.send(numbered(number, 100 + 997 * number))
        for number in range(50):
            assert await client.receive() == numbered(number, 100 + 997 * number)


async def test_the_upstream_chooses_the_subprotocol(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind, protocols=["nonsense", "chat"]) as (client, _, _):
        assert client.protocol == "chat"


async def test_no_subprotocol_is_made_up(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind) as (client, _, _):
        assert client.protocol is None


async def test_a_close_of_the_client_reaches_the_upstream(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind) as (client, server, _):
        await client.close(4321, "enough for today")
        assert await server.closed() == (4321, "enough for today")


async def test_a_close_of_the_upstream_reaches_the_client(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind) as (client, _, _):
        await client.send("close 4322 shop is shut")
        with pytest.raises(Ended) as end:
            await client.receive()
        assert (end.value.code, end.value.reason) == (4322, "shop is shut")


async def test_nobody_passes_without_a_token(folder: Path, before: str, behind: str) -> None:
    async with guarded(folder, behind) as (door, server):
        wrong = {
            "none": Opening(),
            "signed by somebody else": Opening(token=door.token("alice", key="k" * 48)),
            "expired": Opening(token=door.token("alice", lasts=-60)),
            "basic credentials": Opening(headers={"Authorization": "Basic YWxpY2U6eA=="}),
        }
        for what, how in wrong.items():
            async with CLIENTS[before]() as client:
                with pytest.raises(Refused) as refused:
                    await client.open(door.url("/app"), how)
                assert refused.value.status == 401, what
        assert "opened" not in server.process.stdout, "the upstream hears nothing before the verdict"


async def test_a_foreign_origin_is_forbidden(folder: Path, before: str, behind: str) -> None:
    async with guarded(folder, behind) as (door, server):
        for origin in FOREIGN:
            async with CLIENTS[before]() as client:
                with pytest.raises(Refused) as refused:
                    await client.open(door.url("/app"), Opening(token=door.token("alice"), origin=origin))
                assert refused.value.status == 403, origin
        assert "opened" not in server.process.stdout, "the upstream hears nothing before the verdict"
        async with CLIENTS[before]() as client:
            await client.open(door.url("/app"), Opening(token=door.token("alice"), origin=APP))
            await client.send("in")
            assert await client.receive() == "in"


async def test_a_path_without_a_gate_is_not_found(folder: Path, before: str) -> None:
    async with guarded(folder, "websockets") as (door, _), CLIENTS[before]() as client:
        with pytest.raises(Refused) as refused:
            await client.open(door.url("/app/else"), Opening(token=door.token("alice")))
        assert refused.value.status == 404


async def test_an_upstream_that_is_down_lets_nobody_in(folder: Path, before: str) -> None:
    async with guarded(folder, "websockets") as (door, server), CLIENTS[before]() as client:
        await server.stop()
        try:
            await client.open(door.url("/app"), Opening(token=door.token("alice")))
            await client.receive()
        except Refused as refused:
            assert refused.status == 503
        except Ended as end:
            assert end.code == 1013
        else:
            pytest.fail("there was nobody to let anyone in to")


async def test_ending_a_socket_cuts_a_transfer_after_a_whole_message(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind) as (client, server, door):
        await client.send("flood 40000")
        number = 0
        for number in range(10):
            assert await client.receive() == numbered(number, 40000)
        socket = await door.socket_of("alice")
        ending = asyncio.create_task(door.cli("sockets", "end", socket))
        with pytest.raises(Ended) as end:
            while True:
                number += 1
                assert await client.receive() == numbered(number, 40000), "a message was lost or cut"
        assert end.value.code == 4410
        assert (await ending).code == 0, await ending
        assert (await server.closed())[0] != 1006, "the upstream was told by a Close frame too"
        assert await door.sockets() == []


async def test_an_expired_token_ends_the_socket_that_it_opened(folder: Path, before: str) -> None:
    async with guarded(folder, "websockets") as (door, _), CLIENTS[before]() as client:
        await client.open(door.url("/app"), Opening(token=door.token("alice", lasts=2)))
        with pytest.raises(Ended) as end:
            await client.receive()
        assert end.value.code == 4410


async def seen_upstream(client: Client) -> dict[str, str]:
    """The request headers that the upstream got."""
    await client.send("headers")
    return json.loads(await client.receive())


async def test_the_upstream_is_told_who_came(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind, origin=APP) as (client, server, door):
        seen = await seen_upstream(client)
        assert seen["x-doorward-subject"] == "member:alice"
        assert "authorization" not in seen, "the credential is ours and ends here"
        assert seen["origin"] == APP
        assertion = seen["x-doorward-assertion"]
        keys = jwt.PyJWKSet.from_dict(json.loads(await http.get(door.public, "/.well-known/jwks.json")))
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(
            assertion,
            keys[header["kid"]],
            algorithms=["EdDSA", "ES256"],
            audience=server.url,
            options={"require": ["exp", "iat", "aud", "sub", "jti"]},
        )
        assert (claims["sub"], claims["gate"], claims["exp"] - claims["iat"]) == ("member:alice", "app", 60)
        assert claims["socket"] == await door.socket_of("alice")


async def test_identity_headers_of_the_client_do_not_pass(folder: Path, before: str, behind: str) -> None:
    forged = {
        "X-Doorward-Subject": "member:root",
        "X-Doorward-Assertion": "e30.e30.forged",
        "X-Doorward-Anything": "forged",
        "X_Doorward_Subject": "member:root",
        "x-doorward-level": "forged",
    }
    async with through(folder, before, behind, headers=forged) as (client, _, _):
        said = json.dumps(await seen_upstream(client))
        assert "forged" not in said and "member:root" not in said, said


async def test_other_headers_of_the_client_pass(folder: Path, before: str, behind: str) -> None:
    async with through(folder, before, behind, headers={"X-Request-Id": "42", "Accept-Language": "de"}) as (
        client,
        _,
        _,
    ):
        seen = await seen_upstream(client)
        assert (seen["x-request-id"], seen["accept-language"]) == ("42", "de")
