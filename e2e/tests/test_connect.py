"""`doorward connect`, used through pipes as a script would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.door import HUB, SITE, Door, binary
from harness.process import Process


@asynccontextmanager
async def user(door: Door, *options: str, env: dict[str, str] | None = None) -> AsyncIterator[Process]:
    """A running `doorward connect`, stopped by its pid when it has not ended by itself."""
    process = await Process.start(binary(), "connect", door.url("/hub"), *options, env=env, cwd=door.folder)
    try:
        yield process
    finally:
        await process.stop()


async def test_a_token_in_a_file_climbs_and_lines_become_messages(folder: Path) -> None:
    async with Door(folder, SITE, HUB) as door:
        token = folder / "token"
        token.write_text(door.token("alice", groups=["3"]) + "\n")
        token.chmod(0o600)
        async with user(door, "--token-file", str(token)) as alice:
            await alice.line("admitted")
            await alice.say('{"action":"subscribe","channel":"group","pk":3,"id":1}')
            await alice.line("subscribed")
            async with user(door, env={"DOORWARD_TOKEN": door.token("bob")}) as bob:
                await bob.line("admitted")
                await bob.say('{"action":"publish","channel":"group","pk":"3","message":"grüße ☂"}')
                await alice.line("grüße ☂")


async def test_a_refusal_is_printed_and_is_no_success(folder: Path) -> None:
    async with (
        Door(folder, SITE, HUB) as door,
        user(door, env={"DOORWARD_TOKEN": door.token("alice", lasts=-60)}) as alice,
    ):
        assert await alice.exit() != 0
        assert "4401" in alice.output or "not_authenticated" in alice.output, alice.output
        assert door.key not in alice.output


async def test_an_ended_socket_is_printed_and_ends_the_command(folder: Path) -> None:
    async with Door(folder, SITE, HUB) as door, user(door, env={"DOORWARD_TOKEN": door.token("alice")}) as alice:
        await alice.line("admitted")
        ended = await door.cli("sockets", "end", await door.socket_of("alice"))
        assert ended.code == 0, ended
        await alice.exit()
        assert "4410" in alice.output or "session_ended" in alice.output, alice.output


async def test_the_end_of_the_input_hangs_up(folder: Path) -> None:
    async with Door(folder, SITE, HUB) as door, user(door, env={"DOORWARD_TOKEN": door.token("alice")}) as alice:
        await alice.line("admitted")
        alice.hang_up()
        assert await alice.exit() == 0
