"""What goes on over a socket after it was let in."""

from .form import (
    ASK_TOKEN, SITE_SECRET, TOKEN, TOKEN_ENDS, BOB, admitted, ask, auth, gate, happens, write,
)
from .people import BOB as BOB_OF_SITE, LOGIN_ENDS, PAGES, header, login, of_site, shown
from .proofs import CLOCK, NOW, drawn, jwt, line

RULES = '[[gate.channel]]\nname = "news"\nsubscribe = "any"\npublish = "authenticated"\ncustom = "any"\n'
MESSAGE = {"headline": "☂", "n": [1, 2.5]}


def request(action: str, number: int, **more) -> tuple:
    return "C", {"action": action} | more | {"id": number}


def publish(number: int) -> tuple:
    return "C", {"action": "publish", "channel": "news", "pk": "3", "id": number, "message": MESSAGE}


SUBSCRIBE = [request("subscribe", 1, channel="news", pk="3"),
             ("S", {"event": "subscribed", "channel": "news", "pk": "3", "id": 1})]
HEARD = ("S", {"event": "message", "channel": "news", "pk": "3", "message": MESSAGE})


def hub() -> None:
    write("hub", "Channels: subscribe, publish, a custom action, what is denied, and leaving.",
          gate("[{ jwt = {} }]", "{ hub = {} }", RULES), [f"have: jwt {TOKEN}"],
          ASK_TOKEN, auth("jwt", token=TOKEN), admitted(BOB, TOKEN_ENDS, "hub"),
          *SUBSCRIBE, publish(2), HEARD, ("S", {"event": "published", "id": 2}),
          request("roll", 3, channel="dice"),
          ("S", {"event": "error", "id": 3, "code": "permission_denied", "message": "you may not do that there"}),
          request("subscribe", 4, channel="secret"),
          ("S", {"event": "error", "id": 4, "code": "permission_denied", "message": "you may not do that there"}),
          request("unsubscribe", 5, channel="news", pk="3"),
          ("S", {"event": "unsubscribed", "channel": "news", "pk": "3", "id": 5}),
          ("C", "close 1000 normal"), ("S", "close 1000"))


def reauth() -> None:
    config = gate('[{ jwt = { on_expiry = "reauth" } }]', "{ hub = {} }", RULES)
    begins = [ASK_TOKEN, auth("jwt", token=TOKEN), admitted(BOB, TOKEN_ENDS, "hub")]
    expires = happens(f"clock {CLOCK + 600_000}")
    another = jwt(SITE_SECRET, iat=NOW + 600, exp=NOW + 1200)
    write("reauth", "When the token expires another one is asked for over the open socket, and what was subscribed to stays.",
          config, [f"have: jwt {TOKEN}", f"have: jwt {another}"], *begins, *SUBSCRIBE, expires,
          ASK_TOKEN, auth("jwt", token=another), admitted(BOB, "2026-11-22T00:20:00.000Z", "hub"),
          publish(2), HEARD, ("S", {"event": "published", "id": 2}))
    somebody = jwt(SITE_SECRET, sub="8", name="eve", iat=NOW + 600, exp=NOW + 1200)
    sorry = {"event": "error", "code": "not_authenticated", "message": "You could not be authenticated."}
    write("reauth_in_vain", "A token of somebody else does not renew the socket, which ends when the grace is over.",
          config, [f"have: jwt {TOKEN}", f"have: jwt {somebody}"], *begins, expires,
          ASK_TOKEN, auth("jwt", token=somebody), ("S", sorry),
          happens(f"clock {CLOCK + 631_000}"), ("S", "close 4410 expired"))


def suspended() -> None:
    config = of_site("[{ session = {} }]", "{ hub = {} }", PAGES + 'on_logout = "suspend"\n' + RULES)
    ends = {"owner": "acme", "rest": f"sid={drawn('sid first', 16).hex()}", "why": "logged_out"}
    write("suspended", "A logout suspends the socket; a login of the same person in the same browser resumes it.", config,
          [*shown("first"), *header(login("first"))], admitted(BOB_OF_SITE, LOGIN_ENDS, "hub"), *SUBSCRIBE,
          happens(f"end {line(ends)}"), ("S", {"event": "suspended", "reason": "logged_out"}),
          happens(f"store {login('second', CLOCK)}"), ("S", {"event": "resumed"}),
          publish(2), HEARD, ("S", {"event": "published", "id": 2}))


def flows() -> None:
    hub()
    reauth()
    suspended()
