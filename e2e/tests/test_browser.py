"""Chromium against the real binary, with the JavaScript client as it is served; and what Chromium does with cookies."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.browser import Browser, program
from harness.door import IDENT, NEWS, REPOSITORY, Door, gate
from harness.site import Site

CLIENT = REPOSITORY / "clients" / "js" / "dist" / "doorward.js"

UPGRADE = """(url) => new Promise((done) => {
    const socket = new WebSocket(url);
    socket.onclose = ({ code }) => done(code);
})"""
"""Tries an upgrade and gives the close code."""

CLIMB = """async ({ url, options }) => {
    const { connect } = await import("/doorward.js");
    const told = [];
    const door = connect(url, {
        ...options,
        reconnect: false,
        onQuestion: (question) => {
            told.push(question.told.map(({ shows }) => shows.glyph), question.shows.question ?? null);
            return question.fields.includes("accept") ? { accept: true } : { answer: "mia" };
        },
    });
    try {
        const admission = await door.ready();
        if (admission.backend !== "hub") return { admission, told };
        const heard = new Promise((resolve) => door.on("message", resolve));
        await door.subscribe("news");
        await door.publish("news", { hello: "☂" });
        return { admission, told, heard: await heard };
    } catch ({ code }) {
        return { failed: code, closing: door.closing };
    }
}"""
"""Opens a gate with the client, and says something to its hub."""


# One browser for all tests of a file, and therefore one loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


def guarded(site: Site, door_port: str = "*") -> None:
    """A page with the strictest policy that the client can live under, and the client."""
    policy = f"default-src 'none'; script-src 'self'; connect-src 'self' ws://127.0.0.1:{door_port}"
    site.page("/", "<!doctype html><title>A page</title>", Content_Security_Policy=policy)
    site.file("/doorward.js", CLIENT)


def opened_to(site: Site, name: str, ladder: str, backend: str = "hub") -> str:
    """A gate for pages of that site."""
    return gate(name, ladder, backend) + f'origins = ["{site.origin}"]\n'


async def test_a_page_climbs_and_talks_in_the_hub(browser: Browser, site: Site, folder: Path) -> None:
    guarded(site)
    async with Door(folder, opened_to(site, "ident", IDENT) + NEWS) as door:
        tab = await browser.open(site.origin)
        came = await tab.run(CLIMB, {"url": door.url("/ident")})
        assert came["told"] == [["☂"], None, ["☂"], "What is the cat called?"]
        assert came["heard"] == {"channel": "news", "message": {"hello": "☂"}}
        assert await tab.complaints() == []


async def test_a_page_signs_with_an_app_key(browser: Browser, site: Site, folder: Path) -> None:
    guarded(site)
    door = Door(folder, opened_to(site, "keyed", "[{ app_key = {} }]", "echo"))
    key = await door.made("keygen", "--subject", "terminal:7")
    async with door:
        tab = await browser.open(site.origin)
        came = await tab.run(CLIMB, {"url": door.url("/keyed"), "options": {"appKey": key}})
        assert came["admission"]["subject"]["pk"] == "7"


async def test_a_page_of_a_foreign_origin_is_refused(browser: Browser, site: Site, folder: Path) -> None:
    with Site() as foreign:
        guarded(foreign)
        async with Door(folder, opened_to(site, "ident", IDENT) + NEWS) as door:
            tab = await browser.open(foreign.origin)
            came = await tab.run(CLIMB, {"url": door.url("/ident")})
            assert (came["failed"], came["closing"]["name"]) == ("closed", "lost")
            assert await door.sockets() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_secure_cookies_work_without_tls_on_this_machine_and_stay_on_their_site(browser: Browser, site: Site, host: str) -> None:
    """What the cookies of a site on loopback rest on. A site in the sense of cookies knows no ports."""
    site.page("/", "", Set_Cookie="__Host-login=1; Path=/; Secure; HttpOnly; SameSite=Lax")
    tab = await browser.open(f"http://{host}:{site.port}/")
    (cookie,) = await browser.cookies()
    assert (cookie["name"], cookie["secure"], cookie["domain"]) == ("__Host-login", True, host)
    await tab.run(UPGRADE, f"ws://{host}:{site.port}/own")
    (own,) = site.asked("/own")
    assert own["cookie"] == "__Host-login=1"
    assert "sec-fetch-site" not in own, "an upgrade is told from a foreign one by its Origin alone"
    with Site() as neighbour:
        neighbour.page("/", "")
        await tab.run(UPGRADE, f"ws://{host}:{neighbour.port}/to-another-port")
        assert neighbour.asked("/to-another-port")[0]["cookie"] == "__Host-login=1"
        beside = await browser.open(f"http://{host}:{neighbour.port}/")
        await beside.run(UPGRADE, f"ws://{host}:{site.port}/from-another-port")
        assert site.asked("/from-another-port")[0]["cookie"] == "__Host-login=1"
        other_name = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}[host]
        foreign = await browser.open(f"http://{other_name}:{neighbour.port}/")
        await foreign.run(UPGRADE, f"ws://{host}:{site.port}/from-another-site")
        assert "cookie" not in site.asked("/from-another-site")[0]


async def test_sub_domains_of_localhost_share_a_cookie_that_names_their_parent(browser: Browser, site: Site) -> None:
    """`shop.localhost` stands for a domain of one's own; `localhost` itself takes no cookie for all below it."""
    for host, domain, neighbour, shared in [
        ("auth.shop.localhost", "shop.localhost", "api.shop.localhost", True),
        ("auth.localhost", "localhost", "api.localhost", False),
    ]:
        site.page("/", "", Set_Cookie=f"login=1; Path=/; Secure; HttpOnly; SameSite=Lax; Domain={domain}")
        tab = await browser.open(f"http://{host}:{site.port}/", person=host)
        await tab.run(UPGRADE, f"ws://{neighbour}:{site.port}/{host}")
        assert ("cookie" in site.asked(f"/{host}")[0]) is shared, host


async def test_the_programs_that_read_a_code_from_a_picture_are_there() -> None:
    for name in ("zbarimg", "oathtool"):
        assert program(name)
    # The last of the test values of RFC 6238, appendix B.
    seed = "3132333435363738393031323334353637383930"
    said = subprocess.run(
        ["oathtool", "--totp", "--digits=8", "--now=2603-10-11 11:33:20 UTC", seed], capture_output=True, check=True, text=True
    )
    assert said.stdout.strip() == "65353130"
