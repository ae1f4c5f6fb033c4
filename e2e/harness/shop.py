"""The shop of `examples/shop`, started as its README says, and the people who visit it."""

from __future__ import annotations

import signal

from .browser import Browser, Tab
from .door import REPOSITORY, binary
from .member import PASSWORD
from .process import Process


class Shop:
    """One shop, on a port of its own where no other is named."""

    def __init__(self, address: str = "127.0.0.1:0") -> None:
        self._address = address

    async def __aenter__(self) -> Shop:
        # It is built beside the binary under test.
        self._process = await Process.start(binary().parent / "shop", self._address, cwd=REPOSITORY)
        try:
            said = await self._process.line(r"the shop is open: (http://\S+)/$")
        except BaseException:
            await self._process.stop()
            raise
        self.site = said[1]
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._process.stop()

    async def close(self) -> int:
        """Closes it as its owner does, with ^C; gives the exit code."""
        self._process.signal(signal.SIGINT)
        return await self._process.exit()

    async def register(self, browser: Browser, name: str, **how: object) -> Tab:
        """Somebody new, by the form, back among the goods."""
        tab = await browser.open(f"{self.site}/", **{"person": name, **how})
        await tab.run("() => document.querySelector('a[href^=\"/register\"]').click()")
        await tab.see("Create an account")
        await tab.fill("Username", name)
        await tab.fill("Password", PASSWORD)
        await tab.press("Create account")
        await tab.see("Log out")
        return tab
