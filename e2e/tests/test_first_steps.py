"""What somebody types who has just built the program."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from harness.door import binary
from harness.process import Process, run

PORTS = {"DOORWARD_SERVER_LISTEN": "127.0.0.1:0", "DOORWARD_INTERNAL_LISTEN": "127.0.0.1:0"}


async def test_a_generated_configuration_is_right_and_serves(folder: Path) -> None:
    for command in ("genconfig", "checkconfig"):
        done = await run(binary(), command, cwd=folder)
        assert done.code == 0, done
    for file in folder.iterdir():
        if "secret" in file.name:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, f"{file.name} is for its owner alone"
    server = await Process.start(binary(), "serve", cwd=folder, env=PORTS)
    try:
        await server.line(r"^listening on \S+:\d+$")
        await server.line(r"^listening on \S+:\d+ \(internal\)$")
        healthy = await run(binary(), "health", cwd=folder)
        assert healthy.code == 0, healthy
    finally:
        await server.stop()


async def test_a_configuration_is_not_written_over(folder: Path) -> None:
    assert (await run(binary(), "genconfig", cwd=folder)).code == 0
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert (await run(binary(), "genconfig", cwd=folder)).code != 0
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


async def test_the_demo_shows_every_ladder_and_ends_well(folder: Path) -> None:
    demo = await Process.start(binary(), "demo", "--once", cwd=folder, env={"TMPDIR": str(folder)})
    demo.hang_up()
    assert await demo.exit(within=60) == 0, demo.output
    for layer in ("jwt", "ticket", "app_key", "challenge", "ident", "offer", "bearer", "totp"):
        assert layer in demo.output.lower(), f"the demo does not show {layer}"
    lived = re.findall(r"socket is told 4410 session_ended; it lived on for ([\d.]+) ms", demo.output)
    assert len(lived) == 2 and all(float(milliseconds) < 1000 for milliseconds in lived), demo.output


async def test_without_arguments_the_program_says_what_it_can_do(folder: Path) -> None:
    helped = await run(binary(), "--help", cwd=folder)
    assert helped.code == 0
    for command in ("serve", "guard", "connect", "demo", "sockets", "why"):
        assert command in helped.stdout
    wrong = await run(binary(), "serve", "-c", "no-such-file.toml", cwd=folder)
    assert wrong.code != 0 and "no-such-file.toml" in wrong.stderr
    assert "panicked" not in wrong.stderr
