"""`doorward guard`: one command in front of an unchanged server."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from .door import binary
from .process import Process

SUBPROTOCOL = "base64url.bearer.authorization.doorward."


class Guard:
    """A guard that runs, and the token that it made."""

    def __init__(self, process: Process, address: str, token: str | None) -> None:
        self.process = process
        self.url = f"ws://{address}/"
        self.token = token

    def token_as_subprotocol(self) -> str:
        """The token in the form for browsers, which cannot set a header."""
        return SUBPROTOCOL + base64.urlsafe_b64encode(self.token.encode()).decode().rstrip("=")


@asynccontextmanager
async def guard(folder: Path, upstream: str, *options: str) -> AsyncIterator[Guard]:
    """Runs a guard in front of `upstream`; when it ends, its log is looked through for the token."""
    # what it has to write for as long as it runs goes into `TMPDIR`
    env = {"TMPDIR": str(folder), "DOORWARD_SERVER_SHUTDOWN": "2s"}
    process = await Process.start(binary(), "guard", upstream, "--listen", "127.0.0.1:0", *options, cwd=folder, env=env)
    token = None
    try:
        address = (await process.line(r"^listening on (?:\w+://)?([\w.\[\]:-]+:\d+)"))[1]
        if "--open" not in options:
            token = (await process.line(r"^token (\S+)$"))[1]
            shown = await process.line(r"^connect with: DOORWARD_TOKEN=(\S+) doorward connect ws://(\S+)/")
            assert (shown[1], shown[2]) == (token, address)
        yield Guard(process, address, token)
    finally:
        await process.stop()
        log = "\n".join(process.stderr)
        assert token is None or token.rsplit(".", 1)[1] not in log, "the log holds the token"
