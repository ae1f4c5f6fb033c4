"""The JavaScript client against the real binary."""

from __future__ import annotations

from pathlib import Path

from harness.door import HUB, NEWS, SITE, Door, gate
from harness.javascript import JavaScript

WORDS = gate("words", '[{ challenge = { variant = "words", words = "the lantern keeps its own quiet hours" } }]')
MACHINE = gate("machine", '[{ app_key = {} }, { challenge = { secret_file = "challenge.secret" } }, { ident = { glyph = "☂" } }]')
BEARER = gate("bearer", '[{ bearer = { issuer = "site" } }]')


async def test_it_climbs_talks_in_the_hub_and_hears_that_its_login_ended(folder: Path) -> None:
    async with Door(folder, SITE, HUB) as door, JavaScript() as client:
        token = door.token("alice", groups=["3"])
        await client.open(door.url("/hub"), token=token)
        admitted = await client.happened("admitted")
        assert admitted["socket"] == await door.socket_of("alice")
        assert await client.ask("subscribe", {"channel": "group", "pk": 3}) == {"channel": "group", "pk": "3"}
        await client.order("publish", **{"with": [{"channel": "group", "pk": 3}, {"any": "☂"}]})
        assert await client.happened("message") == {"channel": "group", "pk": "3", "message": {"any": "☂"}}
        await client.order("subscribe", **{"with": ["secrets"]})
        assert (await client.happened("subscribe failed"))["reason"] == "permission_denied"
        ended = await door.cli("sockets", "end", "subject=member:alice")
        assert ended.code == 0, ended
        closed = await client.happened("closed")
        assert (closed["code"], closed["name"], closed["reconnect"]) == (4410, "session_ended", "never")
        assert token not in client.output


async def test_a_machine_proves_its_key_and_its_secret_and_recognises_the_gate(folder: Path) -> None:
    door = Door(folder, MACHINE)
    challenge = await door.made("keygen", "--challenge")
    secret = folder / "challenge.secret"
    secret.write_text(challenge)
    secret.chmod(0o600)
    key = await door.made("keygen", "--subject", "terminal:7")
    async with door, JavaScript() as client:
        meant = {"owner": "default", "name": "machine"}
        await client.open(door.url("/machine"), appKey=key, challenge=challenge, glyph="☂", gate=meant)
        assert (await client.happened("admitted"))["subject"]["pk"] == "7"
        assert key not in client.output and challenge not in client.output


async def test_what_only_a_person_knows_the_person_is_asked(folder: Path) -> None:
    phrase = "the lantern keeps its own quiet hours".split()
    async with Door(folder, WORDS) as door, JavaScript() as client:
        await client.open(door.url("/words"))
        question = await client.happened("question")
        assert (question["layer"], question["fields"]) == ("challenge", ["words"])
        places = [int(word) for word in question["shows"]["statement"].split() if word.isdigit()]
        await client.answer({"words": " ".join(phrase[place - 1] for place in places)})
        await client.happened("admitted")


async def test_a_wrong_credential_is_told_with_a_trace_and_is_not_tried_again(folder: Path) -> None:
    async with Door(folder, SITE, HUB) as door, JavaScript() as client:
        await client.open(door.url("/hub"), token=door.token("alice", lasts=-60))
        closed = await client.happened("closed")
        assert (closed["code"], closed["reconnect"]) == (4401, "never")
        why = await door.cli("why", closed["trace"])
        assert "expired" in why.stdout, why


async def test_a_token_in_the_upgrade_opens_a_gate_that_decides_before_the_101(folder: Path) -> None:
    async with Door(folder, SITE, BEARER) as door, JavaScript() as client, JavaScript() as stranger:
        await client.open(door.url("/bearer"), token=door.token("alice"), atUpgrade="token")
        assert (await client.happened("admitted"))["subject"]["pk"] == "alice"
        await stranger.open(door.url("/bearer"), token="nonsense", atUpgrade="token", reconnect=False)
        assert (await stranger.happened("closed"))["name"] == "lost"


async def test_after_a_restart_it_comes_back_with_a_fresh_ticket_and_its_subscriptions(folder: Path) -> None:
    ticketed = gate("ticketed", "[{ ticket = {} }]") + NEWS
    door = Door(folder, ticketed)
    await door.start()
    tickets = [await door.made("genticket", "--gate", "ticketed", "--subject", "member:7") for _ in range(20)]
    async with JavaScript() as client:
        await client.open(door.url("/ticketed"), tickets=tickets)
        await client.happened("admitted")
        await client.ask("subscribe", "news")
        door.configure(ticketed, listen=door.public)
        await door.stop()
        lost = await client.happened("lost")
        assert (lost["closing"]["code"], lost["closing"]["name"]) == (1012, "restart")
        await door.start()
        await client.happened("admitted")
        async with JavaScript() as other:
            await other.open(door.url("/ticketed"), tickets=[await door.made("genticket", "--gate", "ticketed", "--subject", "member:8")])
            await other.happened("admitted")
            # The subscription is made again on its own; the answer to one more says that it is.
            await client.ask("subscribe", "news")
            await other.ask("publish", "news", "we are back")
        assert (await client.happened("message"))["message"] == "we are back"
    await door.stop()


async def test_behind_a_gate_without_a_hub_it_passes_the_bytes_on(folder: Path) -> None:
    async with Door(folder, gate("talks", '[{ ident = { glyph = "☂" } }]', "echo")) as door:
        async with JavaScript() as client:
            await client.open(door.url("/talks"), glyph="☂")
            assert (await client.happened("admitted"))["backend"] == "echo"
            await client.order("send", text='{"event":"refused"}')
            assert await client.happened("data") == '{"event":"refused"}'
