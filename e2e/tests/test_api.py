"""The HTTP API on the internal port, by a program that knows HTTP alone."""

from __future__ import annotations

from pathlib import Path

from harness.api import ask
from harness.door import NEWS, SITE, Door, gate
from harness.http import get
from harness.hub import Peer

OWNERS = '[[owner]]\nname = "default"\n[[owner]]\nname = "other"\n'
CHAT = gate("chat", '[{ jwt = { issuer = "site" } }]') + 'owner = "default"\n' + NEWS


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
