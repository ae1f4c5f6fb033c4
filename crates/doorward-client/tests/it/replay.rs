//! Replays `conformance/`: the peer says the lines of the gate, and the client has to say its own.

use std::{
    collections::VecDeque,
    future::ready,
    sync::{Arc, Mutex},
};

use doorward_client::{Abort, Answers, Ask, BoxFuture, Choose, Chosen, Client, ClimbError, Credentials};
use doorward_testkit::transcript::{self, Party, Said, Transcript};
use doorward_types::{Answer, Secret};
use serde_json::Value;
use tokio::io::DuplexStream;

use crate::peer::{Heard, Peer, connected, raw};

/// Says what a person says in the file: the client's next line, where that is not one that credentials can answer.
struct Person(Arc<Mutex<VecDeque<Value>>>);

impl Person {
    fn next(&self) -> Result<Answer, Abort> {
        let next = self.0.lock().unwrap().front().cloned().ok_or_else(|| Abort::new("the file says no more"))?;
        Ok(answer_of(&next))
    }
}

impl Answers for Person {
    fn ask<'a>(&'a mut self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, Abort>> {
        let is_machine =
            ["token", "key", "proof", "partial", "ticket"].iter().any(|field| ask.fields.iter().any(|f| f == field));
        let answer = if is_machine { Err(Abort::new("a person cannot answer that")) } else { self.next() };
        Box::pin(ready(answer))
    }

    fn choose<'a>(&'a mut self, _: &'a Choose) -> BoxFuture<'a, Result<Chosen, Abort>> {
        Box::pin(ready(self.next().map(Chosen::Take)))
    }
}

fn answer_of(message: &Value) -> Answer {
    let fields = message.as_object().unwrap();
    let answer = fields.get("kind").map_or_else(Answer::new, |kind| Answer::to_layer(kind.as_str().unwrap()));
    let fields = fields.iter().filter(|(name, _)| *name != "action" && *name != "kind");
    fields.fold(answer, |answer, (name, value)| answer.with_text(name.as_str(), value.as_str().unwrap()))
}

fn credentials(file: &Transcript, lines: &Arc<Mutex<VecDeque<Value>>>) -> Credentials {
    let mut credentials = Credentials::new().at_gate("acme", "fancy");
    for (sort, text) in &file.have {
        credentials = match sort.as_str() {
            "jwt" => credentials.jwt(Secret::from_text(text.as_str())),
            "ticket" => credentials.ticket(Secret::from_text(text.as_str())),
            "app_key" => credentials.app_key(text).unwrap(),
            "challenge" => credentials.challenge(text).unwrap(),
            "glyph" => credentials.glyph(text.as_str()),
            "offer" => credentials.offer(answer_of(&serde_json::from_str(text).unwrap())),
            sort => panic!("no credential is a {sort}"),
        };
    }
    if file.has_person { credentials.otherwise(Person(Arc::clone(lines))) } else { credentials }
}

/// Says the gate's lines, and compares what the client says.
async fn play(name: &str, file: &Transcript, mut peer: Peer, lines: Arc<Mutex<VecDeque<Value>>>) {
    for turn in &file.turns {
        let place = format!("{name}.transcript, line {}", turn.line);
        match (turn.by, &turn.said) {
            (Party::Gate, Said::Message(message)) => peer.say(&message.to_string()).await,
            (Party::Gate, Said::Close { code, reason }) => peer.close(*code, reason).await,
            (Party::Client, Said::Message(expected)) => {
                let Heard::Text(heard) = peer.hear().await else { panic!("{place}: the client said no text") };
                let heard: Value = serde_json::from_str(&heard).unwrap();
                assert!(transcript::fits(expected, &heard), "{place}: the client said {heard}");
                lines.lock().unwrap().pop_front();
            }
            (Party::Client, Said::Close { code, .. }) => {
                assert_eq!(peer.hear().await, Heard::Close(Some(*code)), "{place}")
            }
        }
    }
}

/// Climbs, and does what the client does in the file after it was let in.
async fn act(
    file: &Transcript,
    mut client: Client<DuplexStream>,
    mut credentials: Credentials,
) -> Result<(), ClimbError> {
    client.climb(&mut credentials).await?;
    let mut after = file.turns.iter().skip_while(|turn| !is_event(&turn.said, "admitted"));
    after.next();
    for turn in after {
        match (turn.by, &turn.said) {
            (Party::Client, Said::Message(message)) => request(&mut client, message).await,
            (Party::Client, Said::Close { .. }) => {
                client.close().await.unwrap();
                break;
            }
            (Party::Gate, Said::Message(_)) => assert!(client.next_event().await.unwrap().is_some()),
            (Party::Gate, Said::Close { .. }) => assert!(client.next_event().await.unwrap().is_none()),
        }
    }
    Ok(())
}

