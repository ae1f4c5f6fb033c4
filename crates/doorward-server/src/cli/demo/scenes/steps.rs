//! The steps that scenes are made of: each says what it does, and what came of it.

use std::time::Duration;

use doorward_client::{Client, ClientError, ClimbError, Closed, ConnectError, Credentials, Event, Message, Options};
use doorward_types::{CloseReason, Secret};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::cli::{
    demo::{
        narrator::{Narrator, Told},
        world::World,
    },
    say,
};

/// How long any single step may take.
pub(super) const STEP: Duration = Duration::from_secs(10);

/// How long the demo's tokens live.
pub(super) const LIFE: Duration = Duration::from_secs(600);

pub(super) fn credentials_with(key: &Secret) -> Credentials {
    let text = key.reveal_text("the demo's own key").unwrap_or_default();
    Credentials::new().app_key(text).unwrap_or_default()
}

pub(super) fn key_and_challenge(world: &World, challenge: Secret) -> Credentials {
    let text = challenge.reveal_text("the demo's own secret").unwrap_or_default();
    credentials_with(&world.key).challenge(text).unwrap_or_default()
}

pub(super) async fn open(world: &World, narrator: &mut Narrator, path: &str) -> Option<Client> {
    narrator.expect_ok(format_args!("{path} is upgraded"), world.connect(path, Options::default()).await)
}

pub(super) async fn climb(
    narrator: &mut Narrator,
    client: &mut Client,
    credentials: Credentials,
    what: &str,
) -> Option<()> {
    let climbed = tokio::time::timeout(STEP, client.climb(&mut Told::by(narrator, credentials))).await;
    match climbed {
        Ok(climbed) => narrator.expect_ok(what, climbed).map(drop),
        Err(_) => {
            narrator.expect(format_args!("{what}: nothing came"), false);
            None
        }
    }
}

pub(super) async fn admitted_by_token(world: &World, narrator: &mut Narrator, path: &str) -> Option<Client> {
    let token = narrator.expect_ok("the issuer makes a token", world.token(LIFE))?;
    let mut client = open(world, narrator, path).await?;
    climb(narrator, &mut client, Credentials::new().jwt(token), "the token is admitted").await?;
    Some(client)
}

/// Climbs with something wrong, and shows what the owner is told about it.
pub(super) async fn refused(
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

pub(super) fn status(narrator: &mut Narrator, what: &str, opened: Result<Client, ConnectError>, expected: u16) {
    match opened {
        Err(ConnectError::Refused { status, .. }) => {
            narrator.expect(format_args!("{what}: HTTP {status} before any WebSocket"), status == expected);
        }
        Err(other) => narrator.expect(format_args!("{what}: {other}"), false),
        Ok(_) => narrator.expect(format_args!("{what}: but it was let in"), false),
    }
}

pub(super) async fn subscribe(narrator: &mut Narrator, client: &mut Client, channel: &str, pk: Option<&str>) {
    let sent = client.subscribe(channel, pk).await;
    narrator.expect_ok(
        format_args!("subscribe to {}", pk.map_or(channel.to_owned(), |pk| format!("{channel} {pk}"))),
        sent,
    );
    hear(narrator, client, "subscribed", |event| matches!(event, Event::Subscribed { .. })).await;
}

pub(super) async fn publish(
    narrator: &mut Narrator,
    client: &mut Client,
    channel: &str,
    pk: Option<&str>,
    message: &str,
) {
    let Some(message) = narrator.expect_ok("the payload is JSON", RawValue::from_string(message.to_owned())) else {
        return;
    };
    narrator.expect_ok("publish", client.publish(channel, pk, &message).await);
}

pub(super) async fn custom(narrator: &mut Narrator, client: &mut Client) {
    narrator.expect_ok("a custom action, `status`", client.custom("status", Some("room"), None, None).await);
    hear(
        narrator,
        client,
        "the application's own model answers, and knows the path",
        |event| matches!(event, Event::Message { message, .. } if message.get().contains("lobby")),
    )
    .await;
}

pub(super) async fn exchange(narrator: &mut Narrator, client: &mut Client, frame: &str, fits: impl Fn(&Event) -> bool) {
    narrator.sends("user", "hub", frame);
    if narrator.expect_ok("sent", client.send(frame).await).is_some() {
        hear(narrator, client, "answered as told", fits).await;
    }
}

/// Waits for the event that fits, past those that do not, and shows it as it came.
pub(super) async fn hear(narrator: &mut Narrator, client: &mut Client, what: &str, fits: impl Fn(&Event) -> bool) {
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

/// How a socket ended: what the gate said, and when its Close frame was here. `None` where it did not end in time.
pub(super) async fn end_of(client: &mut Client) -> Option<(CloseReason, Instant)> {
    let over = async { while let Ok(Some(_)) = client.next_message().await {} };
    tokio::time::timeout(STEP, over).await.ok()?;
    let ended = Instant::now();
    client.closed().and_then(Closed::close_reason).map(|reason| (reason, ended))
}

/// How long a socket lived on after something, in words.
pub(super) fn milliseconds(after: Instant, ended: Option<(CloseReason, Instant)>) -> String {
    ended.map_or("never".to_owned(), |(_, at)| format!("{:.1} ms", (at - after).as_secs_f64() * 1000.0))
}

pub(super) async fn leave(client: Client) {
    // How a goodbye goes is not what is shown.
    let _goodbye = client.close().await;
}
