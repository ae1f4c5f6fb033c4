use std::{collections::BTreeMap, sync::Arc, time::Duration};

use doorward_auth::{
    BoxFuture, Ladder, OnlyOne, Rung, Step,
    layers::conversation::authenticator::Authenticated,
    ports::{Authenticator, Identity, PortError},
};
use doorward_testkit::{World, script};
use doorward_types::{Answer, Subject};

const SOURCE: &str = include_str!("../../src/layers/conversation/authenticator.rs");

/// Knows terminals by their tokens.
struct Terminals;

impl Authenticator for Terminals {
    fn kind(&self) -> &'static str {
        "terminal"
    }

    fn fields(&self) -> &'static [&'static str] {
        &["token"]
    }

    fn authenticate<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, Result<Option<Identity>, PortError>> {
        Box::pin(async move {
            match answer.text("token", "test").unwrap_or_default() {
                "good" => Ok(Some(Identity {
                    subject: Subject { kind: "terminal".into(), pk: "3".into(), uuid: "till-3".into() },
                    only_one: Some(OnlyOne::Newest),
                    claims: BTreeMap::from([("shop".into(), vec!["9".into()])]),
                })),
                "down" => Err(PortError { port: "terminals", detail: "no connection".into() }),
                _ => Ok(None),
            }
        })
    }
}

fn ladder(world: &World) -> Ladder {
    let layer = Authenticated::new(Arc::new(Terminals), Duration::from_secs(5), &world.ports());
    Ladder::new(vec![Rung::One(Step::conversation(layer))]).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_record_of_the_application_says_who_it_is() {
    let world = World::new();
    let mut peer = world.knock(&ladder(&world), World::handshake()).await.unwrap();
    let talk = r#"
        < ask terminal: user sends credentials
        > {"kind":"terminal","token":"good"}
        < admitted terminal:3
    "#;
    let admission = peer.play(talk).await.unwrap().admission.unwrap();
    assert_eq!(admission.only_one(), Some(OnlyOne::Newest));
    assert_eq!(admission.claims()["shop"], ["9"]);
    assert_eq!(peer.steps(), script::steps_of(SOURCE));
}

#[tokio::test(start_paused = true)]
async fn nobody_and_a_record_that_cannot_be_asked_are_refused() {
    let world = World::new();
    for (token, line) in [("bad", "refused not_authenticated"), ("down", "refused try_later")] {
        let mut peer = world.knock(&ladder(&world), World::handshake()).await.unwrap();
        peer.play(&format!("< ask terminal: user sends credentials\n> {{\"token\":\"{token}\"}}\n< {line}")).await;
        assert_eq!(peer.steps(), script::steps_of(SOURCE));
    }
    let mut peer = world.knock(&ladder(&world), World::handshake()).await.unwrap();
    peer.play("< ask terminal: user sends credentials\n> {\"kind\":\"member\",\"token\":\"good\"}\n< refused not_authenticated").await;
    let mut peer = world.knock(&ladder(&world), World::handshake()).await.unwrap();
    peer.play("< ask terminal: user sends credentials\n< refused too_slow").await;
}
