//! What the demo shows, scene by scene.

use std::time::Duration;

use doorward_client::{Answers, Client, ClientError, ClimbError, ConnectError, Credentials, Event, Message, Options};
use doorward_types::{Answer, CloseReason, Secret};
use serde_json::value::RawValue;

use super::{Narrator, World, narrator::Told};
use tokio::time::Instant;

use crate::cli::say;

/// How long any single step may take.
const STEP: Duration = Duration::from_secs(10);

/// How long the demo's tokens live.
const LIFE: Duration = Duration::from_secs(600);

/// Plays every scene; what goes wrong is counted, and the others go on.
pub(super) async fn play(world: &World, narrator: &mut Narrator) {
    whole_ladder(world, narrator).await;
    token_and_channels(world, narrator).await;
    offers(world, narrator).await;
    tickets(world, narrator).await;
    upstream(world, narrator).await;
    refusals(world, narrator).await;
    ending(world, narrator).await;
}

async fn whole_ladder(world: &World, narrator: &mut Narrator) {
    narrator.scene("a whole ladder: path, key, challenge and partial, the gate's own glyph");
    let path = "/fancy_app_path/lobby?myid=bob";
    narrator.sends("user", "gate", format_args!("GET {path}"));
    let Some(mut client) = open(world, narrator, path).await else { return };
    narrator.line("(not in this release: a one time pass, which needs accounts, and approval by SMS)");
    let credentials = key_and_challenge(world, world.challenge.clone()).glyph("☂");
    let Some(()) = climb(narrator, &mut client, credentials, "bob is admitted").await else { return };
    let Some(mut listener) = admitted_by_token(world, narrator, "/ws").await else { return };
    // Channels do not cross gates: the listener at another gate hears nothing of this one.
    subscribe(narrator, &mut client, "room", Some("lobby")).await;
    subscribe(narrator, &mut listener, "room", Some("lobby")).await;
    narrator.line("(not in this release: the packet sealed for its consumer, end to end)");
    publish(narrator, &mut client, "room", Some("lobby"), "\"a personal packet\"").await;
    hear(
        narrator,
        &mut client,
        "the broadcast reaches the room",
        |event| matches!(event, Event::Message { message, .. } if message.get() == "\"a personal packet\""),
    )
    .await;
    custom(narrator, &mut client).await;
    leave(client).await;
    leave(listener).await;
}

async fn token_and_channels(world: &World, narrator: &mut Narrator) {
    narrator.scene("a token over the socket, then channels");
    let Some(mut client) = open(world, narrator, "/ws").await else { return };
    let Some(token) = narrator.expect_ok("the issuer makes a token", world.token("bob", LIFE)) else { return };
    let frame = |token: &str| format!("{{\"action\":\"auth\",\"kind\":\"jwt\",\"token\":\"{token}\"}}");
    narrator.sends("user", "gate", frame("eyJ..."));
    let sent = frame(token.reveal_text("the demo shows its own token to its own gate").unwrap_or_default());
    narrator.expect_ok("the frame is sent as it stands in the manual", client.send(&sent).await);
    hear(
        narrator,
        &mut client,
        "the gate says who was admitted",
        |event| matches!(event, Event::Admitted { subject: Some(subject), .. } if subject.to_string() == "member:bob"),
    )
    .await;
    exchange(
        narrator,
        &mut client,
        r#"{"action":"subscribe","channel":"group","pk":3,"id":1}"#,
        |event| matches!(event, Event::Subscribed { pk, .. } if pk.as_deref() == Some("3")),
    )
    .await;
    exchange(
        narrator,
        &mut client,
        r#"{"action":"publish","channel":"group","pk":3,"message":"hello"}"#,
        |event| matches!(event, Event::Message { message, .. } if message.get() == "\"hello\""),
    )
    .await;
    exchange(
        narrator,
        &mut client,
        r#"{"action":"status","channel":"room","id":2}"#,
        |event| matches!(event, Event::Message { message, .. } if message.get().contains("member:bob")),
    )
    .await;
    exchange(
        narrator,
        &mut client,
        r#"{"action":"subscribe","channel":"group","pk":4,"id":3}"#,
        |event| matches!(event, Event::Error { code, .. } if code == "permission_denied"),
    )
    .await;
    exchange(narrator, &mut client, r#"{"action":"unsubscribe","channel":"group","pk":3,"id":4}"#, |event| {
        matches!(event, Event::Unsubscribed { .. })
    })
    .await;
    leave(client).await;
}

