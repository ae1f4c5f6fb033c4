"""Takes the pictures in `docs/pictures` anew, of the demo and the shop in Chromium: `python pictures.py`, from this folder; those of
the shop alone with `python pictures.py shop`.

Each page in a wide window by day, and on a phone by night.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from harness.browser import Browser
from harness.demo import Demo
from harness.shop import Shop

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


async def take_shop(shop: Shop, browser: Browser, screen: str, how: dict) -> None:
    """Those of the shop: its front, a cart, and the end of a login elsewhere."""
    who = "bob" if screen == "desktop-light" else "ann"
    front = await shop.register(browser, who, **how)
    for thing in ("Storm lantern", "Enamel mug", "Wool blanket"):
        await front.press(f"Add to cart: {thing}")
        await front.see(f"{thing} is in your cart.")
    await front.picture(PICTURES / f"shop-{screen}.png")
    cart = await browser.open(f"{shop.site}/cart", person=who, **how)
    await cart.see("€149.50")
    await cart.picture(PICTURES / f"shop-cart-{screen}.png")
    account = await browser.open(f"{shop.site}/account", person=who, **how)
    await account.run("() => document.querySelector('form[action=\"/logout\"] button').click()")
    await cart.see("The login that opened this connection has ended.")
    await cart.picture(PICTURES / f"shop-ended-{screen}.png")


async def main(which: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    if which != ["shop"]:
        with tempfile.TemporaryDirectory() as folder:
            async with Demo(Path(folder)) as demo, Browser() as browser:
                for screen, how in SCREENS.items():
                    await take(demo, browser, screen, how)
                    await browser.forget()
    async with Shop() as shop, Browser() as browser:
        for screen, how in SCREENS.items():
            await take_shop(shop, browser, screen, how)
            await browser.forget()


asyncio.run(main(sys.argv[1:]))
