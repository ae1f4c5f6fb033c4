"""The HTTP API on the internal port, by a program that knows HTTP alone."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path

from harness.door import NEWS, SITE, Door, gate
from harness.http import get
from harness.hub import Peer

OWNERS = '[[owner]]\nname = "default"\n[[owner]]\nname = "other"\n'
CHAT = gate("chat", '[{ jwt = { issuer = "site" } }]') + 'owner = "default"\n' + NEWS


async def ask(door: Door, key: str | None, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
    """One request; the status and the document."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://{door.internal}/api/v1{path}", data, headers, method=method)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send() -> tuple[int, dict]:
        try:
            with direct.open(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            assert error.headers["Content-Type"] == "application/problem+json", error.headers
            return error.code, json.loads(error.read())

    return await asyncio.to_thread(send)


async def test_a_program_lists_a_socket_ends_it_and_has_a_receipt(folder: Path) -> None:
    issuer = SITE.replace("[[issuer]]\n", '[[issuer]]\nowner = "default"\n')
    async with Door(folder, OWNERS, issuer, CHAT) as door:
        made = ("apikey", "add", "--owner")
        key = await door.made(*made, "default", "script", "--scope", "sockets:read", "--scope", "sockets:end")
        reader = await door.made(*made, "default", "reader", "--scope", "sockets:read")
        other = await door.made(*made, "other", "script", "--scope", "sockets:read", "--scope", "sockets:end")
        async with await Peer.admitted(door.url("/chat"), door.token("bob")) as bob:
            status, listed = await ask(door, key, "GET", "/sockets")
            assert status == 200, listed
            [socket] = listed["items"]
            assert (socket["subject"], socket["gate"], socket["state"]) == ("member:bob", "chat", "active")

            assert (await ask(door, None, "GET", "/sockets"))[0] == 401
            assert (await ask(door, "dwa_wrong", "GET", "/sockets"))[0] == 401
            assert (await ask(door, reader, "DELETE", f"/sockets/{socket['id']}"))[0] == 403
            assert (await ask(door, other, "GET", "/sockets"))[1]["items"] == []
            assert (await ask(door, other, "DELETE", f"/sockets/{socket['id']}"))[0] == 404

            status, receipt = await ask(door, key, "DELETE", f"/sockets/{socket['id']}")
            assert status == 200, receipt
            assert (receipt["ended"], receipt["sockets"], receipt["nodes_not_answering"]) == (1, [socket["id"]], [])
            assert receipt["within_ms"] < 1000
            assert await bob.closed() == (4410, "session_ended")
        metrics = await get(door.internal, "/metrics")
        assert 'doorward_sockets_ended_total{reason="session_ended"' in metrics
