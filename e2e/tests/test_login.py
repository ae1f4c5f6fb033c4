"""A person at the built-in site, in Chromium: an account, a phone, a socket, and a logout that ends it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from harness.browser import Browser, Tab, program
from harness.demo import Demo
from harness.door import IDENT, NEWS, Door, gate
from harness.process import run
from harness.site import Site

PASSWORD = "a long walk along the quiet river"
ACME = '[site]\nenabled = true\nname = "Acme"\nregister = true\n'
LADDER = "[{ session = {} }, { totp = {} }, " + IDENT.removeprefix("[")

# One browser for all tests of a file, and therefore one loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Phone:
    """An authenticator app: what it has scanned, and the codes of that."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._seed = address.split("secret=")[1].split("&")[0]

    @classmethod
    async def scan(cls, tab: Tab, folder: Path) -> Phone:
        """Reads the picture that the page shows."""
        picture = folder / "qr.png"
        await tab.picture(picture)
        read = await run(program("zbarimg"), "--quiet", "--raw", picture)
        assert read.stdout.startswith("otpauth://totp/"), read
        return cls(read.stdout.strip())

    async def code(self, steps_ahead: int = 0) -> str:
        """The code of now, or of a step that is yet to come."""
        at = f"@{int(time.time()) + 30 * steps_ahead}"
        made = await run(program("oathtool"), "--totp", "--base32", "--now", at, self._seed)
        assert made.code == 0, made
        return made.stdout.strip()


async def register(browser: Browser, door: Door, name: str, person: str = "somebody") -> Tab:
    """Makes an account, and is logged in."""
    tab = await browser.open(f"http://{door.public}/register", person=person)
    await tab.fill("Username", name)
    await tab.fill("Password", PASSWORD)
    await tab.press("Create account")
    await tab.see(name)
    return tab


async def enrol(tab: Tab, door: Door, folder: Path) -> Phone:
    """Sets an authenticator app up."""
    await tab.visit(f"http://{door.public}/account/totp")
    await tab.fill("Your password", PASSWORD)
    await tab.press("Show the picture")
    await tab.see("Scan this picture")
    phone = await Phone.scan(tab, folder)
    await tab.fill("Six-digit code", await phone.code())
    await tab.press("Turn it on")
    await tab.see("Keep your recovery codes")
    return phone


async def test_a_person_enrols_a_phone_climbs_chats_and_a_logout_elsewhere_ends_the_socket(
    browser: Browser, folder: Path
) -> None:
    async with Door(folder, ACME, gate("chat", LADDER) + NEWS) as door:
        account = await register(browser, door, "ada")
        phone = await enrol(account, door, folder)

        socket = await browser.open(f"http://{door.public}/try")
        await socket.fill("Gate", door.url("/chat"))
        await socket.press("Open")
        # The code of now has confirmed the phone, and opens nothing a second time.
        await socket.fill("Six digits from your authenticator app", await phone.code(steps_ahead=1))
        await socket.press("Answer")
        await socket.press("Yes, go on")
        await socket.fill("What is the cat called?", "mia")
        await socket.press("Answer")
        await socket.see("Admitted")
        await socket.fill("Channel", "news")
        await socket.press("Subscribe")
        await socket.fill("Message to news", "hello, all")
        await socket.press("Publish")
        await socket.see("hello, all")

        await account.visit(f"http://{door.public}/account")
        # There are two buttons for it: in the bar of every page, and beside this login in the list.
        await account.run("() => document.querySelector('nav form[action=\"/logout\"] button').click()")
        began = time.monotonic()
        await socket.see("The login that opened this connection has ended.")
        assert time.monotonic() - began < 1.0
        assert await socket.complaints() == []


async def test_a_page_of_another_origin_that_brings_the_cookie_is_refused(browser: Browser, folder: Path) -> None:
    async with Door(folder, ACME, gate("chat", "[{ session = {} }]")) as door:
        await register(browser, door, "bob")
        with Site() as elsewhere:
            elsewhere.page("/", "<!doctype html><title>elsewhere</title>")
            tab = await browser.open(f"{elsewhere.origin}/")
            script = "(url) => new Promise((done) => { const s = new WebSocket(url, 'doorward.v1'); s.onopen = () => done('open'); s.onclose = (e) => done(e.code); })"
            assert await tab.run(script, door.url("/chat")) == 1006
        own = await browser.open(f"http://{door.public}/try")
        assert await own.run(script, door.url("/chat")) == "open"


async def test_ending_a_login_on_the_command_line_ends_the_socket_in_the_page(browser: Browser, folder: Path) -> None:
    async with Door(folder, ACME, gate("chat", "[{ session = {} }]") + NEWS) as door:
        await register(browser, door, "cleo", person="cleo")
        socket = await browser.open(f"http://{door.public}/try", person="cleo")
        await socket.fill("Gate", door.url("/chat"))
        await socket.press("Open")
        await socket.see("Admitted")
        ended = await door.cli("sessions", "end", "--user", "cleo")
        assert ended.code == 0, ended
        await asyncio.wait_for(socket.see("The login that opened this connection has ended."), 5)
        await socket.see("Log in, and come back to this page")
        await socket.press("Connect again")
        await socket.see("The gate did not open. You may have to log in first")
        await socket.see("You are not logged in.")
        await socket.see("Log in, and come back to this page")


async def test_an_account_with_the_longest_name_does_not_stick_out_of_a_phone(browser: Browser, folder: Path) -> None:
    async with Demo(folder) as demo:
        name = "n" * 64
        made = await browser.open(f"{demo.site}/register", person="long", phone=True)
        await made.fill("Username", name)
        await made.fill("Password", PASSWORD * 3)
        await made.press("Show")
        beside = "() => { const [a, b] = ['.input:has(.show) input', '.show'].map((at) => document.querySelector(at)); return parseFloat(getComputedStyle(a).paddingRight) >= b.offsetWidth; }"
        assert await made.run(beside), "a long password ends before the button"
        await made.press("Create account")
        await made.see(name)
        cut = "() => { const it = document.querySelector('nav a'); return [it.scrollWidth > it.clientWidth, getComputedStyle(it).display, getComputedStyle(it).textOverflow]; }"
        assert await made.run(cut) == [True, "block", "ellipsis"], "a name that is cut says so"
        alice = await demo.log_in(browser, "alice", phone=True)
        await alice.visit(f"{demo.site}/console")
        await alice.run("(name) => { [...document.querySelectorAll('main a')].find((a) => a.textContent.includes(name)).click(); }", name)
        await alice.see("Live sockets")
        for tab in (made, alice):
            wide = await tab.run("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert wide[0] <= wide[1]


async def test_the_demo_has_people_ready_and_its_owner_ends_a_socket_from_another_browser(
    browser: Browser, folder: Path
) -> None:
    async with Demo(folder) as demo:
        await demo.log_in(browser, "bob")
        socket = await demo.admitted(browser, "bob")
        alice = await demo.log_in(browser, "alice")
        await alice.visit(f"{demo.site}/console/sockets")
        await alice.press("End the socket of bob at room")
        await socket.see("The login that opened this connection has ended.")
