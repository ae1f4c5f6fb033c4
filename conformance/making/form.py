"""The form of a transcript, and the lines that many have in common."""

import pathlib

from .proofs import CLOCK, drawn, jwt, key_id, line, public_half

HERE = pathlib.Path(__file__).parent.parent
BOB = {"kind": "member", "pk": "7", "uuid": "bob"}
ROBOT = {"kind": "key", "pk": "3", "uuid": "robot"}
ANY = "<any>"

SITE_SECRET = drawn("site").hex()
TOKEN = jwt(SITE_SECRET)
TOKEN_ENDS = "2026-11-22T00:10:00.000Z"
KEY = drawn("app key")

ISSUER = f"""
[[issuer]]
name = "site"
issuer = "https://site.example"
audience = "doorward"
algorithms = ["HS256"]
secret = "{SITE_SECRET}"
uuid_claim = "name"
"""


SITE = """
[site]
enabled = true
"""


def gate(ladder: str, backend: str = "{ echo = {} }", more: str = "", parts: str = "") -> str:
    return f"""
[[owner]]
name = "acme"
{ISSUER if "jwt" in ladder else ""}{parts}
[[gate]]
name = "fancy"
path = "/fancy"
backend = {backend}
ladder = {ladder}
{more}"""


def stored_key(seed: bytes = KEY, **more) -> str:
    key = {"owner": "acme", "id": key_id(seed), "public": public_half(seed).hex(), "subject": ROBOT}
    return f"store: app_key {line(key | {'created_at': CLOCK - 1000} | more)}"


def auth(kind: str | None, **fields) -> tuple[str, dict]:
    return "C", {"action": "auth"} | ({"kind": kind} if kind else {}) | fields


def ask(layer: str, step: str, fields: list[str], seconds: int, **shows) -> tuple[str, dict]:
    return "S", {"event": "ask", "layer": layer, "step": step, "fields": fields} | shows | {"expires_in": seconds}


def choose(*of: str, optional: bool = False) -> tuple[str, dict]:
    return "S", {"event": "choose", "of": list(of)} | ({"optional": True} if optional else {}) | {"expires_in": 60}


def admitted(subject: dict | None = None, expires_at: str | None = None, backend: str = "echo") -> tuple[str, dict]:
    event = {"event": "admitted", "socket": ANY}
    event |= {"subject": subject} if subject else {}
    event |= {"backend": backend}
    return "S", event | ({"expires_at": expires_at} if expires_at else {})


def http(status: int) -> tuple[str, str]:
    return "S", f"http {status}"


def happens(what: str) -> tuple[str, str]:
    return "W", what


def refused(code: int, reason: str, reconnect: str = "never") -> list[tuple[str, object]]:
    after = 5000 if reconnect == "later" else 0
    event = {"event": "refused", "code": code, "reason": reason, "reconnect": reconnect, "after_ms": after, "trace": ANY}
    return [("S", event), ("S", f"close {code} {reason}")]


ASK_TOKEN = ask("jwt", "user sends token", ["token"], 5)


def write(name: str, about: str, config: str, header: list[str], *turns: tuple[str, object]) -> None:
    out = [f"# {part}" for part in about.strip().split("\n")]
    out += [f"clock: {CLOCK}", "request: /fancy", *header]
    out += [f"| {text}" if text else "|" for text in config.strip().split("\n")]
    out += ["---"]
    out += [f"{by} {said if isinstance(said, str) else line(said)}" for by, said in turns]
    (HERE / f"{name}.transcript").write_text("\n".join(out) + "\n", encoding="utf-8")
