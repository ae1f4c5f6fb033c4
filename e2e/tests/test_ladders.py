"""Ladders of other layers than one token: tickets, app keys, alternatives, several layers of one person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.door import SITE, Door, binary, gate
from harness.foreign import CLIENTS, Ended, Opening, Refused
from harness.hub import Peer
from harness.process import Process


TICKETED = gate("ticketed", "[{ ticket = {} }]")
KEYED = gate("keyed", "[{ app_key = {} }]")
BOTH = gate("both", '[{ jwt = { issuer = "site" } }, { app_key = {} }]')
EITHER = gate("either", '[{ any = [[{ jwt = { issuer = "site" } }], [{ app_key = {} }]] }]')


FRAMED = """
[[gate]]
name = "framed"
path = "/framed"
backend = { echo = {} }
ladder = [{ bearer = { issuer = "site" } }]
refuse = "frame"
"""


@asynccontextmanager
async def user(door: Door, path: str, **files: str) -> AsyncIterator[Process]:
    """A running `doorward connect` with secrets in files: `key="..."` becomes `--key-file FILE`."""
    options = []
    for name, content in files.items():
        file = door.folder / f"{name}.of-user"
        file.write_text(content + "\n")
        file.chmod(0o600)
        options += [f"--{name}-file", str(file)]
    process = await Process.start(binary(), "connect", door.url(path), *options, cwd=door.folder)
    try:
        yield process
    finally:
        await process.stop()


async def test_a_ticket_opens_once(folder: Path) -> None:
    async with Door(folder, TICKETED) as door:
        ticket = await door.made("genticket", "--gate", "ticketed", "--subject", "member:7")
        async with user(door, "/ticketed", ticket=ticket) as first:
            await first.line("admitted")
            async with user(door, "/ticketed", ticket=ticket) as second:
                assert await second.exit() != 0
                assert "admitted" not in second.output
        nothing = "x" * len(ticket)
        async with user(door, "/ticketed", ticket=nothing) as stranger:
            assert await stranger.exit() != 0


async def test_a_ticket_of_one_gate_opens_no_other(folder: Path) -> None:
    async with Door(folder, TICKETED, gate("other", "[{ ticket = {} }]")) as door:
        ticket = await door.made("genticket", "--gate", "ticketed", "--subject", "member:7")
        async with user(door, "/other", ticket=ticket) as elsewhere:
            assert await elsewhere.exit() != 0
            assert "admitted" not in elsewhere.output


async def test_a_key_opens_as_often_as_its_holder_comes(folder: Path) -> None:
    async with Door(folder, KEYED) as door:
        key = await door.made("keygen", "--subject", "terminal:7")
        for _ in range(2):
            async with user(door, "/keyed", key=key) as terminal:
                await terminal.line("admitted")
                assert (await door.sockets())[0]["subject"] == "terminal:7"


async def test_a_key_of_another_door_opens_nothing(folder: Path, tmp_path: Path) -> None:
    elsewhere = Door(tmp_path, KEYED)
    key = await elsewhere.made("keygen", "--subject", "terminal:7")
    async with Door(folder, KEYED) as door, user(door, "/keyed", key=key) as stranger:
        assert await stranger.exit() != 0
        assert "admitted" not in stranger.output


async def test_the_store_holds_no_key_that_opens(folder: Path) -> None:
    door = Door(folder, KEYED, TICKETED)
    secrets = [
        await door.made("keygen", "--subject", "terminal:7"),
        await door.made("genticket", "--gate", "ticketed", "--subject", "member:7"),
    ]
    for file in folder.glob("doorward.db*"):
        content = file.read_bytes()
        assert all(secret.encode() not in content for secret in secrets), file


async def test_two_layers_must_prove_the_same_person(folder: Path) -> None:
    async with Door(folder, SITE, BOTH) as door:
        key = await door.made("keygen", "--subject", "member:alice")
        async with user(door, "/both", token=door.token("alice"), key=key) as alice:
            await alice.line("admitted")
        async with user(door, "/both", token=door.token("mallory"), key=key) as mallory:
            assert await mallory.exit() != 0
            assert "admitted" not in mallory.output


async def test_a_user_takes_one_of_the_alternatives(folder: Path) -> None:
    async with Door(folder, SITE, EITHER) as door:
        async with await Peer.connect(door.url("/either")) as alice:
            assert set((await alice.event("choose"))["of"]) == {"jwt", "app_key"}
            await alice.send(action="auth", kind="jwt", token=door.token("alice"))
            await alice.event("admitted")
        key = await door.made("keygen", "--subject", "terminal:7")
        async with user(door, "/either", key=key) as terminal:
            await terminal.line("admitted")


async def test_a_refusal_by_frame_is_a_close_code_and_a_foreign_origin_is_not(folder: Path, before: str) -> None:
    async with Door(folder, SITE, FRAMED) as door:
        for protocols in ([], ["chat"]):
            async with CLIENTS[before]() as client:
                await client.open(door.url("/framed"), Opening(token=door.token("alice", lasts=-60), protocols=protocols))
                with pytest.raises(Ended) as ended:
                    await client.receive()
                assert (ended.value.code, ended.value.reason) == (4401, "not_authenticated")
        async with CLIENTS[before]() as client:
            with pytest.raises(Refused) as refused:
                await client.open(door.url("/framed"), Opening(token=door.token("bob"), origin="https://evil.example"))
            assert refused.value.status == 403
