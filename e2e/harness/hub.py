"""A peer of the JSON protocol `doorward.v1`, on the foreign library `websockets`."""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from .process import PATIENCE


class Peer:
    """One connection to a gate that speaks JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen: list[dict] = []

    @classmethod
    async def connect(cls, url: str, **options: object) -> Peer:
        """Opens the socket; the ladder has not been climbed yet."""
        return cls(await connect(url, subprotocols=["doorward.v1"], proxy=None, open_timeout=PATIENCE, **options))

    @classmethod
    async def admitted(cls, url: str, token: str) -> Peer:
        """Opens the socket and climbs its ladder with a token."""
        peer = await cls.connect(url)
        await peer.climb(token)
        return peer

    async def __aenter__(self) -> Peer:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.connection.close()

    async def send(self, **fields: object) -> None:
        """Sends one JSON object."""
        await self.connection.send(json.dumps(fields))

    async def event(self, name: str | None = None) -> dict:
        """The next event, which must be a `name` where one is given."""
        async with asyncio.timeout(PATIENCE):
            text = await self.connection.recv()
        assert isinstance(text, str), "the JSON protocol uses text frames only"
        event = json.loads(text)
        self.seen.append(event)
        assert name is None or event["event"] == name, f"waited for {name!r}, came {event}"
        return event

    async def climb(self, token: str) -> dict:
        """Answers the ladder's one question with a token and gives the admission."""
        ask = await self.event("ask")
        assert ask["layer"] == "jwt", ask
        await self.send(action="auth", kind="jwt", token=token)
        return await self.event("admitted")

    async def closed(self) -> tuple[int, str]:
        """Waits for the end and gives the close code and reason that the server sent."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    self.seen.append(json.loads(await self.connection.recv()))
        except ConnectionClosed as end:
            assert end.rcvd is not None, f"the socket ended without a Close frame: {end!r}"
            return end.rcvd.code, end.rcvd.reason
