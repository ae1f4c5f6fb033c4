"""The shop in Chromium: a cart over 9P, that is its user's alone and ends with the login."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from harness.browser import Browser, Tab
from harness.shop import Shop

# One browser for all tests of a file, and therefore one loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDED = "() => { const line = document.querySelector('#ended'); return line.hidden ? null : line.textContent; }"
UNTIL = """async (wanted) => {
    const now = performance.now();
    for (;;) {
        const found = EXPRESSION;
        if (String(found) === String(wanted)) return performance.now() - now;
        if (performance.now() - now > 10_000) throw new Error(`it is ${found}, not ${wanted}`);
        await new Promise((done) => requestAnimationFrame(done));
    }
}"""
"""Looks at every frame, and gives for how long."""

COUNT = "document.querySelector('#count').hidden ? 0 : document.querySelector('#count').textContent"


LOOK = """async (other) => {
    const { connect } = await import("/ninep.js");
    const files = await connect("/ws");
    const channels = (await files.list("/channels/changes")).map(({ name }) => name);
    const session = await files.read("/session");
    const why = ({ reason }) => reason;
    const path = `/channels/changes/${other}`;
    const heard = other && (await files.follow(path).next().catch(why));
    const said = other && (await files.write(path, "null").catch(why));
    return { cart: await files.list("/cart"), channels, session, heard, said };
}"""
"""What somebody sees in the tree, and of another's channel."""


async def until(tab: Tab, expression: str, wanted: object) -> float:
    """Waits until an expression has that value in the page; gives for how many milliseconds."""
    return await tab.run(UNTIL.replace("EXPRESSION", expression), wanted)


async def add(tab: Tab, thing: str, then: int) -> None:
    """Puts something into the cart, which then has so many things in it."""
    await tab.press(f"Add to cart: {thing}")
    await until(tab, COUNT, then)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[Shop]:
    async with Shop() as shop:
        yield shop


async def test_a_cart_is_filled_changed_ordered_and_seen_by_every_tab(browser: Browser, shop: Shop) -> None:
    front = await shop.register(browser, "bob")
    await add(front, "Storm lantern", 1)
    await front.see("Storm lantern is in your cart.")
    await add(front, "Storm lantern", 2)
    await add(front, "Enamel mug", 3)
    cart = await browser.open(f"{shop.site}/cart", person="bob")
    await until(cart, "document.querySelector('#total').textContent", "€109.50")

    await cart.fill("Quantity of Storm lantern", "5")
    await cart.run("() => document.activeElement.blur()")
    await until(cart, "document.querySelector('#total').textContent", "€256.50")
    await until(front, COUNT, 6)
    await cart.press("Take out Enamel mug")
    await until(front, COUNT, 5)

    await cart.press("Check out")
    await cart.see("Thank you, bob")
    await cart.see("5 × Storm lantern")
    await cart.see("€245.00")
    await until(front, COUNT, 0)
    again = await browser.open(f"{shop.site}/cart", person="bob")
    await again.see("There is nothing in it yet.")
    assert [await tab.complaints() for tab in (front, cart, again)] == [[], [], []], "the policy of the page is kept"


async def test_a_logout_in_another_tab_ends_the_cart_and_the_page_says_so_within_a_second(browser: Browser, shop: Shop) -> None:
    front = await shop.register(browser, "carol")
    await add(front, "Hemp rope", 1)
    cart = await browser.open(f"{shop.site}/cart", person="carol")
    await until(cart, COUNT, 1)
    other = await browser.open(f"{shop.site}/account", person="carol")
    await other.run("() => document.querySelector('form[action=\"/logout\"] button').click()")
    await other.see("You are logged out.")
    assert await until(front, "document.querySelector('#ended').hidden", "false") < 1000
    assert "The login that opened this connection has ended." in await front.run(ENDED)
    assert await front.run("() => document.querySelectorAll('main button:not(:disabled)').length") == 0
    await until(cart, "document.querySelector('#ended').hidden", "false")
    back = [await tab.run("() => document.querySelector('#ended a').getAttribute('href')") for tab in (front, cart)]
    assert back == ["/login?next=/", "/login?next=/cart"], "each leads back to its own page"


async def test_a_shop_that_is_away_is_waited_for_and_then_asked_who_is_logged_in(browser: Browser) -> None:
    told = "document.querySelector('#told').textContent"
    async with Shop() as away:
        front = await away.register(browser, "gwen")
        await add(front, "Camp kettle", 1)
    await until(front, told, "The shop does not answer just now. Your cart is kept.")
    assert await front.run("() => document.querySelector('#ended').hidden"), "a shop that is away ends no login"
    # What is back has everything in memory, and so forgot who was there.
    async with Shop(away.site.removeprefix("http://")):
        await until(front, "document.querySelector('#ended').hidden", "false")
        assert "Your login has ended." in await front.run(ENDED)
        assert await front.run(f"() => {told}") == ""


async def test_another_user_has_another_cart(browser: Browser, shop: Shop) -> None:
    dora = await shop.register(browser, "dora")
    await add(dora, "Camp kettle", 1)
    (foreign,) = (await dora.run(LOOK, None))["channels"]
    await shop.register(browser, "eve")
    cart = await browser.open(f"{shop.site}/cart", person="eve")
    await cart.see("There is nothing in it yet.")
    listed = await cart.run(LOOK, foreign)
    assert listed["cart"] == []
    assert listed["heard"] == listed["said"] == "file not found", "nothing is heard or said in another's channel"
    (own,) = listed["channels"]
    assert listed["session"].startswith(f"subject member:{own} eve\n")


async def test_without_a_login_there_is_no_upgrade_no_cart_and_no_order(browser: Browser, shop: Shop) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(shop.site.replace("http", "ws") + "/ws", origin=shop.site, subprotocols=["9p"], proxy=None)
    assert refused.value.response.status_code == 401
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for path, data in (("/cart", None), ("/checkout", b"")):
        with pytest.raises(urllib.error.HTTPError) as error:
            direct.open(f"{shop.site}{path}", data, timeout=20)
        assert error.value.code == 401
    tab = await browser.open(f"{shop.site}/cart", person="stranger")
    await tab.see("New here?")
    front = await browser.open(f"{shop.site}/", person="stranger")
    await front.see("Log in to buy")


async def test_a_form_of_another_site_orders_nothing(browser: Browser, shop: Shop) -> None:
    front = await shop.register(browser, "frank")
    await add(front, "Brass compass", 1)
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in await browser.cookies("frank"))
    headers = {"Cookie": cookies, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as error:
        direct.open(urllib.request.Request(f"{shop.site}/checkout", b"", headers), timeout=20)
    assert error.value.code == 403
    cart = await browser.open(f"{shop.site}/cart", person="frank")
    await until(cart, "document.querySelector('#total').textContent", "€56.00")


async def test_a_shop_that_closes_tells_every_cart_that_it_restarts(browser: Browser) -> None:
    async with Shop() as shop:
        await shop.register(browser, "grace")
        headers = {"Cookie": "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in await browser.cookies("grace"))}
        address = shop.site.replace("http", "ws") + "/ws"
        how = {"origin": shop.site, "subprotocols": ["9p"], "additional_headers": headers, "proxy": None}
        async with connect(address, **how) as socket:
            assert await shop.close() == 0
            await socket.wait_closed()
            assert socket.close_code == 1012
