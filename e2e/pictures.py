"""Takes the pictures in `docs/pictures` anew, of the demo in Chromium: `python pictures.py`, from this folder.

Each page in a wide window by day, and on a phone by night.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from harness.browser import Browser
from harness.demo import Demo

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
SCREENS = {"desktop-light": {}, "phone-dark": {"phone": True, "dark": True}}


async def take(demo: Demo, browser: Browser, screen: str, how: dict) -> None:
    """All pictures on one kind of screen."""

    def file(name: str) -> Path:
        return PICTURES / f"{name}-{screen}.png"

    stranger = await browser.open(f"{demo.site}/login", person="stranger", **how)
    await stranger.picture(file("login"))
    await stranger.visit(f"{demo.site}/register")
    await stranger.picture(file("register"))
    account = await demo.log_in(browser, "bob", **how)
    socket = await demo.admitted(browser, "bob", **how)
    await socket.fill("Channel", "lobby")
    await socket.press("Subscribe")
    await socket.fill("Message to lobby", "is anybody here?")
    await socket.press("Publish")
    await socket.see("is anybody here?")
    await socket.picture(file("try"))
    await account.visit(f"{demo.site}/account")
    await account.picture(file("account"))
    await account.visit(f"{demo.site}/account/totp")
    await account.fill("Your password", demo.password("bob"))
    await account.press("Show the picture")
    await account.see("Scan this picture")
    await account.picture(file("totp"))
    alice = await demo.log_in(browser, "alice", **how)
    await alice.visit(f"{demo.site}/console/sockets")
    await alice.picture(file("console"))
    await account.visit(f"{demo.site}/account")
    await account.run("() => document.querySelector('nav form[action=\"/logout\"] button').click()")
    await socket.see("The login that opened this connection has ended.")
    await socket.picture(file("ended"))


async def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with Demo(Path(folder)) as demo, Browser() as browser:
            for screen, how in SCREENS.items():
                await take(demo, browser, screen, how)
                await browser.forget()


asyncio.run(main())
