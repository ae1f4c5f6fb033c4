"""A child process whose lines can be waited for.

Nothing here sleeps: every wait is for a line or for the exit, with a deadline.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

PATIENCE = 20.0
"""Seconds until a wait for something that should come at once is given up."""


class ProcessFailed(AssertionError):
    """The process ended, or stayed silent, before it said what was waited for."""


class Process:
    """A running child with its output so far; ended by its own pid."""

    def __init__(self, child: asyncio.subprocess.Process, name: str) -> None:
        self._child = child
        self._name = name
        self._changed = asyncio.Condition()
        self._open = 2
        self._read = {"stdout": 0, "stderr": 0}
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self._readers = [
            asyncio.create_task(self._keep(child.stdout, self.stdout)),
            asyncio.create_task(self._keep(child.stderr, self.stderr)),
        ]

    @classmethod
    async def start(cls, *command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> Process:
        """Starts `command` with pipes on all three ends. Of `DOORWARD_...` variables it sees those of `env` alone."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=cwd,
            env={**inherited, **(env or {})},
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            limit=16 * 1024 * 1024,
        )
        return cls(child, Path(str(command[0])).name)

    async def _keep(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        async for line in stream:
            async with self._changed:
                lines.append(line.decode(errors="replace").rstrip("\r\n"))
                self._changed.notify_all()
        async with self._changed:
            self._open -= 1
            self._changed.notify_all()

    @property
    def output(self) -> str:
        """All that it said, on both ends."""
        return "\n".join([*self.stdout, *self.stderr])

    async def line(self, pattern: str, *, on: str = "stdout", within: float = PATIENCE) -> re.Match[str]:
        """The next line on that end that matches; the lines before it count as read."""
        lines = getattr(self, on)
        wanted = re.compile(pattern)

        def look() -> re.Match[str] | None:
            while self._read[on] < len(lines):
                found = wanted.search(lines[self._read[on]])
                self._read[on] += 1
                if found:
                    return found
            return None

        try:
            async with asyncio.timeout(within), self._changed:
                while True:
                    if found := look():
                        return found
                    if self._open == 0:
                        raise ProcessFailed(f"{self._name} ended without a line like {pattern!r}:\n{self.output}")
                    await self._changed.wait()
        except TimeoutError:
            raise ProcessFailed(f"{self._name} said no line like {pattern!r} in {within} s:\n{self.output}") from None

    async def say(self, line: str) -> None:
        """Writes one line to its standard input."""
        self._child.stdin.write(line.encode() + b"\n")
        await self._child.stdin.drain()

    def hang_up(self) -> None:
        """Ends its standard input."""
        self._child.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self._child.send_signal(number)

    async def exit(self, within: float = PATIENCE) -> int:
        """Its exit code, once it has ended by itself."""
        try:
            async with asyncio.timeout(within):
                code = await self._child.wait()
                await asyncio.gather(*self._readers)
                return code
        except TimeoutError:
            raise ProcessFailed(f"{self._name} still runs after {within} s:\n{self.output}") from None

    async def stop(self, within: float = 30.0) -> int:
        """Asks it to end, makes it end when it does not, and gives the exit code."""
        if self._child.returncode is None:
            self.signal(signal.SIGTERM)
        try:
            return await self.exit(within)
        except ProcessFailed:
            self._child.kill()
            await self._child.wait()
            raise


class Finished:
    """What a command that ran to its end has left."""

    def __init__(self, process: Process, code: int) -> None:
        self.code = code
        self.stdout = "\n".join(process.stdout)
        self.stderr = "\n".join(process.stderr)

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


async def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> Finished:
    """Runs a command to its end, with nothing on its standard input."""
    process = await Process.start(*command, cwd=cwd, env=env)
    process.hang_up()
    try:
        return Finished(process, await process.exit())
    except ProcessFailed:
        await process.stop()
        raise
