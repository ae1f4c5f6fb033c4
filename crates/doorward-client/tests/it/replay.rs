//! Replays `conformance/`: the peer says the lines of the gate, and the client has to say its own.

use std::{
    collections::VecDeque,
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_client::{
    Abort, Answers, Ask, BoxFuture, Choose, Chosen, Client, ClimbError, ConnectError, Credentials, Options, Tell, Wait,
};
use doorward_testkit::transcript::{self, Party, Said, Transcript};
use doorward_types::{Answer, Secret};
use serde_json::Value;
use tokio::{io::DuplexStream, time::timeout};

use crate::peer::{Heard, Peer, answered, connected, connected_with, raw};

/// Longer than any file takes.
const LONGEST: Duration = Duration::from_secs(60);

/// What the client says in the file, from its next line on.
type Lines = Arc<Mutex<VecDeque<Value>>>;

/// Says what a person says in the file: the client's next line, where that is not one that credentials can answer.
struct Person(Lines);

impl Person {
    fn next(&self) -> Result<Answer, Abort> {
        let next = self.0.lock().unwrap().front().cloned().ok_or_else(|| Abort::new("the file says no more"))?;
        Ok(answer_of(&next))
    }
}

impl Answers for Person {
    fn ask<'a>(&'a mut self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, Abort>> {
        let is_machine = ["jwt", "ticket", "app_key"].contains(&ask.layer.as_str())
            || ask.fields.iter().any(|field| field == "proof");
        let answer = if is_machine { Err(Abort::new("a person cannot answer that")) } else { self.next() };
        Box::pin(ready(answer))
    }

    fn choose<'a>(&'a mut self, _: &'a Choose) -> BoxFuture<'a, Result<Chosen, Abort>> {
        Box::pin(ready(self.next().map(Chosen::Take)))
    }
}

/// Whoever has the credentials, and does not only wait where the gate waits.
struct Visitor {
    credentials: Credentials,
    lines: Lines,
    is_kept_waiting: bool,
}

impl Visitor {
    fn speak(&self) -> Result<(), Abort> {
        let has_something_to_say = self.is_kept_waiting && !self.lines.lock().unwrap().is_empty();
        if has_something_to_say { Err(Abort::new("the client speaks unasked")) } else { Ok(()) }
    }
}

impl Answers for Visitor {
    fn unprompted(&mut self) -> Vec<Answer> {
        self.credentials.unprompted()
    }

    fn ask<'a>(&'a mut self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, Abort>> {
        self.is_kept_waiting = false;
        self.credentials.ask(ask)
    }

    fn choose<'a>(&'a mut self, choose: &'a Choose) -> BoxFuture<'a, Result<Chosen, Abort>> {
        self.is_kept_waiting = false;
        self.credentials.choose(choose)
    }

    fn tell(&mut self, tell: &Tell) -> Result<(), Abort> {
        self.credentials.tell(tell)?;
        self.speak()
    }

    fn wait(&mut self, wait: &Wait) -> Result<(), Abort> {
        self.credentials.wait(wait)?;
        self.is_kept_waiting = true;
        self.speak()
    }
}

fn answer_of(message: &Value) -> Answer {
    let fields = message.as_object().unwrap();
    let answer = fields.get("kind").map_or_else(Answer::new, |kind| Answer::to_layer(kind.as_str().unwrap()));
    let fields = fields.iter().filter(|(name, _)| *name != "action" && *name != "kind");
    fields.fold(answer, |answer, (name, value)| answer.with_text(name.as_str(), value.as_str().unwrap()))
}

/// What the client holds when it was let in so often: of several of one sort, the one after those that it has used.
fn credentials(file: &Transcript, lines: &Lines, times: usize) -> Credentials {
    let mut credentials = Credentials::new().at_gate("acme", "fancy");
    for (at, (sort, text)) in file.have.iter().enumerate() {
        let before = file.have[..at].iter().filter(|(of, _)| of == sort).count();
        if before > times {
            continue;
        }
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
async fn play(name: &str, file: &Transcript, mut peer: Peer, lines: Lines) {
    for (header, value) in &file.headers {
        assert_eq!(peer.header(header), Some(value.as_str()), "{name}");
    }
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
            (Party::World, _) => {}
            (_, said) => panic!("{place}: {said:?} is not said over an open socket"),
        }
    }
}

/// Climbs, and does what the client does in the file after it was let in.
async fn act(file: &Transcript, mut client: Client<DuplexStream>, lines: &Lines) -> Result<(), ClimbError> {
    climb(file, &mut client, lines, 0).await?;
    let mut times = 1;
    let mut after = file.turns.iter().skip_while(|turn| !is_event(&turn.said, "admitted")).skip(1);
    while let Some(turn) = after.next() {
        match (turn.by, &turn.said) {
            (Party::Client, Said::Message(message)) => request(&mut client, message).await,
            (Party::Client, Said::Close { .. }) => {
                client.close().await.unwrap();
                break;
            }
            (Party::Gate, said) if is_event(said, "ask") => {
                climb(file, &mut client, lines, times).await?;
                times += 1;
                let _climbed = after.find(|turn| is_event(&turn.said, "admitted"));
            }
            (Party::Gate, Said::Message(_)) => assert!(client.next_event().await.unwrap().is_some()),
            (Party::Gate, _) => assert!(client.next_event().await.unwrap().is_none()),
            (..) => {}
        }
    }
    Ok(())
}

/// Climbs, also over an open socket that asks again. Who has something to say to a gate that waits gives the climb up for it.
async fn climb(
    file: &Transcript,
    client: &mut Client<DuplexStream>,
    lines: &Lines,
    times: usize,
) -> Result<(), ClimbError> {
    let mut visitor =
        Visitor { credentials: credentials(file, lines, times), lines: Arc::clone(lines), is_kept_waiting: false };
    loop {
        match client.climb(&mut visitor).await {
            Err(ClimbError::Abort(_)) if visitor.is_kept_waiting => {
                let said = lines.lock().unwrap().front().unwrap().to_string();
                client.send(&said).await?;
            }
            climbed => return climbed.map(|_| ()),
        }
    }
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

/// What the file's upgrade request says.
fn options(file: &Transcript) -> Options {
    let more = file.headers.iter().filter(|(name, _)| name != "Origin");
    Options {
        origin: file.header("Origin").map(str::to_owned),
        headers: more.map(|(name, value)| (name.clone(), Secret::from_text(value.as_str()))).collect(),
        ..Options::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_says_what_every_transcript_has_it_say() {
    let files = transcript::conformance().unwrap();
    assert!(files.len() >= 45, "the folder has only {} transcripts", files.len());
    for (name, file) in files {
        if let Some(expected) = file.refused_with() {
            let answer = format!("HTTP/1.1 {expected} No\r\n\r\n");
            match answered(&answer, options(&file)).await.err() {
                Some(ConnectError::Refused { status, .. }) => assert_eq!(status, expected, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
            continue;
        }
        let (client, peer) = connected_with(options(&file)).await;
        let lines = file.turns.iter().filter(|turn| turn.by == Party::Client);
        let lines = lines.filter_map(|turn| match &turn.said {
            Said::Message(message) => Some(message.clone()),
            _ => None,
        });
        let lines = Arc::new(Mutex::new(lines.collect()));
        let played = async { tokio::join!(act(&file, client, &lines), play(&name, &file, peer, Arc::clone(&lines))) };
        let Ok((acted, ())) = timeout(LONGEST, played).await else { panic!("{name}: each waits for the other") };
        let refused = file.turns.iter().find_map(|turn| match &turn.said {
            Said::Close { code, .. } if turn.by == Party::Gate && *code != 1000 => Some(*code),
            Said::Close { reason, .. } if reason == "declined" => Some(1000),
            _ => None,
        });
        let told = match acted {
            Ok(()) => None,
            Err(ClimbError::Refused(told)) => Some(told.code),
            Err(ClimbError::Closed(closed)) => closed.code,
            Err(error) => panic!("{name}: {error}"),
        };
        assert_eq!(told, refused, "{name}");
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
        let mut credentials = credentials(file, &Arc::default(), 0).at_gate(owner, gate);
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
