"""Ladders for programs, and for people without an account of the built-in site."""

from .form import (
    ASK_TOKEN, BOB, KEY, ROBOT, SITE_SECRET, TOKEN, TOKEN_ENDS, admitted, ask, auth, choose, gate, refused, stored_key, write,
)
from .proofs import CLOCK, NOW, app_key_proof, b64url, challenge, drawn, jwt, key_id, key_text, line

STRANGER = drawn("another app key")
CHALLENGE = drawn("challenge")
TICKET = key_text("dwt_", drawn("ticket"))
NONCE = drawn("nonce")
# Each byte draws a word out of 64, by its value modulo 64.
WORDS = bytes([0, 65, 4, 63, 30, 204, 17, 40]) + drawn("not looked at", 8)
STATEMENT_WORDS = "acorn alder apple willow forest brook chalk juniper"
# The first two bytes choose two places out of the phrase.
PLACES = bytes([9, 2]) + drawn("not looked at either", 14)
PHRASE = "the lantern keeps its own quiet hours"

ASK_KEY = ask("app_key", "user sends key", ["key"], 5)
ASK_PROOF = ask("app_key", "user sends proof", ["proof"], 5, nonce=b64url(NONCE), owner="acme", gate="fancy")
PROOF = auth("app_key", proof=app_key_proof(KEY, "acme", "fancy", b64url(NONCE)))
HAVE_KEY = f"have: app_key {key_text('dwk_', KEY)}"


