"""The try-it page in Chromium: against the real binary, and against a gate that is made up where it has layers of every sort."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from harness.browser import Browser, Tab
from harness.door import IDENT, NEWS, REPOSITORY, Door, gate
from harness.site import Site

PIECES = REPOSITORY / "clients" / "js"
POLICY = "default-src 'self'; connect-src 'self' ws://127.0.0.1:*; frame-ancestors 'none'"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Try a gate</title>
<link rel="stylesheet" href="/site.css"><link rel="stylesheet" href="/assets/try/try.css">
</head>
<body>{}<script type="module" src="/assets/try/try.js"></script></body>
</html>"""
STYLE = """
body { margin: 0; background: #f6f7f9; }
@media (prefers-color-scheme: dark) { body { background: #12151c; } }
"""

# One browser for all tests of a file, and therefore one loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        site.page("/try", PAGE.format((PIECES / "try" / "try.html").read_text()), Content_Security_Policy=POLICY)
        site.page("/site.css", STYLE)
        site.page("/favicon.ico", "")
        site.file("/doorward.js", PIECES / "dist" / "doorward.js")
        for piece in (PIECES / "try").iterdir():
            if piece.suffix in (".js", ".css"):
                site.file(f"/assets/try/{piece.name}", piece)
        yield site


async def picture(tab: Tab, name: str) -> None:
    """Keeps a picture where `PICTURES` names a folder."""
    if folder := os.environ.get("PICTURES"):
        await tab.picture(Path(folder) / f"{name}.png")


async def focused(tab: Tab) -> str:
    """The label of what has the focus, or its text."""
    return await tab.run("() => document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent")


async def test_a_person_climbs_chats_and_sees_why_it_ended(browser: Browser, site: Site, folder: Path) -> None:
    async with Door(folder, gate("chat", IDENT) + f'origins = ["{site.origin}"]\n' + NEWS) as door:
        tab = await browser.open(f"{site.origin}/try")
        await tab.fill("Gate", door.url("/chat"))
        await tab.press("Open")
        await tab.see("Do you recognise this gate?")
        await tab.see("☂")
        assert await focused(tab) == "Yes, go on"
        await picture(tab, "ident")
        await tab.press("Yes, go on")
        await tab.see("What is the cat called?")
        assert await focused(tab) == "What is the cat called?"
        await tab.fill("What is the cat called?", "mia")
        await tab.press("Answer")
        await tab.see("Admitted")
        await tab.fill("Channel", "news")
        await tab.press("Subscribe")
        await tab.see("×")
        await tab.fill("Message to news", "hello, <b>all</b>")
        await tab.press("Publish")
        await tab.see("hello, <b>all</b>")
        await picture(tab, "hub")
        await tab.fill("Channel", "secrets")
        await tab.press("Subscribe")
        await tab.see("secrets: permission_denied")
        await tab.see("Message to news")
        ended = await door.cli("sockets", "end", "gate=chat")
        assert ended.code == 0, ended
        await tab.see("The login that opened this connection has ended.")
        await tab.see("4410 session_ended")
        await picture(tab, "ended")
        await tab.press("Connect again")
        await tab.see("Do you recognise this gate?")
        await tab.press("No, leave")
        await tab.see("You did not recognise this gate and left.")
        assert await tab.complaints() == []


async def test_a_refusal_tells_the_trace_to_ask_the_operator_by(browser: Browser, site: Site, folder: Path) -> None:
    async with Door(folder, gate("chat", IDENT) + f'origins = ["{site.origin}"]\n') as door:
        tab = await browser.open(f"{site.origin}/try?gate={door.url('/chat')}")
        await tab.press("Open")
        await tab.press("Yes, go on")
        await tab.fill("What is the cat called?", "Rex")
        await tab.press("Answer")
        await tab.see("You could not be authenticated.")
        await tab.see("The same credentials would end the same way.")
        await tab.see("doorward why ")
        await picture(tab, "refused")


async def test_a_gate_that_refuses_the_upgrade_is_given_up_and_the_page_says_what_can_be_done(browser: Browser, site: Site, folder: Path) -> None:
    async with Door(folder, gate("chat", IDENT)) as door:
        tab = await browser.open(f"{site.origin}/try?gate={door.url('/chat')}")
        await tab.press("Open")
        await tab.see("The gate did not open. You may have to log in first")
        await tab.see("Connect again")
        assert await tab.run("() => document.querySelector('#try-end a').getAttribute('href')") == "/login?next=/try"


async def test_a_path_with_a_part_to_fill_in_is_not_opened_before_it_is_filled_in(browser: Browser, site: Site) -> None:
    async with made_up_gate() as (url, came):
        tab = await browser.open(f"{site.origin}/try?gate={url}room/{{name}}")
        await tab.see("Fill in {name}")
        chosen = "() => { const { value, selectionStart, selectionEnd } = document.activeElement; return value.slice(selectionStart, selectionEnd); }"
        assert await tab.run(chosen) == "{name}"
        await tab.press("Open")
        await tab.see("Not connected")
        await tab.fill("Gate", f"{url}room/blue")
        await tab.press("Open")
        assert (await came.get()).request.path == "/room/blue"


async def test_a_time_of_another_day_says_the_day(browser: Browser, site: Site) -> None:
    tab = await browser.open(f"{site.origin}/try")
    said = """async (at) => {
        const { untilWords } = await import("/assets/try/words.js");
        return untilWords(new Date(at), new Date("2026-11-22T12:38:00"));
    }"""
    assert "November" not in await tab.run(said, "2026-11-22T23:59:59")
    assert "November" in await tab.run(said, "2026-11-23T00:38:43")


