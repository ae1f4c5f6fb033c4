"""The JavaScript client of Doorward on the npm package `ws`, in a process of its own: `node/doorward.mjs`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .foreign import E2E
from .process import Process


class JavaScript:
    """One door, and what it tells."""

    def __init__(self) -> None:
        self._process: Process | None = None

    async def __aenter__(self) -> JavaScript:
        self._process = await Process.start("node", E2E / "node" / "doorward.mjs")
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._process.hang_up()
        await self._process.exit()

    @property
    def output(self) -> str:
        """All that it said."""
        return self._process.output

    async def order(self, verb: str, **fields: object) -> None:
        """Tells it what to do."""
        await self._process.say(json.dumps({"do": verb, **fields}))

    async def open(self, url: str, tickets: Sequence[str] = (), headers: dict | None = None, **options: object) -> None:
        """Opens a gate."""
        await self.order("open", url=url, options=options, tickets=list(tickets), headers=headers or {})

    async def answer(self, answer: object) -> None:
        """Answers the question that was told last."""
        await self.order("answer", answer=answer)

    async def ask(self, verb: str, *arguments: object) -> object:
        """Has a verb of the door called, and gives what it resolves to."""
        await self.order(verb, **{"with": list(arguments)})
        return await self.happened(verb)

    async def happened(self, what: str) -> object:
        """Waits until that happens, and gives its details; what happened before it counts as read."""
        line = await self._process.line(rf'^\{{"happened":"{what}"')
        return json.loads(line.string).get("detail")
