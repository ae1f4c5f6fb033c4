use std::sync::Arc;

use doorward_auth::Ladder;
use doorward_testkit::{World, script};
use doorward_types::{Answer, Timestamp};
use serde_json::json;

use crate::support::{at_jwt, claims, key, ladder, later, token};

fn jwt(world: &World) -> Ladder {
    ladder(world, json!({ "jwt": { "issuer": "site" } }))
}

async fn heard(world: &World, ladder: &Ladder, answer: Answer) -> (String, Vec<String>) {
    let mut peer = world.knock(ladder, World::handshake()).await.unwrap();
    peer.play("< ask jwt: user sends token").await;
    peer.say(answer);
    (peer.hear().await.line, peer.steps())
}

fn sent(token: &str) -> Answer {
    Answer::to_layer("jwt").with_text("token", token)
}

#[tokio::test(start_paused = true)]
async fn a_good_token_proves_its_subject_in_the_steps_of_the_script() {
    let world = World::new();
    let (line, steps) = heard(&world, &jwt(&world), sent(&token(&key()))).await;
    assert_eq!(line, "admitted member:7");
    assert_eq!(steps, script::steps_of(include_str!("../../src/layers/conversation/jwt.rs")));
}

#[tokio::test(start_paused = true)]
async fn silence_is_refused_at_the_limit() {
    let world = World::new();
    let mut peer = world.knock(&jwt(&world), World::handshake()).await.unwrap();
    peer.play("< ask jwt: user sends token\n< refused too_slow").await;
}

#[tokio::test(start_paused = true)]
async fn whatever_is_wrong_takes_the_same_steps_and_gets_the_same_words() {
    let world = World::new();
    let expired = {
        let mut claims = claims();
        claims["exp"] = (World::NOW.as_secs() - 60).into();
        key().sign(&at_jwt(&key()), &claims)
    };
    let wrong = [
        sent(""),
        sent("not a token"),
        sent(&(token(&key()) + "A")),
        sent(&expired),
        sent(&"a".repeat(9000)),
        Answer::to_layer("jwt"),
        Answer::new().with_text("tokem", token(&key())),
    ];
    for answer in wrong {
        let (line, steps) = heard(&world, &jwt(&world), answer).await;
        assert_eq!(line, "refused not_authenticated");
        assert_eq!(steps, ["user sends token", "socket requires token"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_kind_is_refused() {
    let world = World::new();
    let (line, _) = heard(&world, &jwt(&world), Answer::to_layer("app_key").with_text("token", token(&key()))).await;
    assert_eq!(line, "refused not_authenticated");
}

#[tokio::test(start_paused = true)]
async fn a_token_may_open_many_sockets_unless_the_owner_says_once() {
    let world = World::new();
    let many = jwt(&world);
    let once = ladder(&world, json!({ "jwt": { "single_use": true } }));
    let token = token(&key());
    for (ladder, expected) in [
        (&many, "admitted member:7"),
        (&many, "admitted member:7"),
        (&once, "admitted member:7"),
        (&once, "refused not_authenticated"),
        (&once, "refused not_authenticated"),
    ] {
        assert_eq!(heard(&world, ladder, sent(&token)).await.0, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_used_token_is_remembered_as_long_as_any_leeway_lets_it_in() {
    let world = World::new();
    let once = ladder(&world, json!({ "jwt": { "single_use": true } }));
    let token = token(&key());
    assert_eq!(heard(&world, &once, sent(&token)).await.0, "admitted member:7");
    world.clock.set(Timestamp::from_millis(later(65).as_millis() - 1));
    assert_eq!(heard(&world, &once, sent(&token)).await.0, "refused not_authenticated");
    let many = jwt(&world);
    assert_eq!(heard(&world, &many, sent(&token)).await.0, "admitted member:7", "the leeway alone would let it in");
}

#[tokio::test(start_paused = true)]
async fn a_token_without_an_id_cannot_be_used_once() {
    let world = World::new();
    let once = ladder(&world, json!({ "jwt": { "single_use": true } }));
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("jti");
    let token = key().sign(&at_jwt(&key()), &claims);
    assert_eq!(heard(&world, &once, sent(&token)).await.0, "refused not_authenticated");
    assert_eq!(heard(&world, &jwt(&world), sent(&token)).await.0, "admitted member:7");
}

#[tokio::test(start_paused = true)]
async fn of_fifty_sockets_with_one_single_use_token_exactly_one_is_let_in() {
    let world = Arc::new(World::new());
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let world = Arc::clone(&world);
        running.spawn(async move {
            let once = ladder(&world, json!({ "jwt": { "single_use": true } }));
            heard(&world, &once, sent(&token(&key()))).await.0
        });
    }
    let admitted = running.join_all().await.into_iter().filter(|line| line == "admitted member:7").count();
    assert_eq!(admitted, 1);
}

#[tokio::test(start_paused = true)]
async fn the_socket_ends_with_the_token_unless_the_owner_keeps_it() {
    let world = World::new();
    for (on_expiry, expires_at) in [("close", Some(later(60))), ("keep", None)] {
        let ladder = ladder(&world, json!({ "jwt": { "on_expiry": on_expiry } }));
        let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
        peer.play("< ask jwt: user sends token").await;
        peer.say(sent(&token(&key())));
        let admission = peer.play("< admitted member:7").await.unwrap().admission.unwrap();
        assert_eq!(admission.expires_at(), expires_at, "{on_expiry}");
        assert!(admission.issued_at() < World::NOW, "it is as old as its token: {}", admission.issued_at());
    }
}
