"""A hub behind a ladder of one layer, `jwt`, as a foreign client of the JSON protocol sees it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from harness.door import HUB, SITE, Door
from harness.hub import Peer


@pytest.fixture
def door(folder: Path) -> Door:
    return Door(folder, SITE, HUB)


async def test_a_token_of_the_site_climbs_the_ladder(door: Door) -> None:
    async with door, await Peer.connect(door.url("/hub")) as peer:
        assert peer.connection.subprotocol == "doorward.v1"
        admitted = await peer.climb(door.token("alice"))
        assert admitted["backend"] == "hub"
        assert admitted["subject"]["pk"] == "alice"
        assert len(admitted["socket"]) == 32
        assert admitted["expires_at"]


async def test_a_token_made_on_the_command_line_climbs_the_same_ladder(door: Door) -> None:
    async with door:
        made = await door.cli("gentoken", "--issuer", "site", "--subject", "alice")
        assert made.code == 0, made
        token = made.stdout.strip()
        assert token.count(".") == 2 and "\n" not in token, "the token stands alone on standard output"
        door.keep_secret(token.rsplit(".", 1)[1])
        async with await Peer.admitted(door.url("/hub"), token):
            pass


async def test_the_subprotocol_is_offered_and_not_demanded(door: Door) -> None:
    async with door:
        async with connect(door.url("/hub"), proxy=None) as connection:
            bare = Peer(connection)
            assert connection.subprotocol is None
            await bare.climb(door.token("alice"))


@pytest.mark.parametrize(("asked", "published"), [(3, 3), ("3", "3"), (3, "3"), ("3", 3)])
async def test_a_channel_has_one_key_whatever_json_type_it_came_in(
    door: Door, asked: object, published: object
) -> None:
    async with door, await Peer.admitted(door.url("/hub"), door.token("alice", groups=["3"])) as alice:
        await alice.send(action="subscribe", channel="group", pk=asked, id=1)
        subscribed = await alice.event("subscribed")
        assert (subscribed["channel"], subscribed["pk"], subscribed["id"]) == ("group", "3", 1)
        async with await Peer.admitted(door.url("/hub"), door.token("bob")) as bob:
            await bob.send(
                action="publish", channel="group", pk=published, message={"says": ["hello", 1.50, None]}, id="p"
            )
            assert (await bob.event("published"))["id"] == "p"
            message = await alice.event("message")
            assert (message["channel"], message["pk"]) == ("group", "3")
            assert message["message"] == {"says": ["hello", 1.50, None]}


async def test_every_answer_carries_the_id_of_its_request(door: Door) -> None:
    async with door, await Peer.admitted(door.url("/hub"), door.token("alice", groups=["3"])) as alice:
        for name in (1, "one"):
            await alice.send(action="subscribe", channel="group", pk="3", id=name)
            assert (await alice.event("subscribed"))["id"] == name
            await alice.send(action="subscribe", channel="group", pk="4", id=name)
            error = await alice.event("error")
            assert (error["id"], error["code"]) == (name, "permission_denied")
            await alice.send(action="unsubscribe", channel="group", pk="3", id=name)
            assert (await alice.event("unsubscribed"))["id"] == name


async def test_a_claim_decides_who_may_subscribe(door: Door) -> None:
    async with door, await Peer.admitted(door.url("/hub"), door.token("mallory", groups=["4"])) as mallory:
        for pk in (3, "3", " 3", "3 ", "03"):
            await mallory.send(action="subscribe", channel="group", pk=pk, id=str(pk))
            error = await mallory.event("error")
            assert (error["id"], error["code"]) == (str(pk), "permission_denied")


async def test_a_custom_action_that_nobody_handles_is_an_error_and_no_end(door: Door) -> None:
    async with door, await Peer.admitted(door.url("/hub"), door.token("alice", groups=["3"])) as alice:
        await alice.send(action="poke", channel="group", pk=3, message={"typing": True}, id=7)
        assert (await alice.event("error"))["id"] == 7
        await alice.send(action="subscribe", channel="group", pk=3, id=8)
        assert (await alice.event("subscribed"))["id"] == 8


async def test_an_unsubscribed_peer_hears_nothing_more(door: Door) -> None:
    async with door, await Peer.admitted(door.url("/hub"), door.token("alice", groups=["3"])) as alice:
        await alice.send(action="subscribe", channel="group", pk=3)
        await alice.event("subscribed")
        await alice.send(action="unsubscribe", channel="group", pk=3)
        await alice.event("unsubscribed")
        async with await Peer.admitted(door.url("/hub"), door.token("bob", groups=["3"])) as bob:
            await bob.send(action="subscribe", channel="group", pk=3)
            await bob.event("subscribed")
            await bob.send(action="publish", channel="group", pk=3, message="anybody?")
            await bob.event("message")
        await alice.send(action="subscribe", channel="group", pk=3, id="after")
        assert (await alice.event())["id"] == "after", "nothing came between"


def wrong_tokens(door: Door) -> dict[str, str]:
    """One token for each part that can be wrong."""
    good = door.token("alice")
    head, claims, signature = good.split(".")
    return {
        "signed by somebody else": door.token("alice", key=door.keep_secret("k" * 48)),
        "expired": door.token("alice", lasts=-60),
        "of another issuer": door.token("alice", iss="https://elsewhere.example"),
        "for another audience": door.token("alice", aud="elsewhere"),
        "not valid yet": door.token("alice", nbf=4102444800),
        "without a signature": f"{head}.{claims}.",
        "not a token": "nonsense",
        "changed on the way": f"{head}.{claims[:-2]}.{signature}",
    }


async def test_every_wrong_token_is_refused_with_the_same_words(door: Door) -> None:
    async with door:
        heard = set()
        for what, token in wrong_tokens(door).items():
            async with await Peer.connect(door.url("/hub")) as peer:
                await peer.event("ask")
                await peer.send(action="auth", kind="jwt", token=token)
                refused = await peer.event("refused")
                assert refused["code"] == 4401, f"{what}: {refused}"
                assert (await peer.closed())[0] == 4401, what
                assert "admitted" not in [event["event"] for event in peer.seen]
                trace = refused.pop("trace")
                assert len(trace) == 32
                heard.add(json.dumps(refused, sort_keys=True))
        assert len(heard) == 1, f"a stranger learns which part was wrong: {heard}"


async def test_a_refusal_leaves_a_trace_that_why_explains(door: Door) -> None:
    async with door:
        token = door.token("alice", lasts=-60)
        async with await Peer.connect(door.url("/hub")) as peer:
            await peer.event("ask")
            await peer.send(action="auth", kind="jwt", token=token)
            refused = await peer.event("refused")
        why = await door.cli("why", refused["trace"])
        assert why.code == 0, why
        for word in ("hub", "jwt", "expired"):
            assert word in why.stdout, why
        assert token.rsplit(".", 1)[1] not in why.stdout
        unknown = await door.cli("why", "0" * 31 + "1")
        assert unknown.code != 0, "a trace that nobody has is no success"


async def test_an_expired_token_ends_the_socket_that_it_opened(door: Door) -> None:
    async with door, await Peer.admitted(door.url("/hub"), door.token("alice", lasts=2)) as alice:
        code, _ = await alice.closed()
        assert code == 4410


async def test_a_peer_that_sends_nonsense_before_its_admission_is_refused_as_malformed(door: Door) -> None:
    async with door, await Peer.connect(door.url("/hub")) as peer:
        await peer.event("ask")
        await peer.connection.send("this is no JSON")
        assert (await peer.closed())[0] == 4400


async def test_nothing_works_before_the_admission(door: Door) -> None:
    async with door, await Peer.connect(door.url("/hub")) as peer:
        await peer.event("ask")
        await peer.send(action="subscribe", channel="group", pk=3, id=1)
        assert (await peer.closed())[0] == 4400
        assert "subscribed" not in [event["event"] for event in peer.seen]


async def test_ending_a_login_on_the_command_line_ends_its_socket_alone(door: Door) -> None:
    async with door, await Peer.admitted(door.url("/hub"), door.token("alice", groups=["3"])) as alice:
        async with await Peer.admitted(door.url("/hub"), door.token("bob", groups=["3"])) as bob:
            subject = next(event for event in alice.seen if event["event"] == "admitted")["subject"]
            ended = await door.cli("sockets", "end", f"subject={subject['kind']}:{subject['pk']}")
            assert ended.code == 0, ended
            assert (await alice.closed())[0] == 4410
            await bob.send(action="subscribe", channel="group", pk=3)
            await bob.event("subscribed")
            listed = json.dumps(await door.sockets())
            assert "bob" in listed and "alice" not in listed


async def test_a_socket_is_ended_by_its_id(door: Door) -> None:
    async with door, await Peer.connect(door.url("/hub")) as peer:
        admitted = await peer.climb(door.token("alice"))
        assert admitted["socket"] == await door.socket_of("alice")
        ended = await door.cli("sockets", "end", admitted["socket"])
        assert ended.code == 0, ended
        assert (await peer.closed())[0] == 4410


async def test_messages_of_one_sender_arrive_in_order(door: Door) -> None:
    async with door, await Peer.admitted(door.url("/hub"), door.token("alice", groups=["3"])) as alice:
        await alice.send(action="subscribe", channel="group", pk=3)
        await alice.event("subscribed")

        async def listen(count: int) -> list[int]:
            return [(await alice.event("message"))["message"] for _ in range(count)]

        async with await Peer.admitted(door.url("/hub"), door.token("bob")) as bob:
            listener = asyncio.create_task(listen(50))
            for number in range(50):
                await bob.send(action="publish", channel="group", pk=3, message=number)
            assert await listener == list(range(50))


async def test_a_path_without_a_gate_is_not_found(door: Door) -> None:
    async with door:
        with pytest.raises(InvalidStatus) as refused:
            await Peer.connect(door.url("/nowhere"))
        assert refused.value.response.status_code == 404


async def test_a_peer_that_sends_too_fast_is_ended_and_told_so(door: Door) -> None:
    async with door, await Peer.admitted(door.url("/hub"), door.token("alice", groups=["3"])) as alice:
        for number in range(100):
            await alice.send(action="unsubscribe", channel="group", pk=number)
        assert (await alice.closed())[0] == 4429
