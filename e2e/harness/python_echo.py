"""A foreign echo server on the Python library `websockets`: `python -m harness.python_echo`.

It prints `listening on ADDR`, then `opened` and `closed CODE REASON` for each connection.
What it does besides echoing stands in `harness/commands.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from .commands import FRAGMENTS, numbered


async def answer(connection: ServerConnection) -> None:
    """Echoes until the other side is gone."""
    print("opened", flush=True)
    try:
        async for message in connection:
            await obey(connection, message)
    except ConnectionClosed:
        pass
    finally:
        await connection.wait_closed()
        print(f"closed {connection.close_code} {connection.close_reason}", flush=True)


async def obey(connection: ServerConnection, message: str | bytes) -> None:
    """Does what one message says."""
    match message.split(" ", 2) if isinstance(message, str) and len(message) < 1024 else []:
        case ["headers"]:
            await connection.send(
                json.dumps({name.lower(): value for name, value in connection.request.headers.raw_items()})
            )
        case ["fragments"]:
            await connection.send(FRAGMENTS)
        case ["close", code, reason]:
            await connection.close(int(code), reason)
        case ["flood", size]:
            number = 0
            while True:
                await connection.send(numbered(number, int(size)))
                number += 1
                await asyncio.sleep(
                    0
                )  # a send that need not wait does not let the loop read, and the Close would go unseen
        case _:
            await connection.send(message)


def choose(connection: ServerConnection, offered: Sequence[str]) -> str | None:
    """The first of our subprotocols that was offered; none is demanded."""
    return next((ours for ours in ("chat", "other") if ours in offered), None)


async def main() -> None:
    """Listens on a free port until it is ended."""
    options = {"select_subprotocol": choose, "max_size": 16 * 1024 * 1024, "close_timeout": 5}
    async with serve(answer, "127.0.0.1", 0, **options) as server:
        host, port = server.sockets[0].getsockname()[:2]
        print(f"listening on {host}:{port}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