async fn request(client: &mut Client<DuplexStream>, message: &Value) {
    let text = |name: &str| message.get(name).and_then(Value::as_str);
    let payload = message.get("message").map(|message| raw(&message.to_string()));
    let (channel, pk) = (text("channel"), text("pk"));
    match text("action").unwrap() {
        "subscribe" => client.subscribe(channel.unwrap(), pk).await,
        "unsubscribe" => client.unsubscribe(channel.unwrap(), pk).await,
        "publish" => client.publish(channel.unwrap(), pk, &payload.unwrap()).await,
        action => client.custom(action, channel, pk, payload.as_deref()).await,
    }
    .unwrap();
}

fn is_event(said: &Said, event: &str) -> bool {
    matches!(said, Said::Message(message) if message.get("event").and_then(Value::as_str) == Some(event))
}

#[tokio::test]
async fn the_client_says_what_every_transcript_has_it_say() {
    let files = transcript::conformance().unwrap();
    assert!(files.len() >= 20, "the folder has only {} transcripts", files.len());
    for (name, file) in files {
        let (client, peer) = connected().await;
        let lines = file.turns.iter().filter(|turn| turn.by == Party::Client);
        let lines = lines.filter_map(|turn| match &turn.said {
            Said::Message(message) => Some(message.clone()),
            Said::Close { .. } => None,
        });
        let lines = Arc::new(Mutex::new(lines.collect()));
        let credentials = credentials(&file, &lines);
        let (climbed, ()) = tokio::join!(act(&file, client, credentials), play(&name, &file, peer, lines));
        let refused = file.turns.iter().find_map(|turn| match &turn.said {
            Said::Close { code, .. } if turn.by == Party::Gate && *code != 1000 => Some(*code),
            Said::Close { reason, .. } if reason == "declined" => Some(1000),
            _ => None,
        });
        match (climbed, refused) {
            (Ok(()), None) => {}
            (Err(ClimbError::Refused(told)), Some(code)) => assert_eq!(told.code, code, "{name}"),
            (climbed, _) => panic!("{name}: {climbed:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_signed_for_a_gate_that_calls_itself_otherwise() {
    let files = transcript::conformance().unwrap();
    for (name, owner, gate) in
        [("app_key", "acme", "other"), ("app_key", "other", "fancy"), ("challenge", "acme", "other")]
    {
        let file = files.iter().find(|(file, _)| file == name).map(|(_, file)| file).unwrap();
        let (mut client, mut peer) = connected().await;
        for turn in file.turns.iter().filter(|turn| turn.by == Party::Gate && !is_event(&turn.said, "admitted")) {
            let Said::Message(message) = &turn.said else { continue };
            peer.say(&message.to_string()).await;
        }
        let mut credentials = credentials(file, &Arc::default()).at_gate(owner, gate);
        let error = client.climb(&mut credentials).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.ends_with("nothing was signed for it"), "{error}");
    }
}

#[tokio::test]
async fn another_glyph_ends_the_climb_before_anything_is_sent() {
    let (mut client, mut peer) = connected().await;
    peer.say(r#"{"event":"tell","layer":"ident","step":"socket shows glyph","glyph":"☀"}"#).await;
    let error = client.climb(&mut Credentials::new().glyph("☂")).await.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("the gate shows `☀` of itself, not `☂`: it may be another"));
    drop(client);
    assert_eq!(peer.hear().await, Heard::Nothing);
}

#[tokio::test]
async fn what_is_not_at_hand_is_named() {
    let (mut client, mut peer) = connected().await;
    peer.say(r#"{"event":"ask","layer":"totp","step":"user sends code","fields":["code"],"expires_in":30}"#).await;
    let error = client.climb(&mut Credentials::new()).await.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("the gate asks for `code` (totp: user sends code), which is not at hand"));
    peer.say(r#"{"event":"choose","of":["jwt","totp"],"expires_in":30}"#).await;
    let error = client.climb(&mut Credentials::new()).await.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("the gate takes `jwt`, `totp`, and none of them is at hand"));
}

#[test]
fn a_key_with_a_typing_mistake_is_told_before_anything_is_opened() {
    let typed = Credentials::new().app_key("dwk_1234").err().map(|error| error.to_string());
    assert_eq!(typed.as_deref(), Some("a key is its prefix and 72 lowercase hexadecimal digits"));
    let typed = Credentials::new().challenge("correct horse battery staple").err().map(|error| error.to_string());
    assert_eq!(typed.as_deref(), Some("the secret of a challenge is `dwc_...` or at least 32 hexadecimal digits"));
}