async fn offers(world: &World, narrator: &mut Narrator) {
    narrator.scene("an offer: the gate says nothing, and the user has to know what to say");
    let Some(token) = narrator.expect_ok("the issuer makes a token", world.token("bob", LIFE)) else { return };
    let offer = |key: &Secret| {
        let key = Answer::to_layer("app_key").with("key", key.clone());
        Credentials::new().offer(key).offer(Answer::to_layer("jwt").with("token", token.clone()))
    };
    if let Some(mut client) = open(world, narrator, "/offer").await
        && climb(narrator, &mut client, offer(&world.key), "the right set is admitted").await.is_some()
    {
        leave(client).await;
    }
    if let Some(mut client) = open(world, narrator, "/offer").await {
        let offered = offer(&world.stranger);
        refused(
            world,
            narrator,
            &mut client,
            offered,
            CloseReason::NotAuthenticated,
            "a wrong part is refused at the end",
        )
        .await;
    }
}

async fn tickets(world: &World, narrator: &mut Narrator) {
    narrator.scene("a one-time ticket, or else a token");
    let Some(ticket) = narrator.expect_ok("a ticket is made for bob", world.ticket().await) else { return };
    if let Some(mut client) = open(world, narrator, "/tickets").await
        && climb(narrator, &mut client, Credentials::new().ticket(ticket.clone()), "the ticket opens the gate")
            .await
            .is_some()
    {
        leave(client).await;
    }
    if let Some(mut client) = open(world, narrator, "/tickets").await {
        let again = Credentials::new().ticket(ticket);
        refused(world, narrator, &mut client, again, CloseReason::NotAuthenticated, "it does not open it twice").await;
    }
}

async fn upstream(world: &World, narrator: &mut Narrator) {
    narrator.scene("a gate in front of an unchanged WebSocket server");
    let Some(token) = narrator.expect_ok("the issuer makes a token", world.token("bob", LIFE)) else { return };
    let with = |bearer: Option<Secret>, origin: Option<&str>| Options {
        bearer,
        origin: origin.map(str::to_owned),
        subprotocols: Vec::new(),
        ..Options::default()
    };
    narrator.sends("user", "gate", "GET /chat/ with Authorization: Bearer eyJ...");
    let opened = world.connect("/chat/", with(Some(token.clone()), None)).await;
    if let Some(mut client) = narrator.expect_ok("the gate opens", opened) {
        narrator.expect_ok("a message goes through", client.send("hello, server").await);
        let answer = tokio::time::timeout(STEP, client.next_message()).await;
        let echoed = matches!(answer, Ok(Ok(Some(Message::Text(text)))) if text == "hello, server");
        narrator.expect("the server behind answers", echoed);
        leave(client).await;
    }
    status(narrator, "without a token", world.connect("/chat/", with(None, None)).await, 401);
    let foreign = with(Some(token), Some("https://evil.example"));
    status(narrator, "from a foreign page", world.connect("/chat/", foreign).await, 403);
    status(narrator, "to a path that nobody has", world.connect("/chit/", with(None, None)).await, 404);
}

