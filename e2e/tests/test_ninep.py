"""File tools of somebody else's before a gate with a file tree: over a WebSocket with a login's cookie, and over TCP with a key of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from harness.door import Door
from harness.member import Member
from harness.ninep import RemoteError, Tool

SITE = "[site]\nenabled = true\nregister = true\n"
SHOP = """
[ninep]
listen = "127.0.0.1:0"

[[gate]]
name = "shop"
path = "/ws"
backend = { 9p = {} }
ladder = [{ session = {} }]

[[gate]]
name = "tools"
path = "/tools"
backend = { 9p = {} }
ladder = [{ key_entry = {} }]
"""


async def over_websocket(door: Door, member: Member) -> Tool:
    """A page's client, with the cookie of the login."""
    headers = {"Cookie": member.cookie}
    return await asyncio.to_thread(Tool.over_websocket, door.url("/ws"), origin=member.site, additional_headers=headers)


async def over_tcp(door: Door, member: Member) -> Tool:
    """A tool that has typed a key of the login into the authentication file."""
    status, body = await member.post("/api/key", as_json=True)
    assert status == 200, body
    key = door.keep_secret(json.loads(body)["key"])
    address = (await door.process.line(r"^listening on (\S+) \(9P\)$"))[1]

    def climb() -> Tool:
        tool = Tool.over_tcp(address)
        tool.authenticate("tools")
        assert tool.asked()["layer"] == "key_entry"
        tool.answer(kind="key_entry", key=key)
        assert tool.asked()["event"] == "admitted"
        tool.attach()
        return tool

    return await asyncio.to_thread(climb)


async def test_the_cart_of_a_login_is_one_over_both_wires_and_another_login_has_its_own(folder: Path) -> None:
    async with Door(folder, SITE, SHOP) as door:
        ada, bob = await Member(door, "ada").register(), await Member(door, "bob").register()
        page, tool = await over_websocket(door, ada), await over_tcp(door, ada)
        others = await over_websocket(door, bob)

        def shop() -> None:
            page.create("cart", "sku123")
            assert tool.list("cart") == ["sku123"]
            assert tool.read("cart/sku123") == "1\n"
            tool.write("cart/sku123", "3")
            assert page.read("cart/sku123") == "3\n"
            assert others.list("cart") == []
            assert "bob" in others.read("session")
            # A walk that gets no further than `cart` leaves no place behind.
            with pytest.raises(RemoteError, match="unknown fid"):
                others.read("cart/sku123")
            tool.remove("cart/sku123")
            assert page.list("cart") == []

        await asyncio.to_thread(shop)


async def test_a_logout_ends_both_wires_and_the_old_cookie_opens_nothing(folder: Path) -> None:
    async with Door(folder, SITE, SHOP) as door:
        ada = await Member(door, "ada").register()
        page, tool = await over_websocket(door, ada), await over_tcp(door, ada)
        old = ada.cookie
        await ada.log_out()

        def is_over() -> None:
            for one in (page, tool):
                with pytest.raises((EOFError, OSError)):
                    one.list("cart")
            assert page.wire.closed == (4410, "session_ended")
            with pytest.raises(InvalidStatus) as refused:
                Tool.over_websocket(door.url("/ws"), origin=ada.site, additional_headers={"Cookie": old})
            assert refused.value.response.status_code == 401

        await asyncio.to_thread(is_over)


async def test_without_a_login_there_is_no_101_and_no_file(folder: Path) -> None:
    async with Door(folder, SITE, SHOP) as door:
        address = (await door.process.line(r"^listening on (\S+) \(9P\)$"))[1]

        def is_refused() -> None:
            with pytest.raises(InvalidStatus) as refused:
                Tool.over_websocket(door.url("/ws"), origin=f"http://{door.public}")
            assert refused.value.response.status_code in (401, 403)
            tool = Tool.over_tcp(address)
            tool.authenticate("tools")
            tool.asked()
            with pytest.raises(RemoteError, match="authentication required"):
                tool.attach()
            said: dict = {}
            while said.get("event") != "refused":
                tool.answer(kind="key_entry", key="nonsense")
                said = tool.asked()
            assert said["code"] == 4401

        await asyncio.to_thread(is_refused)
