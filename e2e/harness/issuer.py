"""A foreign issuer of tokens: the npm package `oidc-provider` on Keycloak's paths, in a process of its own (`node/issuer.mjs`)."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
import urllib.request

from .foreign import E2E
from .process import Process

CLIENT = {"client_id": "shop", "client_secret": "shop-secret-of-the-e2e-tests"}


class Issuer:
    """One issuer that runs, with its own key."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self.url = ""

    async def __aenter__(self) -> Issuer:
        self.process = await Process.start("node", E2E / "node" / "issuer.mjs")
        self.url = (await self.process.line(r"^issuer (\S+)$"))[1]
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.process.hang_up()
        await self.process.exit()

    def section(self, name: str = "idp") -> str:
        """What a configuration says of it."""
        return f"""
[[issuer]]
name = "{name}"
issuer = "{self.url}"
audience = "doorward"
algorithms = ["RS256"]
profile = "keycloak"
clients = ["shop"]
discover = true
allow_private = true
"""

    async def order(self, verb: str, **fields: str) -> str:
        """Tells it what to do, and gives what came of it."""
        await self.process.say(json.dumps({"do": verb, **fields}))
        return (await self.process.line(r"^done (\S+)$"))[1]

    async def token(self) -> str:
        """An access token of the client `shop`."""
        return (await asyncio.to_thread(self._granted))["access_token"]

    def _granted(self) -> dict:
        form = urllib.parse.urlencode({"grant_type": "client_credentials", **CLIENT}).encode()
        with urllib.request.urlopen(f"{self.url}/protocol/openid-connect/token", form) as answer:
            return json.load(answer)
