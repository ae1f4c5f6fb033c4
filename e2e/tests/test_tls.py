"""TLS on the public port: foreign clients connect by `wss://`, and a renewed certificate is shown after a SIGHUP."""

from __future__ import annotations

import json
import signal
import socket
import ssl
from pathlib import Path

from cryptography import x509

from harness.certificates import TLS, Issuer
from harness.door import ECHO, HUB, SITE, Door, binary, upstream
from harness.foreign import CLIENTS, Opening, echo_server
from harness.process import Process


def door(folder: Path, *sections: str) -> Door:
    """A server that speaks TLS."""
    made = Door(folder)
    made.configure(*sections, server=TLS)
    return made


def shown(address: str, trusted: Path) -> int:
    """The serial number of the certificate that is shown at an address."""
    host, port = address.rsplit(":", 1)
    context = ssl.create_default_context(cafile=str(trusted))
    with socket.create_connection((host, int(port))) as raw, context.wrap_socket(raw, server_hostname=host) as stream:
        return x509.load_der_x509_certificate(stream.getpeercert(binary_form=True)).serial_number


async def test_a_foreign_client_connects_by_wss_to_each_kind_of_gate(folder: Path, before: str) -> None:
    issuer = Issuer()
    issuer.issue(folder)
    trusted = issuer.trusted(folder)
    async with echo_server("ws") as server, door(folder, SITE, HUB, ECHO, upstream(server.url)) as gate:
        async with CLIENTS[before]() as client:
            await client.open(gate.url("/echo", tls=True), Opening(trusted=trusted))
            for message in ("grüße", "x" * 50_000, b"\x00\xff"):
                await client.send(message)
                assert await client.receive() == message
        async with CLIENTS[before]() as client:
            await client.open(gate.url("/app", tls=True), Opening(token=gate.token("alice"), trusted=trusted))
            await client.send("headers")
            headers = json.loads(await client.receive())
            assert headers["x-forwarded-proto"] == "https", headers
        async with CLIENTS[before]() as client:
            await client.open(gate.url("/hub", tls=True), Opening(protocols=["doorward.v1"], trusted=trusted))
            assert json.loads(await client.receive())["event"] == "ask"
            await client.send(json.dumps({"action": "auth", "kind": "jwt", "token": gate.token("alice")}))
            assert json.loads(await client.receive())["event"] == "admitted"


async def test_a_renewed_certificate_is_shown_after_a_sighup_and_a_bad_one_is_not(folder: Path) -> None:
    issuer = Issuer()
    first = issuer.issue(folder)
    trusted = issuer.trusted(folder)
    async with door(folder, ECHO) as gate:
        assert shown(gate.public, trusted) == first
        second = issuer.issue(folder)
        gate.process.signal(signal.SIGHUP)
        await gate.process.line("the gates were read again", on="stderr")
        assert shown(gate.public, trusted) == second
        (folder / "fullchain.pem").write_text("")
        gate.process.signal(signal.SIGHUP)
        await gate.process.line("the old configuration stays", on="stderr")
        assert shown(gate.public, trusted) == second
        checked = await gate.cli("checkconfig")
        assert checked.code == 64 and "server.tls.cert_file" in checked.stdout, checked


async def test_connect_speaks_wss_and_says_what_to_do_about_an_issuer_that_nobody_knows(folder: Path) -> None:
    issuer = Issuer()
    issuer.issue(folder)
    trusted = issuer.trusted(folder)
    async with door(folder, SITE, HUB) as gate:
        where, env = gate.url("/hub", tls=True), {"DOORWARD_TOKEN": gate.token("alice")}
        known = await Process.start(binary(), "connect", where, "--cacert", trusted, env=env, cwd=folder)
        await known.line("admitted as member:alice")
        known.hang_up()
        assert await known.exit() == 0
        strangers = folder / "strangers.pem"
        strangers.write_bytes(Issuer("Somebody else").trusted(folder).read_bytes())
        unknown = await Process.start(binary(), "connect", where, "--cacert", strangers, env=env, cwd=folder)
        assert await unknown.exit() != 0
        assert "nobody who is trusted here" in unknown.output and "--cacert FILE" in unknown.output, unknown.output


async def test_guard_speaks_tls_with_a_certificate_that_it_is_given(folder: Path) -> None:
    issuer = Issuer()
    issuer.issue(folder)
    trusted = issuer.trusted(folder)
    async with echo_server("ws") as server:
        process = await Process.start(
            binary(), "guard", server.url, "--open", "--listen", "127.0.0.1:0",
            "--tls-cert", "fullchain.pem", "--tls-key", "privkey.pem", cwd=folder,
        )
        try:
            url = (await process.line(r"connect with: .*(wss://[\w.:]+/)"))[1]
            async with CLIENTS["websockets"]() as client:
                await client.open(url, Opening(trusted=trusted))
                await client.send("in")
                assert await client.receive() == "in"
        finally:
            await process.stop()
