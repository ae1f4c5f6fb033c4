"""`doorward demo` while it stays up: its website, and the people who are ready there."""

from __future__ import annotations

from pathlib import Path

from .browser import Browser, Tab
from .door import binary
from .process import Process

# An unoptimised build hashes the passwords of its people for some seconds.
TRANSCRIPT = 60.0


class Demo:
    """The demo, from the end of its transcript on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __aenter__(self) -> Demo:
        self._process = await Process.start(
            binary(), "demo", cwd=self._folder, env={"TMPDIR": str(self._folder)}
        )
        try:
            said = await self._process.line(r"In a browser:\s+(http://\S+)/$", within=TRANSCRIPT)
            self.site = said[1]
            people = [await self._process.line(rf"^\s+({name})\s+\w+\s+(\S+)$") for name in ("alice", "bob")]
            self._passwords = {person[1]: person[2] for person in people}
            await self._process.line("Ctrl-C ends it")
        except BaseException:
            await self._process.stop()
            raise
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._process.stop()

    def password(self, name: str) -> str:
        """The password of somebody of the demo's."""
        return self._passwords[name]

    async def log_in(self, browser: Browser, name: str, **how: object) -> Tab:
        """Somebody of the demo's, logged in by the form, on their account page."""
        tab = await browser.open(f"{self.site}/login", **{"person": name, **how})
        await tab.fill("Username", name)
        await tab.fill("Password", self.password(name))
        await tab.press("Log in")
        await tab.see("Authenticator app")
        return tab

    async def admitted(self, browser: Browser, name: str, gate: str = "/room", **how: object) -> Tab:
        """The page that tries a gate, with a socket that is in."""
        tab = await browser.open(f"{self.site}/try", **{"person": name, **how})
        await tab.fill("Gate", gate)
        await tab.press("Open")
        if gate == "/room":
            await tab.press("Yes, go on")
        await tab.see("Admitted")
        return tab
