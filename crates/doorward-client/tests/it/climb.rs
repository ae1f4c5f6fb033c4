//! How a climb asks its call-backs, and what comes of it.

use std::{future, time::Duration};

use crate::peer::{Heard, connected};
use doorward_client::{Abort, Answers, Ask, BoxFuture, Choose, Chosen, ClimbError, Credentials, Tell, Wait};
use doorward_types::{Answer, CloseReason, Reconnect};
use doorward_wire::websocket::frame;

const ADMITTED: &str = r#"{"event":"admitted","socket":"abababababababababababababababab","subject":{"kind":"member","pk":"7","uuid":"bob"},"backend":"hub"}"#;
const ASK: &str =
    r#"{"event":"ask","layer":"totp","step":"user sends code","fields":["code"],"nonce":"ff","expires_in":30}"#;

/// Answers `123456` to everything, takes the last choice, and writes down what it hears.
#[derive(Default)]
struct Scribe {
    heard: Vec<String>,
    offers: Vec<Answer>,
    skips: bool,
    is_slow: bool,
    unasked: Vec<Answer>,
    speaks_when_told: bool,
    gives_up: bool,
}

impl Answers for Scribe {
    fn unprompted(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.offers)
    }

    fn ask<'a>(&'a mut self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, Abort>> {
        self.heard.push(format!("{} asks {:?} with {:?}", ask.layer, ask.fields, ask.shown("nonce")));
        if self.gives_up {
            return Box::pin(future::ready(Err(Abort::new("nobody knows"))));
        }
        if self.is_slow {
            return Box::pin(future::pending());
        }
        Box::pin(async { Ok(Answer::new().with_text("code", "123456")) })
    }

    fn choose<'a>(&'a mut self, choose: &'a Choose) -> BoxFuture<'a, Result<Chosen, Abort>> {
        self.heard.push(format!("choose of {:?}, optional {}", choose.of, choose.optional));
        let last = choose.of.last().cloned().unwrap_or_default();
        let take = Chosen::Take(Answer::to_layer(last).with_text("code", "1"));
        let chosen = if self.skips { Chosen::Skip } else { take };
        Box::pin(future::ready(Ok(chosen)))
    }

    fn tell(&mut self, tell: &Tell) -> Result<(), Abort> {
        self.heard.push(format!("{} tells {:?}", tell.layer, tell.shows));
        if self.speaks_when_told {
            self.unasked.push(Answer::new().with_text("check", "true"));
        }
        Ok(())
    }

    fn wait(&mut self, wait: &Wait) -> Result<(), Abort> {
        self.heard.push(format!("{} waits {:?}", wait.layer, wait.expires_in));
        Ok(())
    }

    fn unasked<'a>(&'a mut self, _: &'a Wait) -> BoxFuture<'a, Result<Answer, Abort>> {
        match self.unasked.pop() {
            Some(answer) => Box::pin(future::ready(Ok(answer))),
            None => Box::pin(future::pending()),
        }
    }
}

const WAIT: &str =
    r#"{"event":"wait","layer":"assert_login","step":"socket waits for login","for":"login","expires_in":300}"#;
const NOT_YET: &str = r#"{"event":"tell","layer":"assert_login","step":"socket answers not yet","checks":"19"}"#;
const CHECK: &str = r#"{"action":"auth","kind":"assert_login","check":"true"}"#;

