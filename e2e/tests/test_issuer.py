"""Tokens of a foreign issuer, whose keys the server fetches from where it publishes them."""

from __future__ import annotations

import json
from pathlib import Path

import jwt

from harness.door import Door, gate
from harness.foreign import Ended, Opening, PythonClient
from harness.issuer import Issuer

GATE = gate("talk", '[{ jwt = { issuer = "idp" } }]')
FETCHED = r"the keys of an issuer are fetched"
FAILED = r"the keys of an issuer cannot be fetched"


async def answer_to(door: Door, token: str) -> str:
    """What comes of a token: the subject that is let in, or the close reason."""
    door.keep_secret(token.rsplit(".", 1)[1])
    async with PythonClient() as client:
        await client.open(door.url("/talk"), Opening(protocols=["doorward.v1"]))
        assert json.loads(await client.receive())["event"] == "ask"
        await client.send(json.dumps({"action": "auth", "kind": "jwt", "token": token}))
        verdict = json.loads(await client.receive())
        if verdict["event"] == "admitted":
            return verdict["subject"]["pk"]
        try:
            raise AssertionError(await client.receive())
        except Ended as end:
            return f"{end.code} {end.reason}"


async def test_an_access_token_of_a_foreign_issuer_is_taken_and_its_other_tokens_are_not(folder: Path) -> None:
    async with Issuer() as issuer, Door(folder, issuer.section(), GATE) as door:
        await door.process.line(FETCHED, on="stderr")
        token = await issuer.token()
        header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
        assert (header["alg"], header["typ"], claims["typ"], claims["azp"]) == ("RS256", "JWT", "Bearer", "shop")
        assert await answer_to(door, token) == "shop"
        for order in ({"typ": "Refresh"}, {"typ": "Refresh", "alg": "HS256"}, {"typ": "ID"}, {"typ": "Offline"}):
            assert await answer_to(door, await issuer.order("sign", **order)) == "4401 not_authenticated", order
        assert await answer_to(door, await issuer.order("sign", typ="Bearer")) == "shop"
        assert await answer_to(door, door.token("shop")) == "4401 not_authenticated"
        checked = await door.cli("checktoken", "--issuer", "idp", env={"DOORWARD_TOKEN": token})
        assert checked.code == 0 and "member:shop" in checked.stdout, checked
        asked = [line.split("/realms/doorward")[1] for line in issuer.process.stdout if line.startswith("asked")]
        keys = ["/.well-known/openid-configuration", "/protocol/openid-connect/certs"]
        assert asked == [*keys, "/protocol/openid-connect/token", *keys], "once by the server, once by the command"


async def test_c55_known_keys_go_on_without_the_issuer_and_new_ones_are_taken_when_it_is_back(folder: Path) -> None:
    (folder / "other").mkdir()
    async with Issuer() as issuer, Door(folder, issuer.section(), GATE) as door:
        await door.process.line(FETCHED, on="stderr")
        old = await issuer.token()
        assert await answer_to(door, old) == "shop"
        await issuer.order("stop")
        assert await answer_to(door, old) == "shop"
        async with Door(folder / "other", issuer.section(), GATE) as late:
            await late.process.line(FAILED, on="stderr")
            assert await answer_to(late, old) == "1013 try_later"
            await issuer.order("rotate")
            await issuer.order("start")
            # it is asked twice a minute
            await late.process.line(FETCHED, on="stderr", within=60)
            new = await issuer.token()
            assert await answer_to(late, new) == "shop"
            assert await answer_to(late, old) == "4401 not_authenticated"
        # the first server has not asked for half a minute either
        assert await answer_to(door, new) == "shop"
        assert await answer_to(door, old) == "4401 not_authenticated"
