"""Programs with an account of the built-in site: by its cookie, by a ticket, by an access token; and how a logout reaches them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from harness.door import NEWS, Door, gate
from harness.foreign import CLIENTS, Ended, Opening, Refused
from harness.hub import Peer
from harness.member import PASSWORD, Member

SITE = '[site]\nenabled = true\nregister = true\n'
BY_COOKIE = gate("chat", "[{ session = {} }]") + NEWS
BY_TICKET = gate("ticketed", '[{ ticket = { via = ["message"] } }]')
BY_TOKEN = gate("tokened", '[{ jwt = { issuer = "doorward" } }]')
BEARER = gate("bearer", '[{ bearer = { issuer = "doorward" } }]', "echo")


async def test_a_socket_by_the_cookie_ends_with_the_login_and_the_old_cookie_opens_nothing(folder: Path) -> None:
    async with Door(folder, SITE, BY_COOKIE) as door:
        ada = await Member(door, "ada").register()
        async with await ada.connect("/chat") as socket:
            assert (await socket.event("admitted"))["subject"]["uuid"] == "ada"
            old = ada.cookie
            await ada.log_out()
            assert await socket.closed() == (4410, "session_ended")
        with pytest.raises(InvalidStatus) as refused:
            await Peer.connect(door.url("/chat"), origin=ada.site, additional_headers={"Cookie": old})
        assert refused.value.response.status_code == 401


async def test_the_cookie_on_a_page_of_another_origin_or_of_none_is_forbidden(folder: Path) -> None:
    async with Door(folder, SITE, BY_COOKIE) as door:
        ada = await Member(door, "ada").register()
        for origin in ("https://evil.example", None):
            with pytest.raises(InvalidStatus) as refused:
                await Peer.connect(door.url("/chat"), origin=origin, additional_headers={"Cookie": ada.cookie})
            assert refused.value.response.status_code == 403


async def test_a_ticket_of_a_login_opens_once_and_not_after_the_logout(folder: Path) -> None:
    async with Door(folder, SITE, BY_TICKET) as door:
        ada = await Member(door, "ada").register()

        async def ticket() -> str:
            status, body = await ada.post("/ticketed/ticket", as_json=True)
            assert status == 200, body
            return door.keep_secret(json.loads(body)["ticket"])

        async def shown(text: str) -> dict:
            async with await Peer.connect(door.url("/ticketed"), origin=ada.site) as socket:
                await socket.event("ask")
                await socket.send(action="auth", kind="ticket", ticket=text)
                return await socket.event()

        first, late = await ticket(), await ticket()
        assert (await shown(first))["subject"]["uuid"] == "ada"
        assert (await shown(first))["event"] == "refused"
        await ada.log_out()
        assert (await shown(late))["event"] == "refused"
        status, _ = await ada.post("/ticketed/ticket", as_json=True)
        assert status == 401


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_access_token_opens_a_gate_and_a_logout_voids_it_and_its_refresh_token(folder: Path, client: str) -> None:
    async with Door(folder, SITE, BEARER) as door:
        ada = await Member(door, "ada").register()
        program = Member(door, "ada")
        status, body = await program.post("/api/token", {"username": "ada", "password": PASSWORD}, as_json=True)
        assert status == 200, body
        token = json.loads(body)
        for secret in ("access_token", "refresh_token"):
            door.keep_secret(token[secret].rsplit(".", 1)[-1])
        async with CLIENTS[client]() as socket, CLIENTS[client]() as other:
            await socket.open(door.url("/bearer"), Opening(token=token["access_token"]))
            with pytest.raises(Refused) as refused:
                await other.open(door.url("/bearer"), Opening(token=token["refresh_token"]))
            assert refused.value.status == 401
            ended = await door.cli("sessions", "end", "--user", "ada")
            assert ended.code == 0, ended
            with pytest.raises(Ended) as end:
                await socket.receive()
            assert (end.value.code, end.value.reason) == (4410, "session_ended")
        async with CLIENTS[client]() as late:
            with pytest.raises(Refused):
                await late.open(door.url("/bearer"), Opening(token=token["access_token"]))
        form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        status, body = await program.post("/api/token", form, as_json=True)
        assert status in (400, 401), body
        assert ada.cookie


async def test_a_suspended_socket_gets_nothing_until_its_login_returns_in_the_same_browser(folder: Path) -> None:
    suspending = BY_COOKIE.replace("backend", 'on_logout = "suspend"\nbackend', 1)
    async with Door(folder, SITE, suspending) as door:
        ada, bob = await Member(door, "ada").register(), await Member(door, "bob").register()
        async with await ada.connect("/chat") as socket, await bob.connect("/chat") as other:
            for peer in (socket, other):
                await peer.event("admitted")
                await peer.send(action="subscribe", channel="news")
                await peer.event("subscribed")
            await ada.log_out()
            assert (await socket.event("suspended"))["reason"] == "logged_out"
            await other.send(action="publish", channel="news", message="meanwhile")
            await other.event("message")
            await ada.log_in()
            assert (await socket.event("resumed")).get("gap") is True
            await other.send(action="publish", channel="news", message="again")
            assert (await socket.event("message"))["message"] == "again"
            assert not any(event.get("message") == "meanwhile" for event in socket.seen)
            await ada.log_out()
            await socket.event("suspended")
            ended = await door.cli("user", "disable", "ada")
            assert ended.code == 0, ended
            assert (await socket.closed())[0] == 4410


async def test_messages_keep_a_login_and_pings_do_not(folder: Path) -> None:
    short = SITE + 'session_idle = "3s"\nsession_longest = "1m"\n'
    async with Door(folder, short, BY_COOKIE) as door:
        ada, bob = await Member(door, "ada").register(), await Member(door, "bob").register()
        async with await ada.connect("/chat") as busy, await bob.connect("/chat") as idle:
            for peer in (busy, idle):
                await peer.event("admitted")

            async def talk() -> None:
                while True:
                    await busy.send(action="publish", channel="news", message="still here")
                    await asyncio.sleep(0.5)

            async def ping() -> None:
                while True:
                    await idle.connection.ping()
                    await asyncio.sleep(0.5)

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(talk()), group.create_task(ping())]
                assert await idle.closed() == (4410, "expired")
                for task in tasks:
                    task.cancel()
            await busy.send(action="subscribe", channel="news", id=1)
            while (await busy.event())["event"] != "subscribed":
                pass


async def test_a_forgotten_password_is_set_anew_by_a_link_once_and_what_the_old_one_opened_has_ended(folder: Path) -> None:
    async with Door(folder, SITE, BY_COOKIE) as door:
        ada = await Member(door, "ada").register()
        async with await ada.connect("/chat") as socket:
            await socket.event("admitted")
            link = json.loads(await door.made("user", "passwd", "ada", "--link", "--json"))["link"]
            assert await socket.closed() == (4410, "session_ended")
        door.keep_secret(link.split("#")[1])
        status, _ = await ada.post("/login", {"username": "ada", "password": PASSWORD})
        assert status == 401, "the old password still logs in"

        async def set_password(password: str) -> int:
            return (await ada.post("/reset", {"invitation": link, "new_password": password}))[0]

        fresh = door.keep_secret("a short boat across the wide lake")
        assert await set_password("short") == 422
        assert await set_password(fresh) == 303
        assert await set_password("yet another walk over the hill") == 422, "a link is good once"
        status, _ = await ada.post("/login", {"username": "ada", "password": fresh})
        assert status == 303
        async with await ada.connect("/chat") as socket:
            assert (await socket.event("admitted"))["subject"]["uuid"] == "ada"
        history = (await door.cli("why", "--user", "ada")).stdout
        told = [event for event in ("registered", "sessions_ended", "reset_link_made", "password_reset", "logged_in") if event in history]
        assert len(told) == 5, history
        assert "refused by site: the password of account" in history