#[tokio::test]
async fn while_a_gate_waits_it_can_be_told_something_unasked_again_and_again_and_not_before_or_after() {
    let check = || Answer::new().with_text("check", "true");
    for with_credentials in [false, true] {
        let (mut client, mut peer) = connected().await;
        let scribe = Scribe { unasked: vec![check(), check()], ..Scribe::default() };
        let mut answers: Box<dyn Answers> = match with_credentials {
            true => Box::new(Credentials::new().otherwise(scribe)),
            false => Box::new(scribe),
        };
        let serving = async {
            peer.say(ASK).await;
            assert_eq!(peer.hear().await, Heard::text(r#"{"action":"auth","kind":"totp","code":"123456"}"#));
            peer.say(WAIT).await;
            for _ in 0..2 {
                assert_eq!(peer.hear().await, Heard::text(CHECK));
                peer.say(NOT_YET).await;
            }
            peer.say(ASK).await;
            assert_eq!(peer.hear().await, Heard::text(r#"{"action":"auth","kind":"totp","code":"123456"}"#));
            peer.say(ADMITTED).await;
        };
        let (admitted, ()) = tokio::join!(client.climb(&mut *answers), serving);
        assert_eq!(admitted.unwrap().backend, "hub");
    }
}

#[tokio::test]
async fn what_has_waited_is_told_nothing_when_another_layer_speaks() {
    for (tell, is_said) in [(NOT_YET, true), (r#"{"event":"tell","layer":"ident","step":"socket shows glyph"}"#, false)]
    {
        let (mut client, mut peer) = connected().await;
        let mut scribe = Scribe { speaks_when_told: true, ..Scribe::default() };
        let serving = async {
            peer.say(WAIT).await;
            peer.say(tell).await;
            // The client hears that before it hears the verdict.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            peer.say(ADMITTED).await;
        };
        let (admitted, ()) = tokio::join!(client.climb(&mut scribe), serving);
        assert!(admitted.is_ok());
        assert_eq!(scribe.unasked.is_empty(), is_said, "{tell}");
    }
}

#[tokio::test]
async fn a_ladder_is_climbed_by_answering_what_it_asks() {
    let (mut client, mut peer) = connected().await;
    let mut scribe = Scribe::default();
    let serving = async {
        peer.say(r#"{"event":"tell","layer":"ident","step":"socket shows glyph","glyph":"☂"}"#).await;
        peer.say(r#"{"event":"choose","of":["jwt","totp"],"expires_in":60}"#).await;
        assert_eq!(peer.hear().await, Heard::text(r#"{"action":"auth","kind":"totp","code":"1"}"#));
        peer.say(r#"{"event":"wait","layer":"mail","step":"user approves","for":"approval","expires_in":300}"#).await;
        peer.say(ASK).await;
        assert_eq!(peer.hear().await, Heard::text(r#"{"action":"auth","kind":"totp","code":"123456"}"#));
        peer.say(r#"{"event":"of a later version","x":1}"#).await;
        peer.say(ADMITTED).await;
    };
    let (admitted, ()) = tokio::join!(client.climb(&mut scribe), serving);
    let admitted = admitted.unwrap();
    assert_eq!(admitted.subject.map(|subject| subject.uuid).as_deref(), Some("bob"));
    assert_eq!((admitted.backend.as_str(), admitted.expires_at), ("hub", None));
    assert_eq!(
        scribe.heard,
        [
            r#"ident tells [("glyph", "☂")]"#,
            r#"choose of ["jwt", "totp"], optional false"#,
            "mail waits 300s",
            r#"totp asks ["code"] with Some("ff")"#,
        ]
    );
}

#[tokio::test]
async fn what_is_optional_can_be_skipped() {
    let (mut client, mut peer) = connected().await;
    let serving = async {
        peer.say(r#"{"event":"choose","of":["totp"],"optional":true,"expires_in":60}"#).await;
        assert_eq!(peer.hear().await, Heard::text(r#"{"action":"auth","kind":"skip"}"#));
        peer.say(ADMITTED).await;
    };
    let mut scribe = Scribe { skips: true, ..Scribe::default() };
    let (admitted, ()) = tokio::join!(client.climb(&mut scribe), serving);
    assert!(admitted.is_ok());
}

#[tokio::test]
async fn offers_are_sent_before_anything_is_asked() {
    let (mut client, mut peer) = connected().await;
    let offers = vec![Answer::to_layer("jwt").with_text("token", "t"), Answer::new().with_text("key", "k")];
    let serving = async {
        assert_eq!(peer.hear().await, Heard::text(r#"{"action":"auth","kind":"jwt","token":"t"}"#));
        assert_eq!(peer.hear().await, Heard::text(r#"{"action":"auth","key":"k"}"#));
        peer.say(ADMITTED).await;
    };
    let mut scribe = Scribe { offers, ..Scribe::default() };
    let (admitted, ()) = tokio::join!(client.climb(&mut scribe), serving);
    assert!(admitted.is_ok());
}

#[tokio::test]
async fn a_refusal_tells_the_reason_the_advice_and_the_trace() {
    let (mut client, mut peer) = connected().await;
    peer.say(r#"{"event":"refused","code":4401,"reason":"not_authenticated","reconnect":"never","after_ms":1500,"trace":"0af7651916cd43dd8448eb211c80319c"}"#).await;
    let Err(ClimbError::Refused(refused)) = client.climb(&mut Scribe::default()).await else { panic!("not refused") };
    assert_eq!(refused.close_reason(), Some(CloseReason::NotAuthenticated));
    assert_eq!((refused.reconnect, refused.after), (Reconnect::Never, Duration::from_millis(1500)));
    assert_eq!(refused.trace, "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test]
async fn a_close_without_a_word_is_told_with_its_code() {
    let (mut client, mut peer) = connected().await;
    peer.close(1013, "try_later").await;
    let Err(ClimbError::Closed(closed)) = client.climb(&mut Scribe::default()).await else { panic!("not closed") };
    assert_eq!(closed.close_reason(), Some(CloseReason::TryLater));
}

#[tokio::test]
async fn a_question_that_the_gate_no_longer_waits_for_is_dropped() {
    let (mut client, mut peer) = connected().await;
    peer.say(ASK).await;
    peer.say(r#"{"event":"refused","code":4408,"reason":"too_slow","reconnect":"later","after_ms":0,"trace":"0"}"#)
        .await;
    let mut slow = Scribe { is_slow: true, ..Scribe::default() };
    let Err(ClimbError::Refused(refused)) = client.climb(&mut slow).await else { panic!("not refused") };
    assert_eq!(refused.close_reason(), Some(CloseReason::TooSlow));
}

#[tokio::test]
async fn a_ping_is_answered_while_somebody_thinks() {
    let (mut client, mut peer) = connected().await;
    let serving = async {
        peer.say(ASK).await;
        peer.write(&frame::ping(b"p")).await;
        assert_eq!(peer.hear().await, Heard::Pong(b"p".to_vec()));
        peer.close(1001, "going_away").await;
    };
    let mut slow = Scribe { is_slow: true, ..Scribe::default() };
    let (climbed, ()) = tokio::join!(client.climb(&mut slow), serving);
    assert!(matches!(climbed, Err(ClimbError::Closed(_))));
}

#[tokio::test]
async fn whoever_gives_up_sends_nothing() {
    let (mut client, mut peer) = connected().await;
    peer.say(ASK).await;
    let mut lost = Scribe { gives_up: true, ..Scribe::default() };
    let error = client.climb(&mut lost).await.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("nobody knows"));
    drop(client);
    assert_eq!(peer.hear().await, Heard::Nothing);
}
