"""The binary under test as a server: its folder, its configuration, its ports, its tokens, its command line."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

import jwt

from .process import Finished, Process, run

REPOSITORY = Path(__file__).resolve().parents[2]
ISSUER = "https://site.example"
AUDIENCE = "doorward"
SITE = f"""
[[issuer]]
name = "site"
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
algorithms = ["HS256"]
secret_file = "secret.txt"
"""
HUB = """
[[gate]]
name = "hub"
path = "/hub"
backend = { hub = {} }
ladder = [{ jwt = { issuer = "site" } }]

[[gate.channel]]
name = "group"
subscribe = { claim = "groups" }
publish = "authenticated"
"""
ECHO = """
[[gate]]
name = "echo"
path = "/echo"
open = true
backend = { echo = {} }
"""
IDENT = '[{ ident = { glyph = "☂", question = "What is the cat called?", answers = ["Mia"] } }]'
"""A ladder for a person."""
NEWS = '[[gate.channel]]\nname = "news"\nsubscribe = "any"\npublish = "any"\n'
"""A channel of the gate before it, for everybody who is inside."""


def gate(name: str, ladder: str, backend: str = "hub") -> str:
    """A gate at `/NAME` behind a ladder."""
    return f'\n[[gate]]\nname = "{name}"\npath = "/{name}"\nbackend = {{ {backend} = {{}} }}\nladder = {ladder}\n'


def upstream(url: str, *, origins: Iterable[str] = (), path: str = "/app") -> str:
    """A gate in front of the WebSocket server at `url`, opened by a bearer token."""
    listed = f"origins = {json.dumps(list(origins))}\n" if origins else ""
    return (
        f'\n[[gate]]\nname = "app"\npath = "{path}"\n{listed}'
        f'backend = {{ upstream = {{ url = "{url}" }} }}\nladder = [{{ bearer = {{ issuer = "site" }} }}]\n'
    )


def binary() -> Path:
    """The binary under test: `DOORWARD_BIN`, or else what cargo has built."""
    named = os.environ.get("DOORWARD_BIN")
    places = [Path(named)] if named else [REPOSITORY / "target" / kind / "doorward" for kind in ("debug", "release")]
    for place in places:
        if place.is_file():
            return place.resolve()
    raise FileNotFoundError(f"no binary at {', '.join(map(str, places))}: run `cargo build -p doorward-server`")


class Door:
    """One server in a folder of its own. Everything secret that it ever held is looked for in its log when it stops."""

    def __init__(self, folder: Path, *sections: str) -> None:
        self.folder = folder
        self.config = folder / "doorward.toml"
        self.process: Process | None = None
        self.public = self.internal = ""
        self._logs: list[Process] = []
        self._secrets: set[str] = set()
        self.key = secrets.token_urlsafe(48)
        self.keep_secret(self.key)
        secret = folder / "secret.txt"
        secret.write_text(self.key)
        secret.chmod(0o600)
        self.configure(*sections)

    def configure(
        self, *sections: str, listen: str = "127.0.0.1:0", store: str = "sqlite://doorward.db", server: str = ""
    ) -> None:
        """Writes the configuration file; `server` is more of its first section."""
        # sockets leave one after the other within that time, and there are few of them
        head = f'[server]\nlisten = "{listen}"\nshutdown = "2s"\n{server}[internal]\nlisten = "127.0.0.1:0"\n[store]\nurl = "{store}"\n'
        self.config.write_text(head + "".join(sections))

    async def start(self, env: dict[str, str] | None = None) -> Door:
        """Starts the server and waits until both of its ports listen."""
        self.process = await self.spawn(env)
        self.public, self.internal = [
            (await self.process.line(r"^listening on (?:\w+://)?([\w.\[\]:-]+:\d+)"))[1] for _ in range(2)
        ]
        return self

    async def spawn(self, env: dict[str, str] | None = None) -> Process:
        """Starts the server and waits for nothing."""
        process = await Process.start(binary(), "serve", "-c", self.config, cwd=self.folder, env=env)
        self._logs.append(process)
        return process

    async def stop(self) -> int:
        """Ends the server, looks through its log, and gives its exit code."""
        code = await self.process.stop()
        self.assert_nothing_secret_was_said()
        return code

    async def __aenter__(self) -> Door:
        return await self.start()

    async def __aexit__(self, *failure: object) -> None:
        await self.stop()

    def keep_secret(self, text: str) -> str:
        """Remembers something that must never be said."""
        self._secrets.add(text)
        return text

    def assert_nothing_secret_was_said(self) -> None:
        """Fails when a token, a key or a ticket stands in the log, whole or by its secret part."""
        said = "\n".join(process.output for process in self._logs)
        told = sorted(secret for secret in self._secrets if secret in said)
        assert not told, f"the log of the server holds {len(told)} secrets, the first begins with {told[0][:12]!r}"

    def url(self, path: str, *, tls: bool = False) -> str:
        """Where a gate is."""
        return f"{'wss' if tls else 'ws'}://{self.public}{path}"

    async def cli(self, *arguments: str, env: dict[str, str] | None = None) -> Finished:
        """Runs another command of the binary on the same configuration."""
        return await run(binary(), *arguments, "-c", self.config, cwd=self.folder, env=env)

    async def made(self, *command: str) -> str:
        """What a command that makes a secret prints."""
        done = await self.cli(*command)
        assert done.code == 0 and done.stdout.strip(), done
        return self.keep_secret(done.stdout.strip())

    def token(self, subject: str, *, key: str | None = None, lasts: float = 300, **claims: object) -> str:
        """A token as the site would make it; `key` for one that somebody else made."""
        now = int(time.time())
        payload = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": int(now + lasts), **claims}
        token = jwt.encode(payload, key or self.key, algorithm="HS256", headers={"typ": "at+jwt"})
        self.keep_secret(token.rsplit(".", 1)[1])
        return token

    async def sockets(self) -> list[dict]:
        """The live sockets, as the command line lists them."""
        listed = await self.cli("sockets", "list", "--json")
        assert listed.code == 0, listed
        return json.loads(listed.stdout)["sockets"]

    async def socket_of(self, subject: str) -> str:
        """The id of the one socket of a subject."""
        found = [socket["socket"] for socket in await self.sockets() if socket["subject"] == f"member:{subject}"]
        assert len(found) == 1, found
        return found[0]
