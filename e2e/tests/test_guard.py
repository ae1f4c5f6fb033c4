"""`doorward guard`: an unchanged server gets a door with one command and no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.door import binary
from harness.foreign import CLIENTS, Opening, Refused, echo_server
from harness.guard import SUBPROTOCOL, guard
from harness.process import Process


async def test_the_printed_token_opens(folder: Path, before: str, behind: str) -> None:
    async with echo_server(behind) as server, guard(folder, server.url) as gate, CLIENTS[before]() as client:
        await client.open(gate.url, Opening(token=gate.token))
        await client.send("grüße")
        assert await client.receive() == "grüße"


async def test_the_token_opens_as_a_subprotocol_and_never_comes_back(folder: Path, before: str, behind: str) -> None:
    async with echo_server(behind) as server, guard(folder, server.url) as gate, CLIENTS[before]() as client:
        await client.open(gate.url, Opening(protocols=[gate.token_as_subprotocol(), "chat"]))
        assert client.protocol == "chat"
        await client.send("headers")
        assert SUBPROTOCOL not in await client.receive(), "the upstream does not see the credential"


async def test_nobody_else_gets_in(folder: Path, before: str, behind: str) -> None:
    async with echo_server(behind) as server, guard(folder, server.url) as gate:
        head, claims, signature = gate.token.split(".")
        wrong = {
            "no token": Opening(),
            "a token of one's own": Opening(token=f"{head}.{claims}.{signature[::-1]}"),
            "no token but a subprotocol": Opening(protocols=["chat"]),
            "a wrong token as a subprotocol": Opening(protocols=[SUBPROTOCOL + "bm9uc2Vuc2U", "chat"]),
        }
        for what, how in wrong.items():
            async with CLIENTS[before]() as client:
                with pytest.raises(Refused) as refused:
                    await client.open(gate.url, how)
                assert refused.value.status == 401, what
        assert "opened" not in server.process.stdout


async def test_a_token_needs_a_real_subprotocol_beside_it(folder: Path, before: str) -> None:
    async with echo_server("ws") as server, guard(folder, server.url) as gate, CLIENTS[before]() as client:
        with pytest.raises(Refused) as refused:
            await client.open(gate.url, Opening(protocols=[gate.token_as_subprotocol()]))
        assert refused.value.status == 400, "or the token would have to be echoed"


async def test_pages_of_its_own_host_alone_get_in(folder: Path, before: str) -> None:
    async with echo_server("ws") as server, guard(folder, server.url) as gate:
        own = gate.url.replace("ws://", "http://").rstrip("/")
        async with CLIENTS[before]() as client:
            await client.open(gate.url, Opening(token=gate.token, origin=own))
            await client.send("in")
            assert await client.receive() == "in"
        async with CLIENTS[before]() as client:
            with pytest.raises(Refused) as refused:
                await client.open(gate.url, Opening(token=gate.token, origin="http://evil.example"))
            assert refused.value.status == 403


async def test_an_open_guard_passes_everybody(folder: Path, before: str, behind: str) -> None:
    async with echo_server(behind) as server, guard(folder, server.url, "--open") as gate, CLIENTS[before]() as client:
        await client.open(gate.url, Opening())
        await client.send(b"in")
        assert await client.receive() == b"in"


async def test_the_printed_command_connects(folder: Path) -> None:
    async with echo_server("websockets") as server, guard(folder, server.url) as gate:
        user = await Process.start(binary(), "connect", gate.url, env={"DOORWARD_TOKEN": gate.token}, cwd=folder)
        try:
            await user.say('{"hello": "upstream"}')
            await user.line(r'\{"hello": "upstream"\}')
        finally:
            await user.stop()


async def test_a_guard_leaves_nothing_behind(folder: Path) -> None:
    async with echo_server("websockets") as server:
        async with guard(folder, server.url):
            pass
        assert list(folder.iterdir()) == []
