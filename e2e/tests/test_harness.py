"""The harness against itself, with no door between: what these prove, the other tests may blame on the door."""

from __future__ import annotations

import json

import pytest

from harness.commands import FRAGMENTS, numbered
from harness.foreign import CLIENTS, Ended, Opening, echo_server


async def test_the_foreign_clients_and_servers_understand_each_other(before: str, behind: str) -> None:
    async with echo_server(behind) as server, CLIENTS[before]() as client:
        await client.open(server.url, Opening(token="t", protocols=["nonsense", "chat"], origin="https://app.example"))
        assert client.protocol == "chat"
        for message in ("grüße", b"\x00\xff", "x" * (1 << 20), b"y" * (1 << 20), ""):
            await client.send(message)
            assert await client.receive() == message
        await client.send("a", "b", "c")
        assert await client.receive() == "abc"
        await client.send("fragments")
        assert await client.receive() == "".join(FRAGMENTS)
        await client.send("headers")
        headers = json.loads(await client.receive())
        assert headers["authorization"] == "Bearer t"
        assert headers["origin"] == "https://app.example"
        await client.close(4001, "seen enough")
        assert await server.closed() == (4001, "seen enough")


async def test_a_foreign_server_floods_and_closes_with_its_own_words(before: str, behind: str) -> None:
    async with echo_server(behind) as server, CLIENTS[before]() as client:
        await client.open(server.url, Opening())
        await client.send("flood 65536")
        for number in range(20):
            assert await client.receive() == numbered(number, 65536)
        await client.close()
        assert (await server.closed())[0] == 1000
        async with CLIENTS[before]() as another:
            await another.open(server.url, Opening())
            await another.send("close 4002 go away now")
            with pytest.raises(Ended) as end:
                await another.receive()
            assert (end.value.code, end.value.reason) == (4002, "go away now")
