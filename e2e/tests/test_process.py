"""The server as a process: how it starts, what stops it from starting, how it ends."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from harness.door import ECHO, HUB, SITE, Door, upstream
from harness.foreign import CLIENTS, Ended, Opening, echo_server
from harness.hub import Peer
from harness.process import Process

LOGGED = re.compile(r"\b(TRACE|DEBUG|INFO|WARN)\b")


def complaints(process: Process) -> list[str]:
    """The lines on standard error that are no entries of a healthy log."""
    return [line for line in process.stderr if line.strip() and not LOGGED.search(line)]


async def test_sigterm_closes_every_socket_with_a_hint_and_ends(folder: Path) -> None:
    async with echo_server("ws") as server:
        door = await Door(folder, SITE, HUB, ECHO, upstream(server.url)).start()
        peers = [await Peer.admitted(door.url("/hub"), door.token(name)) for name in ("alice", "bob")]
        climbing = await Peer.connect(door.url("/hub"))
        await climbing.event("ask")
        async with CLIENTS["ws"]() as relayed, CLIENTS["websockets"]() as echoing:
            await relayed.open(door.url("/app"), Opening(token=door.token("carol")))
            await echoing.open(door.url("/echo"), Opening())
            door.process.signal(signal.SIGTERM)
            for peer in peers:
                assert (await peer.closed())[0] == 1012
            for client in (relayed, echoing):
                with pytest.raises(Ended) as end:
                    await client.receive()
                assert end.value.code == 1012
        assert (await climbing.closed())[0] in (1001, 1012, 1013), "who was still climbing is told to come back"
        assert await door.process.exit(within=2 + 2) == 0, "within `shutdown`, with room for a busy machine"
        door.assert_nothing_secret_was_said()


async def test_the_second_server_on_one_store_says_why_it_does_not_start(folder: Path) -> None:
    async with Door(folder, SITE, HUB) as door:
        second = await door.spawn()
        assert await second.exit() != 0
        said = complaints(second)
        assert len(said) == 1, said
        assert "doorward.db" in said[0], "it names the store"
        async with await Peer.admitted(door.url("/hub"), door.token("alice")):
            pass


async def test_a_port_in_use_is_one_clear_line(folder: Path) -> None:
    async with echo_server("websockets") as somebody:
        door = Door(folder, SITE, HUB)
        door.configure(SITE, HUB, listen=somebody.address)
        process = await door.spawn()
        assert await process.exit() != 0
        said = complaints(process)
        assert len(said) == 1, said
        assert somebody.address in said[0], "it names the port"
        assert "listening" not in process.output


async def test_a_mistake_in_the_configuration_is_named_with_its_line(folder: Path) -> None:
    door = Door(folder, SITE, HUB.replace("ladder", "lader"))
    process = await door.spawn()
    assert await process.exit() != 0
    assert "lader" in process.output and "ladder" in process.output, "it names the mistake and what would be right"
    assert not process.stdout, "nothing listens"


async def test_sighup_reads_the_gates_again_and_a_bad_file_changes_nothing(folder: Path) -> None:
    door = Door(folder, SITE, HUB)
    async with door, await Peer.admitted(door.url("/hub"), door.token("alice", groups=["3"])) as alice:
        door.configure(SITE, HUB, ECHO)
        door.process.signal(signal.SIGHUP)
        await door.process.line("read again", on="stderr")
        door.configure(SITE, HUB.replace("ladder", "lader"))
        door.process.signal(signal.SIGHUP)
        await door.process.line("lader", on="stderr")
        async with CLIENTS["websockets"]() as client:
            await client.open(door.url("/echo"), Opening())
            await client.send("still here")
            assert await client.receive() == "still here"
        await alice.send(action="subscribe", channel="group", pk=3)
        await alice.event("subscribed")


async def test_sighup_says_what_takes_effect_at_the_next_start_alone(folder: Path) -> None:
    door = Door(folder, SITE, ECHO)
    async with door:
        door.configure(SITE, ECHO, "[site]\nenabled = true\n[lease]\nlasts = \"20s\"\n")
        door.process.signal(signal.SIGHUP)
        await door.process.line(r"`\[site\]` takes effect at the next start", on="stderr")
        await door.process.line(r"`\[lease\] lasts` takes effect at the next start", on="stderr")
        await door.process.line("read again", on="stderr")
        assert "`[server]" not in door.process.output


async def test_a_store_survives_a_restart(folder: Path) -> None:
    door = Door(folder, SITE, HUB)
    async with door, await Peer.connect(door.url("/hub")) as peer:
        await peer.event("ask")
        await peer.send(action="auth", kind="jwt", token="nonsense")
        refused = await peer.event("refused")
    async with door:
        why = await door.cli("why", refused["trace"])
        assert why.code == 0 and "hub" in why.stdout, why


async def test_health_is_told_to_a_person_and_to_a_script(folder: Path) -> None:
    door = Door(folder, SITE, HUB)
    async with door:
        assert (await door.cli("health")).code == 0
    assert (await door.cli("health")).code != 0


@pytest.mark.parametrize("level", ["info", "trace"])
async def test_the_log_holds_no_secret_however_much_it_says(folder: Path, level: str) -> None:
    async with echo_server("websockets") as server:
        # whoever tries things out has the variables of the client in the same shell
        environment = {"DOORWARD_LOG": level, "DOORWARD_TOKEN": "of-the-shell"}
        door = await Door(folder, SITE, HUB, upstream(server.url)).start(environment)
        good, bad = door.token("alice", groups=["3"]), door.token("alice", key=door.keep_secret("k" * 48))
        message = door.keep_secret("the message itself 7f3a")
        async with await Peer.admitted(door.url("/hub"), good) as alice:
            await alice.send(action="subscribe", channel="group", pk=3)
            await alice.event("subscribed")
            await alice.send(action="publish", channel="group", pk=3, message=message)
            await alice.event("message")
        async with await Peer.connect(door.url("/hub")) as eve:
            await eve.event("ask")
            await eve.send(action="auth", kind="jwt", token=bad)
            assert (await eve.closed())[0] == 4401
        cookie = door.keep_secret("session=9c1e44")
        query = door.keep_secret("in-the-query-51d0")
        async with CLIENTS["websockets"]() as client:
            await client.open(door.url(f"/app?key={query}"), Opening(token=good, headers={"Cookie": cookie}))
            await client.send("headers")
            door.keep_secret(json.loads(await client.receive())["x-doorward-assertion"].rsplit(".", 1)[1])
        await door.stop()
