//! The guesses: in each group all kinds have to get the same verdict in the same time.

use super::{
    caller::{Caller, Step, Verdict},
    world::{DISABLED, NEAR, OPEN, UNKNOWN, Users, World},
};
use crate::{
    error::Result,
    http,
    spoken::{request, text},
};
use serde_json::{Value, json};

/// Nobody's password, of letters and dashes, so that a form takes it as it is.
const WRONG: &str = "not-the-password-of-anybody";

/// Wrong guesses that must look alike.
pub(super) struct Group {
    pub(super) name: String,
    /// Where all tries are made on one connection: how it is opened.
    pub(super) shared: Option<Vec<Step>>,
    /// Whether wrong guesses count against where they come from, so that each comes from an address of its own.
    pub(super) are_counted: bool,
    pub(super) verdict: Verdict,
    pub(super) kinds: Vec<Kind>,
}

/// One sort of wrong guess.
pub(super) struct Kind {
    pub(super) name: &'static str,
    guess: Guess,
}

enum Guess {
    /// The same each time.
    Same(Try),
    /// Another one each time, by its number: where wrong guesses are counted.
    Own(Box<dyn Fn(u32) -> Try>),
}

/// One guess.
#[derive(Clone)]
pub(super) struct Try {
    /// What comes before the last message.
    pub(super) before: Vec<Step>,
    /// What the verdict comes for.
    pub(super) last: Vec<u8>,
}

impl Group {
    fn of(name: &str, verdict: Verdict, kinds: Vec<Kind>) -> Self {
        Self { name: name.to_owned(), shared: None, are_counted: false, verdict, kinds }
    }
}

impl Kind {
    fn same(name: &'static str, before: Vec<Step>, last: Vec<u8>) -> Self {
        Self { name, guess: Guess::Same(Try { before, last }) }
    }

    fn own(name: &'static str, guess: impl Fn(u32) -> Try + 'static) -> Self {
        Self { name, guess: Guess::Own(Box::new(guess)) }
    }

    /// The guess of that number.
    pub(super) fn guess(&self, number: u32) -> Try {
        match &self.guess {
            Guess::Same(guess) => guess.clone(),
            Guess::Own(guess) => guess(number),
        }
    }
}

/// All groups. Uses the tickets of the world up.
pub(super) fn all(world: &World) -> Result<Vec<Group>> {
    let [header, message] = &world.tickets;
    Caller::connect(world.target)?.follow(&[Step::Say(with_ticket(world, header)), Step::Status(101)])?;
    let mut by_message = asked(world, "/message");
    by_message.extend([Step::Say(answer("ticket", "ticket", message)), Step::Event("admitted")]);
    Caller::connect(world.target)?.follow(&by_message)?;
    Ok(vec![
        paths(world),
        methods(world),
        app_keys(world),
        channels(world),
        offers(world),
        Group::of(
            "ticket in a header",
            Verdict::Status(401),
            vec![
                whole_request("unknown", with_ticket(world, &world.unknown_ticket)),
                whole_request("used", with_ticket(world, header)),
            ],
        ),
        Group::of(
            "ticket in a message",
            Verdict::Refused(4401),
            [("unknown", &world.unknown_ticket), ("used", message)]
                .map(|(name, ticket)| Kind::same(name, asked(world, "/message"), answer("ticket", "ticket", ticket)))
                .into(),
        ),
        users_at_the_page(world),
        users_over_a_socket(world),
    ])
}

fn paths(world: &World) -> Group {
    let get = |path| request(world.target, path, None).to_vec();
    Group::of(
        "path",
        Verdict::Status(404),
        vec![
            whole_request("unknown", get(UNKNOWN)),
            whole_request("disabled", get(DISABLED)),
            whole_request("all but a digit", get(NEAR)),
        ],
    )
}

/// No gate is looked up for these, so they are alike among themselves and not like the others.
fn methods(world: &World) -> Group {
    let post = |path| [b"POST", request(world.target, path, None).get(3..).unwrap_or_default()].concat();
    let kinds = vec![whole_request("at a gate", post(OPEN)), whole_request("at an unknown path", post(UNKNOWN))];
    Group::of("wrong method", Verdict::Status(404), kinds)
}