async def test_a_code_that_is_refused_may_have_been_used_before(browser: Browser, site: Site) -> None:
    async with made_up_gate() as (url, came):
        tab = await browser.open(f"{site.origin}/try?gate={url}")
        await tab.press("Open")
        peer = await came.get()
        await say(peer, event="ask", layer="totp", step="user sends code", fields=["code"], expires_in=30)
        await tab.see("A code counts once.")
        await tab.fill("Six digits from your authenticator app", "123456")
        await tab.press("Answer")
        await peer.recv()
        await say(peer, event="refused", code=4401, reason="not_authenticated", reconnect="never", after_ms=0, trace="4bf9")
        await tab.see("You could not be authenticated.")
        assert "A code counts once." in await tab.run("() => document.querySelector('#try-end').textContent")


async def test_the_longest_names_do_not_stick_out_of_a_phone(browser: Browser, site: Site) -> None:
    async with made_up_gate() as (url, came):
        tab = await browser.open(f"{site.origin}/try?gate={url}", phone=True)
        await tab.press("Open")
        peer = await came.get()
        await say(peer, event="admitted", socket="0f", subject={"kind": "user", "pk": "7", "uuid": "n" * 64}, backend="hub")
        await tab.see("Admitted as")
        await say(peer, event="message", channel="c" * 100, message="m" * 200)
        await tab.see("m" * 200)
        await picture(tab, "phone-long")
        wide = await tab.run("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1]


@asynccontextmanager
async def made_up_gate() -> AsyncIterator[tuple[str, asyncio.Queue]]:
    """A gate that says what the test says, and where the last one who came can be had."""
    came: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def attend(connection: ServerConnection) -> None:
        await came.put(connection)
        await connection.wait_closed()

    async with serve(attend, "127.0.0.1", 0, subprotocols=["doorward.v1"]) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", came


async def say(connection: ServerConnection, **event: object) -> None:
    await connection.send(json.dumps(event))


@pytest.mark.parametrize(("phone", "dark"), [(True, False), (False, True)], ids=["phone", "dark"])
async def test_each_sort_of_question_is_a_form_that_helps_to_answer_it(browser: Browser, site: Site, phone: bool, dark: bool) -> None:
    shape = "phone" if phone else "dark"
    async with made_up_gate() as (url, came):
        tab = await browser.open(f"{site.origin}/try?gate={url}", phone=phone, dark=dark)
        await picture(tab, f"{shape}-start")
        await tab.press("Open")
        peer = await came.get()
        await say(peer, event="wait", layer="assert_login", step="user logs in", expires_in=300)
        await tab.see("Waiting until you are logged in")
        await tab.see("Log in, in another tab")
        await tab.press("Look again now")
        assert json.loads(await peer.recv()) == {"action": "auth", "kind": "assert_login", "check": True}
        await say(peer, event="choose", of=["totp", "key_entry"], optional=True, expires_in=60)
        await tab.see("Would you like to add one of these?")
        await picture(tab, f"{shape}-choose")
        await tab.press("Code of your authenticator app")
        assert json.loads(await peer.recv()) == {"action": "auth", "kind": "totp"}
        await say(peer, event="ask", layer="totp", step="user sends code", fields=["code"], expires_in=30)
        await tab.see("30 s left")
        code = await tab.run("() => { const { inputMode, autocomplete } = document.activeElement; return [inputMode, autocomplete]; }")
        assert code == ["numeric", "one-time-code"]
        await picture(tab, f"{shape}-totp")
        await tab.fill("Six digits from your authenticator app", "123 456")
        await tab.press("Answer")
        assert json.loads(await peer.recv()) == {"action": "auth", "kind": "totp", "code": "123456"}
        await say(peer, event="ask", layer="password", step="user sends password", fields=["username", "password"], expires_in=60)
        await tab.fill("Username", "bob")
        await tab.fill("Password", "correct horse")
        await picture(tab, f"{shape}-password")
        await tab.press("Answer")
        assert json.loads(await peer.recv())["username"] == "bob"
        subject = {"kind": "member", "pk": "7", "uuid": "bob"}
        await say(peer, event="admitted", socket="0f", subject=subject, backend="hub")
        await tab.see("Admitted as bob")
        await say(peer, event="suspended", reason="logged_out")
        await tab.see("Log in again in this browser")
        await picture(tab, f"{shape}-suspended")
        await say(peer, event="resumed", gap=True)
        await tab.see("Goes on. What was said meanwhile did not come.")
        await peer.close(1012, "restart")
        await tab.see("The server is restarting.")
        await tab.see("Coming back in")
        again = await came.get()
        await say(again, event="admitted", socket="1f", backend="hub")
        await tab.run("() => new Promise((done) => { const look = () => document.querySelector('#try-end').hidden ? done() : setTimeout(look, 10); look(); })")
        wide = await tab.run("() => document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, "nothing sticks out sideways"
        assert await tab.complaints() == []


async def test_a_question_that_nobody_waits_for_any_more_is_gone(browser: Browser, site: Site) -> None:
    async with made_up_gate() as (url, came):
        tab = await browser.open(f"{site.origin}/try?gate={url}")
        await tab.press("Open")
        peer = await came.get()
        await say(peer, event="ask", layer="totp", step="user sends code", fields=["code"], expires_in=30)
        await tab.see("Six digits")
        await say(peer, event="refused", code=4408, reason="too_slow", reconnect="never", after_ms=0, trace="4bf9")
        await tab.see("A step was not answered in time.")
        assert await focused(tab) == "Connect again", "the focus of a form that is gone is where one goes on"
        assert await tab.run("() => document.querySelectorAll('.try-question').length") == 0