async fn refusals(world: &World, narrator: &mut Narrator) {
    narrator.scene("each layer failed once: the user gets a number, the owner gets the reason");
    let fancy = "/fancy_app_path/lobby?myid=bob";
    if let Some(mut client) = open(world, narrator, fancy).await {
        let stranger = credentials_with(&world.stranger);
        refused(
            world,
            narrator,
            &mut client,
            stranger,
            CloseReason::NotAuthenticated,
            "app_key: a key that nobody knows",
        )
        .await;
    }
    if let Some(mut client) = open(world, narrator, fancy).await {
        let wrong = key_and_challenge(world, Secret::from_text("0".repeat(64)));
        refused(world, narrator, &mut client, wrong, CloseReason::NotAuthenticated, "challenge: another secret").await;
    }
    if let Some(mut client) = open(world, narrator, fancy).await {
        let no = key_and_challenge(world, world.challenge.clone()).otherwise(SaysNo);
        refused(world, narrator, &mut client, no, CloseReason::Declined, "ident: the user does not know the glyph")
            .await;
    }
    let expired = world.expired_token("bob");
    let Some(expired) = narrator.expect_ok("the issuer makes a token that is over", expired) else { return };
    if let Some(mut client) = open(world, narrator, "/ws").await {
        let late = Credentials::new().jwt(expired);
        refused(world, narrator, &mut client, late, CloseReason::NotAuthenticated, "jwt: a token that has expired")
            .await;
    }
}

async fn ending(world: &World, narrator: &mut Narrator) {
    narrator.scene("the end of a login lands on the live socket");
    let Some(mut client) = admitted_by_token(world, narrator, "/ws").await else { return };
    narrator.line("$ doorward sockets end subject=member:bob");
    let began = Instant::now();
    let Some(receipt) = narrator.expect_ok("the sockets are ended", world.end("subject=member:bob").await) else {
        return;
    };
    narrator.line(format_args!("receipt: {} ended within {} ms", receipt["ended"], receipt["within_ms"]));
    narrator.expect("it was one socket", receipt["ended"] == 1);
    let rest = tokio::time::timeout(STEP, client.next_message()).await;
    let reason = client.closed().and_then(doorward_client::Closed::close_reason);
    narrator.expect(
        format_args!("the user is told 4410 session_ended, {} ms after the order", began.elapsed().as_millis()),
        matches!(rest, Ok(Ok(None))) && reason == Some(CloseReason::SessionEnded),
    );
}

/// A person who does not recognise the gate.
struct SaysNo;

impl Answers for SaysNo {
    fn ask<'a>(
        &'a mut self,
        ask: &'a doorward_client::Ask,
    ) -> doorward_client::BoxFuture<'a, Result<Answer, doorward_client::Abort>> {
        Box::pin(async move { Ok(Answer::to_layer(ask.layer.as_str()).with_text("accept", "no")) })
    }

    fn choose<'a>(
        &'a mut self,
        _: &'a doorward_client::Choose,
    ) -> doorward_client::BoxFuture<'a, Result<doorward_client::Chosen, doorward_client::Abort>> {
        Box::pin(async { Ok(doorward_client::Chosen::Skip) })
    }
}

fn credentials_with(key: &Secret) -> Credentials {
    let text = key.reveal_text("the demo's own key").unwrap_or_default();
    Credentials::new().app_key(text).unwrap_or_default()
}

fn key_and_challenge(world: &World, challenge: Secret) -> Credentials {
    let text = challenge.reveal_text("the demo's own secret").unwrap_or_default();
    credentials_with(&world.key).challenge(text).unwrap_or_default()
}

async fn open(world: &World, narrator: &mut Narrator, path: &str) -> Option<Client> {
    narrator.expect_ok(format_args!("{path} is upgraded"), world.connect(path, Options::default()).await)
}

async fn climb(narrator: &mut Narrator, client: &mut Client, credentials: Credentials, what: &str) -> Option<()> {
    let climbed = tokio::time::timeout(STEP, client.climb(&mut Told::by(narrator, credentials))).await;
    match climbed {
        Ok(climbed) => narrator.expect_ok(what, climbed).map(drop),
        Err(_) => {
            narrator.expect(format_args!("{what}: nothing came"), false);
            None
        }
    }
}

async fn admitted_by_token(world: &World, narrator: &mut Narrator, path: &str) -> Option<Client> {
    let token = narrator.expect_ok("the issuer makes a token", world.token("bob", LIFE))?;
    let mut client = open(world, narrator, path).await?;
    climb(narrator, &mut client, Credentials::new().jwt(token), "the token is admitted").await?;
    Some(client)
}

