"""Ladders for people with an account of the built-in site; and what that site keeps."""

from .form import (
    ASK_TOKEN, SITE, SITE_SECRET, TOKEN_ENDS, admitted, ask, auth, gate, happens, http, refused, write,
)
from .proofs import (
    CLOCK, NOW, code_text, drawn, entry_hash, grouped, jwt, key_text, line, password_hash, recovery_hash, sealed, totp,
    tries_of_name,
)

SECOND, HOUR = 1000, 3_600_000
OWNER = {"owner": "acme"}
BOB = {"kind": "member", "pk": "1", "uuid": "Bob"}
PAGE = "https://app.example"
PAGES = f'origins = ["{PAGE}"]\n'
PASSWORD = "a plum, a teapot, a moth"
KEK = drawn("kek")
SEED = drawn("phone", 20)
RECOVERY = code_text(drawn("recovery", 24))
ENTRY_KEY = code_text(drawn("entry key", 12))
STEP = NOW // 30


def stored(sort: str, **row) -> str:
    return f"{sort} {line(OWNER | row)}"


def browser_of(name: str) -> str:
    return key_text("dwb_", drawn(f"browser {name}"))


def login(name: str, at: int = CLOCK - 60 * SECOND, **more) -> str:
    """A login of Bob's, in his browser."""
    row = {"sid": drawn(f"sid {name}", 16).hex(), "account": 1, "cookie": key_text("dws_", drawn(f"login {name}")),
           "browser": browser_of("Bob"), "factors": ["pwd"], "created_at": at, "last_seen": at,
           "idle_ms": HOUR // 2, "expires_at": at + 12 * HOUR}
    return stored("session", **(row | more))


def shown(login_name: str | None, browser: str | None = "Bob", page: str | None = PAGE) -> list[str]:
    """What the browser's upgrade request says by itself."""
    cookies = {"session": login_name and key_text("dws_", drawn(f"login {login_name}")),
               "browser": browser and browser_of(browser)}
    pairs = "; ".join(f"__Host-doorward-{name}={text}" for name, text in cookies.items() if text)
    return ([f"header: Origin: {page}"] if page else []) + ([f"header: Cookie: {pairs}"] if pairs else [])


def header(*rows: str) -> list[str]:
    """The site's key, and Bob's account before whatever else is stored."""
    account = stored("account", id=1, username="Bob", unique="bob", created_at=CLOCK - HOUR,
                     password=password_hash(PASSWORD, drawn("salt", 16)))
    return [f"kek: {KEK.hex()}", *(f"store: {row}" for row in (account, *rows))]


def of_site(ladder: str, backend: str = "{ echo = {} }", more: str = "") -> str:
    return gate(ladder, backend, more, SITE)


NO = refused(4401, "not_authenticated")
LOGIN_ENDS = "2026-11-22T11:59:00.000Z"


def session() -> None:
    # Without a layer that talks it is the hub alone that speaks of an admission.
    config = of_site("[{ session = {} }]", "{ hub = {} }", PAGES)
    write("session", "The cookie of a login lets its page in, until the login is over; nobody says anything.", config,
          [*shown("first"), *header(login("first"))], admitted(BOB, LOGIN_ENDS, "hub"))
    write("session_unknown", "The cookie of a login that never was, or has ended: the upgrade is refused.", config,
          [*shown("other"), *header(login("first"))], http(401))
    write("session_missing", "A page whose browser has no login is refused like one with an unknown login.", config,
          [*shown(None), *header(login("first"))], http(401))
    write("session_idle", "A login that was not used for half an hour is over.", config,
          [*shown("first"), *header(login("first", CLOCK - HOUR // 2))], http(401))
    write("session_foreign_page", "A page that the gate does not list is refused, whatever cookie its browser brings.", config,
          [*shown("first", page="https://evil.example"), *header(login("first"))], http(403))
    write("session_without_page", "A cookie that comes without the origin of a page counts for nothing.", config,
          [*shown("first", page=None), *header(login("first"))], http(403))
    write("session_told", "With `refuse = \"frame\"` the page can see why it is not let in.",
          of_site("[{ session = {} }]", "{ hub = {} }", PAGES + 'refuse = "frame"\n'),
          [*shown("other"), *header(login("first"))], *NO)


ASK_PASSWORD = ask("password", "user sends username and password", ["username", "password"], 60)


def password() -> None:
    config, person = of_site("[{ password = {} }]"), "person: yes"
    right = auth("password", username="bob", password=PASSWORD)
    write("password", "Name and password of an account; the case of the name does not count.", config,
          [person, *header()], ASK_PASSWORD, right, admitted(BOB))
    write("password_wrong", "Another password is refused.", config, [person, *header()],
          ASK_PASSWORD, auth("password", username="bob", password=f"{PASSWORD}s"), *NO)
    write("password_of_nobody", "A name that nobody has takes the same steps, and gets the same words.", config,
          [person, *header()], ASK_PASSWORD, auth("password", username="eve", password=PASSWORD), *NO)

    def tries(*ago: int) -> str:
        return stored("tries", factor="password", subject=tries_of_name("bob"), source="192.0.2.9",
                      at=[CLOCK - seconds * SECOND for seconds in ago])

    write("password_locked", "Ten seconds after the fifth wrong password the right one is refused too, in the same words.",
          config, [person, *header(tries(240, 180, 120, 60, 10))], ASK_PASSWORD, right, *NO)
    write("password_later", "Thirty seconds after the fifth wrong password the right one is taken again.",
          config, [person, *header(tries(240, 180, 120, 60, 30))], ASK_PASSWORD, right, admitted(BOB))


def second_factor() -> None:
    config = of_site("[{ password = {} }, { totp = {} }]")
    first = [ASK_PASSWORD, auth("password", username="Bob", password=PASSWORD), ask("totp", "user sends code", ["code"], 60)]

    def phone(last_step: int = STEP - 10) -> str:
        return stored("totp", account=1, sealed=sealed(KEK, SEED, "totp/acme/1", drawn("nonce of the seal", 12)).hex(),
                      confirmed_at=CLOCK - HOUR, last_step=last_step, recovery=[recovery_hash(RECOVERY)])

    def says(name: str, about: str, code: str, *verdict, rows: tuple = (phone(),)) -> None:
        write(name, about, config, ["person: yes", *header(*rows)], *first, auth("totp", code=code), *verdict)

    code = totp(SEED, STEP)
    says("totp", "The code that the phone shows at this moment; the space in it does not count.",
         f"{code[:3]} {code[3:]}", admitted(BOB))
    says("totp_of_the_last_moment", "The code that the phone has shown until now.", totp(SEED, STEP - 1), admitted(BOB))
    says("totp_wrong", "A code of two moments ago is as wrong as any other.", totp(SEED, STEP - 2), *NO)
    says("totp_reused", "A code that was taken before is refused like a wrong one.", code, *NO, rows=(phone(STEP),))
    says("totp_older_than_the_last", "After a code of one moment none of an earlier one is taken.",
         totp(SEED, STEP - 1), *NO, rows=(phone(STEP),))
    says("totp_recovery", "A recovery code stands in for the phone; case and dashes do not count.",
         grouped(RECOVERY).lower(), admitted(BOB))
    says("totp_recovery_wrong", "A recovery code that is none of the account's.",
         grouped(code_text(drawn("other recovery", 24))), *NO)
    says("totp_without_phone", "An account without a phone is refused like one with a wrong code.", code, *NO, rows=())


def key_entry() -> None:
    config, person = of_site("[{ key_entry = {} }]"), "person: yes"
    sid = drawn("sid first", 16).hex()
    key = stored("key_entry", account=1, sid=sid, id=ENTRY_KEY[:4], hash=entry_hash(KEK, ENTRY_KEY),
                 expires_at=CLOCK + 120 * SECOND)

    def asked(tries: int) -> tuple:
        return ask("key_entry", "user sends key", ["key"], 120, tries=str(tries))

    def typed(text: str) -> tuple:
        return auth("key_entry", key=text)

    rows = header(login("first"), key)
    wrong = grouped(ENTRY_KEY[:-1] + ("0" if ENTRY_KEY[-1] != "0" else "1"))
    write("key_entry", "The key that the website has shown, as a person types it: small, with spaces, `o` for `0`.", config,
          [person, *rows], asked(5), typed(grouped(ENTRY_KEY).lower().replace("-", " ").replace("0", "o")), admitted(BOB))
    write("key_entry_again", "A wrong key is asked for again, with one try less.", config,
          [person, *rows], asked(5), typed(wrong), asked(4), typed(grouped(ENTRY_KEY)), admitted(BOB))
    five = [turn for tries in (5, 4, 3, 2, 1) for turn in (asked(tries), typed(wrong))]
    write("key_entry_wrong", "The fifth wrong key is the last.", config, [person, *rows], *five, *NO)


WAIT = ("S", {"event": "wait", "layer": "assert_login", "step": "socket waits for login", "for": "login", "expires_in": 300})
CHECK = auth("assert_login", check=True)


def not_yet(left: int) -> tuple:
    return "S", {"event": "tell", "layer": "assert_login", "step": "socket answers not yet", "checks": str(left)}


def assert_login() -> None:
    token = jwt(SITE_SECRET, sub="1", name="Bob")
    proven = [ASK_TOKEN, auth("jwt", token=token)]
    config, have = of_site("[{ jwt = {} }, { assert_login = {} }]"), f"have: jwt {token}"
    logs_in = happens(f"store {login('first', CLOCK)}")
    write("assert_login", "The socket waits for its user's login, looks when it is asked to, and goes on by itself.", config,
          [have, *header()], *proven, WAIT, CHECK, not_yet(19), CHECK, not_yet(18), logs_in, admitted(BOB, TOKEN_ENDS))
    write("assert_login_at_once", "Whoever is logged in already goes on at once.", config,
          [have, *header(login("first"))], *proven, admitted(BOB, TOKEN_ENDS))
    checks = [turn for left in reversed(range(20)) for turn in (CHECK, not_yet(left))]
    write("assert_login_impatient", "Twenty looks are free; the next one ends the socket.", config,
          [have, *header()], *proven, WAIT, *checks, CHECK, *refused(4429, "too_fast", "later"))
    config = of_site('[{ assert_login = { who = "browser" } }]', more=PAGES)
    write("assert_login_in_browser", "The socket waits for whoever logs in in the browser that has opened it.", config,
          [*shown(None), *header()], WAIT, happens(f"store {login('elsewhere', CLOCK, browser=browser_of('Eve'))}"),
          CHECK, not_yet(19), logs_in, admitted(BOB, "2026-11-22T12:00:00.000Z"))


def flows() -> None:
    session()
    password()
    second_factor()
    key_entry()
    assert_login()
