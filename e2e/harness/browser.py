"""Chromium without a window, driven by `node/browser.mjs`."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

from .foreign import E2E
from .process import PATIENCE, Process


class BrowserFailed(AssertionError):
    """What was wanted of the browser did not come about."""


def program(*names: str) -> str:
    """Where a program is that the tests need; the first of these names that is installed."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError(f"none of {', '.join(names)} is installed: `scripts/test e2e` installs it for root on Debian")


class Browser:
    """One browser. Tabs of one person share their cookies; persons share nothing."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._opened = 0

    async def __aenter__(self) -> Browser:
        chromium = program("chromium", "chromium-browser", "google-chrome")
        self._process = await Process.start("node", E2E / "node" / "browser.mjs", chromium)
        await self._process.line("^ready$")
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._process.hang_up()
        await self._process.exit()

    async def order(self, verb: str, **fields: object) -> object:
        """Has something done, and gives what came of it."""
        async with self._turn:
            await self._process.say(json.dumps({"do": verb, **fields}))
            answer = json.loads((await self._process.line(r"^\{.*$", within=2 * PATIENCE))[0])
        if "failed" in answer:
            raise BrowserFailed(f"{verb} {fields}: {answer['failed']}")
        return answer["done"]

    async def open(self, url: str, **how: object) -> Tab:
        """Opens a page in a tab of its own. `how`: `person`, `phone`, `dark`."""
        self._opened += 1
        tab = Tab(self, str(self._opened))
        tab.status = await tab.order("open", url=url, **how)
        return tab

    async def forget(self) -> None:
        """Closes all tabs, and forgets all persons."""
        await self.order("forget")

    async def cookies(self, person: str = "somebody") -> list[dict]:
        """All cookies of a person."""
        return await self.order("cookies", person=person)


class Tab:
    """One page."""

    def __init__(self, browser: Browser, name: str) -> None:
        self._browser = browser
        self._name = name
        self.status = 0

    async def order(self, verb: str, **fields: object) -> object:
        """Has something done in this tab."""
        return await self._browser.order(verb, tab=self._name, **fields)

    async def run(self, script: str, argument: object = None) -> object:
        """Calls a function of JavaScript in the page and gives what it resolves to."""
        return await self.order("run", script=script, argument=argument)

    async def visit(self, url: str) -> int:
        """Goes to another page, and gives its status."""
        self.status = await self.order("visit", url=url)
        return self.status

    async def fill(self, label: str, text: str) -> None:
        """Types into the field with this label."""
        await self.order("fill", label=label, text=text)

    async def press(self, button: str) -> None:
        """Presses the button with this name."""
        await self.order("press", button=button)

    async def see(self, text: str) -> None:
        """Waits until this text can be seen."""
        await self.order("see", text=text)

    async def picture(self, path: Path) -> None:
        """Takes a picture of the whole page."""
        await self.order("picture", path=str(path))

    async def complaints(self) -> list[str]:
        """What the page has complained of on its console since the last time."""
        return await self.order("complaints")