/// Climbs with something wrong, and shows what the owner is told about it.
async fn refused(
    world: &World,
    narrator: &mut Narrator,
    client: &mut Client,
    credentials: Credentials,
    expected: CloseReason,
    what: &str,
) {
    let climbed = tokio::time::timeout(STEP, client.climb(&mut Told::by(narrator, credentials))).await;
    match climbed {
        Ok(Err(ClimbError::Refused(refused))) => {
            narrator.sends("gate", "user", &refused);
            narrator.expect(what, refused.close_reason() == Some(expected));
            narrator.line(format_args!("$ doorward why {}", refused.trace));
            if let Some(why) = narrator.expect_ok("the reason is in the audit log", world.why(&refused.trace).await) {
                why.lines().for_each(|line| say(format_args!("     | {line}")));
            }
        }
        Ok(Err(other)) => narrator.expect(format_args!("{what}: {other}"), false),
        Ok(Ok(_)) => narrator.expect(format_args!("{what}: but it was admitted"), false),
        Err(_) => narrator.expect(format_args!("{what}: nothing came"), false),
    }
}

fn status(narrator: &mut Narrator, what: &str, opened: Result<Client, ConnectError>, expected: u16) {
    match opened {
        Err(ConnectError::Refused { status, .. }) => {
            narrator.expect(format_args!("{what}: HTTP {status} before any WebSocket"), status == expected);
        }
        Err(other) => narrator.expect(format_args!("{what}: {other}"), false),
        Ok(_) => narrator.expect(format_args!("{what}: but it was let in"), false),
    }
}

async fn subscribe(narrator: &mut Narrator, client: &mut Client, channel: &str, pk: Option<&str>) {
    let sent = client.subscribe(channel, pk).await;
    narrator.expect_ok(format_args!("subscribe to {channel} {}", pk.unwrap_or_default()), sent);
    hear(narrator, client, "subscribed", |event| matches!(event, Event::Subscribed { .. })).await;
}

async fn publish(narrator: &mut Narrator, client: &mut Client, channel: &str, pk: Option<&str>, message: &str) {
    let Some(message) = narrator.expect_ok("the payload is JSON", RawValue::from_string(message.to_owned())) else {
        return;
    };
    narrator.expect_ok("publish", client.publish(channel, pk, &message).await);
}

async fn custom(narrator: &mut Narrator, client: &mut Client) {
    narrator.expect_ok("a custom action, `status`", client.custom("status", Some("room"), None, None).await);
    hear(
        narrator,
        client,
        "the application's own model answers, and knows the path",
        |event| matches!(event, Event::Message { message, .. } if message.get().contains("lobby")),
    )
    .await;
}

async fn exchange(narrator: &mut Narrator, client: &mut Client, frame: &str, fits: impl Fn(&Event) -> bool) {
    narrator.sends("user", "hub", frame);
    if narrator.expect_ok("sent", client.send(frame).await).is_some() {
        hear(narrator, client, "answered as told", fits).await;
    }
}

/// Waits for the event that fits, past those that do not, and shows it as it came.
async fn hear(narrator: &mut Narrator, client: &mut Client, what: &str, fits: impl Fn(&Event) -> bool) {
    let heard = tokio::time::timeout(STEP, async {
        while let Some(message) = client.next_message().await? {
            if let Message::Text(text) = message
                && Event::parse(&text).is_ok_and(|event| fits(&event))
            {
                return Ok::<_, ClientError>(Some(text));
            }
        }
        Ok(None)
    });
    match heard.await {
        Ok(Ok(Some(text))) => {
            narrator.sends("gate", "user", text);
            narrator.expect(what, true);
        }
        Ok(Ok(None)) => narrator.expect(format_args!("{what}: the gate closed"), false),
        Ok(Err(error)) => narrator.expect(format_args!("{what}: {error}"), false),
        Err(_) => narrator.expect(format_args!("{what}: nothing came"), false),
    }
}

async fn leave(client: Client) {
    // How a goodbye goes is not what is shown.
    let _goodbye = client.close().await;
}
