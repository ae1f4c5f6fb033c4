//! What the demo shows, scene by scene.

mod steps;
mod website;
mod wires;

use doorward_client::{Credentials, Event, Message, Options};
use doorward_types::{Answer, CloseReason, Secret};
use steps::{
    LIFE, STEP, admitted_by_token, climb, credentials_with, custom, end_of, exchange, hear, key_and_challenge, leave,
    milliseconds, open, publish, refused, status, subscribe,
};
use tokio::time::Instant;

use super::{narrator::Narrator, world::World};

/// Plays every scene; what goes wrong is counted, and the others go on.
pub(super) async fn play(world: &mut World, narrator: &mut Narrator) {
    whole_ladder(world, narrator).await;
    token_and_channels(world, narrator).await;
    offers(world, narrator).await;
    tickets(world, narrator).await;
    upstream(world, narrator).await;
    refusals(world, narrator).await;
    ending(world, narrator).await;
    website::two_sockets_and_a_logout(world, narrator).await;
    website::a_socket_that_waits(world, narrator).await;
    wires::events(world, narrator).await;
    wires::files(world, narrator).await;
}

async fn whole_ladder(world: &mut World, narrator: &mut Narrator) {
    narrator.scene("a whole ladder: path, key, phone, challenge and partial, the gate's own glyph");
    let path = "/fancy_app_path/lobby?myid=carol";
    narrator.sends("user", "gate", format_args!("GET {path}"));
    let Some(mut client) = open(world, narrator, path).await else { return };
    narrator.line("(not in this release: approval by SMS)");
    let phone = world.people.phone.at_hand();
    let credentials = key_and_challenge(world, world.challenge.clone()).glyph("☂").otherwise(phone);
    let Some(()) = climb(narrator, &mut client, credentials, "carol is admitted").await else { return };
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
    let carol = world.people.carol.subject().to_string();
    let Some(token) = narrator.expect_ok("the issuer makes a token", world.token(LIFE)) else { return };
    let frame = |token: &str| format!("{{\"action\":\"auth\",\"kind\":\"jwt\",\"token\":\"{token}\"}}");
    narrator.sends("user", "gate", frame("eyJ..."));
    let sent = frame(token.reveal_text("the demo shows its own token to its own gate").unwrap_or_default());
    narrator.expect_ok("the frame is sent as it stands in the manual", client.send(&sent).await);
    hear(
        narrator,
        &mut client,
        "the gate says who was admitted",
        |event| matches!(event, Event::Admitted { subject: Some(subject), .. } if subject.to_string() == carol),
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
        |event| matches!(event, Event::Message { message, .. } if message.get().contains(&carol)),
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
    let Some(token) = narrator.expect_ok("the issuer makes a token", world.token(LIFE)) else { return };
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
    let Some(ticket) = narrator.expect_ok("a ticket is made for carol", world.ticket().await) else { return };
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
    let Some(token) = narrator.expect_ok("the issuer makes a token", world.token(LIFE)) else { return };
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

async fn refusals(world: &mut World, narrator: &mut Narrator) {
    narrator.scene("each layer failed once: the user gets a number, the owner gets the reason");
    let fancy = "/fancy_app_path/lobby?myid=carol";
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
        let paper = world.people.phone.mislaid();
        let wrong = key_and_challenge(world, Secret::from_text("0".repeat(64))).otherwise(paper);
        refused(world, narrator, &mut client, wrong, CloseReason::NotAuthenticated, "challenge: another secret").await;
    }
    if let Some(mut client) = open(world, narrator, fancy).await {
        let no = key_and_challenge(world, world.challenge.clone()).otherwise(world.people.phone.mislaid());
        refused(world, narrator, &mut client, no, CloseReason::Declined, "ident: the user does not know the glyph")
            .await;
    }
    let expired = world.expired_token();
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
    let what = world.people.carol.subject().rest().to_string();
    narrator.line(format_args!("$ doorward sockets end {what}"));
    let began = Instant::now();
    let Some(receipt) = narrator.expect_ok("the sockets are ended", world.end(&what).await) else { return };
    narrator.line(format_args!("receipt: {} ended within {} ms", receipt["ended"], receipt["within_ms"]));
    narrator.expect("it was one socket", receipt["ended"] == 1);
    let ended = end_of(&mut client).await;
    narrator.expect(
        format_args!("the user is told 4410 session_ended, {} after the order", milliseconds(began, ended)),
        matches!(ended, Some((CloseReason::SessionEnded, _))),
    );
}
