"""Somebody with an account of the built-in site, as a program: a jar of cookies, and requests as a browser's page makes them."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar, DefaultCookiePolicy

from .door import Door
from .hub import Peer

PASSWORD = "a long walk along the quiet river"


class _Same(urllib.request.HTTPRedirectHandler):
    """Follows nothing: what a form leads to is seen by its test."""

    def redirect_request(self, *_: object) -> None:
        return None


class Member:
    """One browser without pages."""

    def __init__(self, door: Door, name: str) -> None:
        self.door = door
        self.name = name
        self.site = f"http://{door.public}"
        # Browsers keep secure cookies of this machine's own names; the library knows of TLS alone.
        self.jar = CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https", "ws", "wss")))
        self._direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar), _Same
        )

    async def post(self, path: str, body: dict | None = None, *, as_json: bool = False, **headers: str) -> tuple[int, str]:
        """Sends a form, or a document, as a page of the site would; gives the status and the body."""
        data = json.dumps(body or {}) if as_json else urllib.parse.urlencode(body or {})
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        every = {"Content-Type": kind, "Origin": self.site, "Sec-Fetch-Site": "same-origin"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.site}{path}", data.encode(), {**every, **named}, method="POST")

        def send() -> tuple[int, str]:
            try:
                with self._direct.open(request, timeout=20) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()

        return await asyncio.to_thread(send)

    async def register(self) -> Member:
        """Makes the account, and is logged in."""
        status, body = await self.post("/register", {"username": self.name, "new_password": PASSWORD})
        assert status in (302, 303) and self.cookie, (status, body[:500])
        return self

    async def log_in(self) -> None:
        """Logs in again."""
        status, body = await self.post("/login", {"username": self.name, "password": PASSWORD})
        assert status in (302, 303), (status, body[:500])

    async def log_out(self) -> None:
        """Ends the login."""
        status, body = await self.post("/logout")
        assert status in (302, 303), (status, body[:500])

    @property
    def cookie(self) -> str:
        """The `Cookie` header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)

    async def connect(self, path: str, **options: object) -> Peer:
        """Opens a socket as a page of the site would."""
        return await Peer.connect(
            self.door.url(path), origin=self.site, additional_headers={"Cookie": self.cookie}, **options
        )