fn app_keys(world: &World) -> Group {
    let proof = answer("app_key", "proof", &world.wrong_proof);
    let kind = |name, id: &str| {
        let mut before = asked(world, "/key");
        before.extend([Step::Say(answer("app_key", "key", id)), Step::Event("ask")]);
        Kind::same(name, before, proof.clone())
    };
    Group::of(
        "app key",
        Verdict::Refused(4401),
        vec![
            kind("unknown", &world.unknown.id),
            kind("revoked", &world.revoked.id),
            kind("wrong proof", &world.known.id),
        ],
    )
}

/// On one admitted socket: what the server writes down of an admission is done with by then.
fn channels(world: &World) -> Group {
    let mut opening = asked(world, "/hub");
    opening.extend([Step::Say(answer("jwt", "token", &world.token())), Step::Event("admitted")]);
    let kind = |name, channel: &str| {
        Kind::same(name, Vec::new(), text(&json!({"action": "subscribe", "channel": channel, "pk": 1, "id": 1})))
    };
    let kinds = vec![kind("unknown", "nobody"), kind("for nobody", "closed"), kind("by a claim", "groups")];
    Group { shared: Some(opening), ..Group::of("channel", Verdict::Denied, kinds) }
}

/// All parts go at once, so that the number of segments is the same for each.
fn offers(world: &World) -> Group {
    let token = answer("jwt", "token", &world.token());
    let wrong_token = answer("jwt", "token", &world.wrong_token());
    let key = answer("app_key", "key", &world.known.text);
    let wrong_key = answer("app_key", "key", &world.unknown.text);
    let kind = |name, parts: &[&[u8]]| {
        let before = vec![Step::Say(request(world.target, "/offer", None).to_vec()), Step::Status(101)];
        Kind::same(name, before, parts.concat())
    };
    Group::of(
        "offer",
        Verdict::Refused(4401),
        vec![
            kind("wrong first", &[&wrong_token, &key]),
            kind("wrong last", &[&token, &wrong_key]),
            kind("wrong order", &[&key, &token]),
            kind("one too many", &[&token, &key, &token]),
        ],
    )
}

/// A request whose last byte is the last message: the verdict cannot be due earlier.
fn whole_request(name: &'static str, mut request: Vec<u8>) -> Kind {
    let last = request.split_off(request.len().saturating_sub(1));
    Kind::same(name, vec![Step::Say(request)], last)
}

/// The form of the website. The names have one length, since the page shows what was typed.
fn users_at_the_page(world: &World) -> Group {
    let target = world.target;
    let kind = |name, whose: fn(u32) -> String| {
        Kind::own(name, move |number| {
            let mut form = http::form(target, "/login", &[("username", &whose(number)), ("password", WRONG)]);
            let last = form.split_off(form.len().saturating_sub(1));
            Try { before: vec![Step::Say(form)], last }
        })
    };
    let kinds = vec![
        kind("unknown", |number| format!("nobody-{number:05}")),
        kind("wrong password", |number| Users::AtThePage.name(number)),
        kind("disabled", |number| Users::Disabled.name(number)),
    ];
    Group { are_counted: true, ..Group::of("user at the page", Verdict::Status(401), kinds) }
}

fn users_over_a_socket(world: &World) -> Group {
    let opening = asked(world, "/password");
    let kind = |name, whose: fn(u32) -> String| {
        let before = opening.clone();
        Kind::own(name, move |number| {
            let said = json!({"action": "auth", "kind": "password", "username": whose(number), "password": WRONG});
            Try { before: before.clone(), last: text(&said) }
        })
    };
    let kinds = vec![
        kind("unknown", |number| format!("nobody-{number:05}")),
        kind("wrong password", |number| Users::OverASocket.name(number)),
    ];
    Group { are_counted: true, ..Group::of("user over a socket", Verdict::Refused(4401), kinds) }
}

fn with_ticket(world: &World, ticket: &str) -> Vec<u8> {
    let mut request = request(world.target, "/header", None).to_vec();
    request.truncate(request.len().saturating_sub(2));
    request.extend_from_slice(format!("Doorward-Ticket: {ticket}\r\n\r\n").as_bytes());
    request
}

/// To the moment when the gate has asked for the first time.
fn asked(world: &World, path: &str) -> Vec<Step> {
    vec![Step::Say(request(world.target, path, None).to_vec()), Step::Status(101), Step::Event("ask")]
}

fn answer(kind: &str, field: &str, value: &str) -> Vec<u8> {
    let mut message = json!({"action": "auth", "kind": kind});
    message[field] = Value::from(value);
    text(&message)
}