def flows() -> None:
    one = "[{ jwt = {} }]"
    write("jwt", "A signed token opens the gate, up to the time at which it expires.", gate(one),
          [f"have: jwt {TOKEN}"], ASK_TOKEN, auth("jwt", token=TOKEN), admitted(BOB, TOKEN_ENDS))
    other = jwt(drawn("another site").hex())
    write("jwt_of_another_issuer", "A token that somebody else signed opens nothing.", gate(one),
          [f"have: jwt {other}"], ASK_TOKEN, auth("jwt", token=other), *refused(4401, "not_authenticated"))
    late = jwt(SITE_SECRET, iat=NOW - 700, exp=NOW - 100)
    write("jwt_expired", "A token that has expired opens nothing, in the same words.", gate(one),
          [f"have: jwt {late}"], ASK_TOKEN, auth("jwt", token=late), *refused(4401, "not_authenticated"))

    one = "[{ app_key = {} }]"
    write("app_key", "A key proves itself over a fresh nonce, and is not shown.", gate(one),
          [f"random: {NONCE.hex()}", stored_key(), HAVE_KEY],
          ASK_KEY, auth("app_key", key=key_id(KEY)), ASK_PROOF, PROOF, admitted(ROBOT))
    unknown = auth("app_key", proof=app_key_proof(STRANGER, "acme", "fancy", b64url(NONCE)))
    stranger = f"have: app_key {key_text('dwk_', STRANGER)}"
    steps = [ASK_KEY, auth("app_key", key=key_id(STRANGER)), ASK_PROOF, unknown, *refused(4401, "not_authenticated")]
    write("app_key_unknown", "A key that nobody knows takes the same steps, and is refused at the last.", gate(one),
          [f"random: {NONCE.hex()}", stored_key(), stranger], *steps)
    write("app_key_revoked", "A key that was revoked is refused exactly as one that nobody knows.", gate(one),
          [f"random: {NONCE.hex()}", stored_key(STRANGER, revoked_at=CLOCK - 500), stranger], *steps)

    statement = f"{STATEMENT_WORDS} {b64url(NONCE)}"
    partial, proof = challenge(CHALLENGE, "fancy", b64url(NONCE), statement)
    ask_part = ask("challenge", "user sends partial and proof", ["partial", "proof"], 30,
                   statement=statement, nonce=b64url(NONCE), gate="fancy")
    secret = key_text("dwc_", CHALLENGE)
    one = f'[{{ challenge = {{ secret = "{secret}" }} }}]'
    header = [f"random: {NONCE.hex()}", f"random: {WORDS.hex()}"]
    write("challenge", "Who holds the secret knows which word of the statement is the right one, and proves it.", gate(one),
          [*header, f"have: challenge {secret}"], ask_part, auth("challenge", partial=partial, proof=proof), admitted())
    wrong = challenge(drawn("another challenge"), "fancy", b64url(NONCE), statement)
    write("challenge_wrong", "Another secret picks another word or proves another code.", gate(one),
          [*header, f"have: challenge {key_text('dwc_', drawn('another challenge'))}"],
          ask_part, auth("challenge", partial=wrong[0], proof=wrong[1]), *refused(4401, "not_authenticated"))

    words = PHRASE.split(" ")
    first = PLACES[0] % len(words)
    second = (first + 1 + PLACES[1] % (len(words) - 1)) % len(words)
    first, second = min(first, second), max(first, second)
    one = f'[{{ challenge = {{ variant = "words", words = "{PHRASE}" }} }}]'
    ask_words = ask("challenge", "user sends words", ["words"], 60,
                    statement=f"Send words {first + 1} and {second + 1} of the phrase, in this order.")
    right = f"{words[first]} {words[second]}"
    write("challenge_words", "A person sends two words of a phrase that they know.", gate(one),
          [f"random: {PLACES.hex()}", "person: yes"], ask_words, auth("challenge", words=right), admitted())
    write("challenge_words_wrong", "Two other words are refused.", gate(one), [f"random: {PLACES.hex()}", "person: yes"],
          ask_words, auth("challenge", words=" ".join(reversed(right.split(" ")))), *refused(4401, "not_authenticated"))

    one = '[{ ident = { glyph = "☂" } }]'
    tell = ("S", {"event": "tell", "layer": "ident", "step": "socket shows glyph", "glyph": "☂"})
    accept = ask("ident", "user accepts glyph", ["accept"], 60)
    write("ident", "The gate shows its glyph, and the client recognises it.", gate(one), ["have: glyph ☂"],
          tell, accept, auth("ident", accept="yes"), admitted())
    write("ident_declined", "A person does not recognise the gate, and says so.", gate(one), ["person: yes"],
          tell, accept, auth("ident", accept="no"), *refused(1000, "declined"))
    one = '[{ ident = { glyph = "☂", question = "Which day?", answers = ["Tuesday"] } }]'
    question = ask("ident", "user answers question", ["answer"], 60, question="Which day?")
    write("ident_question", "With a question: case and space around the answer do not count.", gate(one),
          ["have: glyph ☂", "person: yes"],
          tell, accept, auth("ident", accept="yes"), question, auth("ident", answer=" tuesday"), admitted())

    one = "[{ offer = { of = [{ jwt = {} }] } }]"
    offer = auth("jwt", token=TOKEN)
    write("offer", "The gate waits in silence; the client knows what to send.", gate(one),
          [f"have: offer {line(offer[1])}"], offer, admitted(BOB, TOKEN_ENDS))
    wrong_offer = auth("jwt", token=other)
    write("offer_wrong", "A wrong offer gets one verdict and no hint.", gate(one),
          [f"have: offer {line(wrong_offer[1])}"], wrong_offer, *refused(4401, "not_authenticated"))

    one = "[{ any = [[{ jwt = {} }], [{ app_key = {} }]] }]"
    write("any", "The message that names the alternative is also the first answer to it.", gate(one),
          [f"random: {NONCE.hex()}", stored_key(), HAVE_KEY], choose("jwt", "app_key"),
          auth("app_key", key=key_id(KEY)), ASK_PROOF, PROOF, admitted(ROBOT))
    write("any_other", "The other alternative of the same gate.", gate(one), [f"have: jwt {TOKEN}"],
          choose("jwt", "app_key"), auth("jwt", token=TOKEN), admitted(BOB, TOKEN_ENDS))

    one = "[{ ident = { glyph = \"☂\" } }, { optional = [{ app_key = {} }] }]"
    recognise = [tell, accept, auth("ident", accept="yes"), choose("app_key", optional=True)]
    write("optional_skipped", "What is optional is skipped, and the gate opens for nobody in particular.", gate(one),
          ["have: glyph ☂"], *recognise, auth("skip"), admitted())
    write("optional_taken", "What is optional is taken, and counts.", gate(one),
          [f"random: {NONCE.hex()}", stored_key(), "have: glyph ☂", HAVE_KEY],
          *recognise, auth("app_key", key=key_id(KEY)), ASK_PROOF, PROOF, admitted(ROBOT))

    one = '[{ ticket = { via = ["message"] } }]'
    ticket = {"owner": "acme", "text": TICKET, "gate": "fancy", "subject": BOB,
              "issued_at": CLOCK, "expires_at": CLOCK + 30_000}
    ask_ticket = ask("ticket", "user sends ticket", ["ticket"], 5)
    write("ticket", "A one-time ticket opens the gate over the open socket.", gate(one),
          [f"store: ticket {line(ticket)}", f"have: ticket {TICKET}"],
          ask_ticket, auth("ticket", ticket=TICKET), admitted(BOB))
    write("ticket_unknown", "A ticket that was used or never made opens nothing.", gate(one), [f"have: ticket {TICKET}"],
          ask_ticket, auth("ticket", ticket=TICKET), *refused(4401, "not_authenticated"))
