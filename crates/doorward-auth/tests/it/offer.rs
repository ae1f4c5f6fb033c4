use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use doorward_auth::{
    Ask, BoxFuture, Claimant, Conversation, Handshake, Ladder, Layer, Refusal, Rung, Step,
    layers::conversation::{app_key::NewAppKey, offer::Offer},
    memory::MemoryUsedTokens,
    ports::{AppKey, AppKeys, PortError, Ports, UsedTokens},
};
use doorward_testkit::{Peer, World, script};
use doorward_types::{Answer, OwnerId, Subject, Timestamp};
use serde_json::json;

use crate::{
    support::{at_jwt, claims, key, ladder, rung, token},
    unwell::Unwell,
};

const SOURCE: &str = include_str!("../../src/layers/conversation/offer.rs");

fn offer(world: &World) -> Ladder {
    ladder(world, json!({ "offer": { "of": [{ "jwt": { "single_use": true } }, { "app_key": { "plain": true } }] } }))
}

async fn app_key(world: &World, pk: &str) -> Answer {
    let key = NewAppKey::draw(world.rng.as_ref());
    let subject = Subject { kind: "member".into(), pk: pk.into(), uuid: pk.into() };
    let (id, public) = (key.id, key.public);
    let owner = World::owner();
    world.app_keys.add(AppKey { owner, id, public, subject, created_at: World::NOW, revoked_at: None }).await.unwrap();
    Answer::to_layer("app_key").with("key", key.text)
}

/// A good token, each time another one.
fn jwt() -> Answer {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut claims = claims();
    claims["jti"] = NEXT.fetch_add(1, Ordering::SeqCst).to_string().into();
    Answer::to_layer("jwt").with_text("token", key().sign(&at_jwt(&key()), &claims))
}

/// Offers these answers, and checks that nothing is heard between them.
async fn offered(world: &World, answers: Vec<Answer>) -> Peer {
    let mut peer = world.knock(&offer(world), World::handshake()).await.unwrap();
    for answer in answers {
        assert!(peer.hears_nothing().await, "an offer is made in silence");
        peer.say(answer);
    }
    peer
}

/// The steps of the offer itself, without those of its parts.
fn own_steps(peer: &Peer) -> Vec<String> {
    let steps = peer.trail().into_iter().flat_map(|rung| rung.steps);
    steps.filter(|step| step.layer == "offer").map(|step| step.step.into_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn all_parts_in_order_are_let_in_without_a_word_before() {
    let world = World::new();
    let mut peer = offered(&world, vec![jwt(), app_key(&world, "7").await]).await;
    let admission = peer.play("< admitted member:7").await.unwrap().admission.unwrap();
    let layers: Vec<_> = admission.evidence().iter().map(|evidence| evidence.layer).collect();
    assert_eq!(layers, ["jwt", "app_key"]);
    assert_eq!(own_steps(&peer), script::steps_of(SOURCE));
}

#[tokio::test(start_paused = true)]
async fn parts_need_not_be_named() {
    let world = World::new();
    let unnamed = |answer: &Answer| {
        let names: Vec<_> = answer.names().map(str::to_owned).collect();
        names.into_iter().fold(Answer::new(), |new, name| new.with(name.clone(), answer.field(&name).unwrap().clone()))
    };
    let answers = vec![unnamed(&jwt()), unnamed(&app_key(&world, "7").await)];
    offered(&world, answers).await.play("< admitted member:7").await;
}

#[tokio::test(start_paused = true)]
async fn c99_every_wrong_subset_order_and_extra_part_ends_in_the_same_refusal_at_the_same_step() {
    let world = World::new();
    let good_key = app_key(&world, "7").await;
    let other_person = app_key(&world, "8").await;
    let nothing = Answer::new;
    let wrong_token = || Answer::to_layer("jwt").with_text("token", token(&key()) + "A");
    let wrong_key = || Answer::to_layer("app_key").with_text("key", "dwk_00");
    let rows = [
        ("the first wrong", vec![wrong_token(), good_key.clone()]),
        ("the second wrong", vec![jwt(), wrong_key()]),
        ("both wrong", vec![wrong_token(), wrong_key()]),
        ("the other order", vec![good_key.clone(), jwt()]),
        ("the first twice", vec![jwt(), jwt()]),
        ("the second twice", vec![good_key.clone(), good_key.clone()]),
        ("empty answers", vec![nothing(), nothing()]),
        ("only the first", vec![jwt()]),
        ("only the second", vec![good_key.clone()]),
        ("a field more in the first", vec![jwt().with_text("more", "x"), good_key.clone()]),
        ("a field more in the second", vec![jwt(), good_key.clone().with_text("more", "x")]),
        ("an id without its proof", vec![jwt(), Answer::new().with_text("key", "0".repeat(32))]),
        ("two people's parts", vec![jwt(), other_person]),
    ];
    for (what, answers) in rows {
        let mut peer = offered(&world, answers).await;
        let refusal = peer.play("< refused not_authenticated").await.unwrap().refusal.unwrap();
        assert_eq!((refusal.layer, refusal.step), ("offer", "socket requires every part"), "{what}");
        assert_eq!(own_steps(&peer), script::steps_of(SOURCE), "{what}");
    }
}

/// Marks used tokens after a turn of everybody else's.
struct Slow(Arc<MemoryUsedTokens>);

impl UsedTokens for Slow {
    fn use_once<'a>(
        &'a self,
        owner: &'a OwnerId,
        issuer: &'a str,
        id: &'a str,
        expires_at: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.use_once(owner, issuer, id, expires_at).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn c99_an_answer_more_than_the_parts_is_refused() {
    let world = World::new();
    let ports = Ports { used_tokens: Arc::new(Slow(world.used_tokens.clone())), ..world.ports() };
    let rung = rung(&ports, json!({ "offer": { "of": [{ "jwt": { "single_use": true } }] } }));
    let ladder = Ladder::new(vec![rung]).unwrap();
    for (more, line) in [(false, "admitted member:7"), (true, "refused not_authenticated")] {
        let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
        peer.say(jwt());
        assert!(peer.hears_nothing().await, "the token is being looked at");
        if more {
            peer.say(jwt());
        }
        assert_eq!(peer.hear().await.line, line);
        assert_eq!(own_steps(&peer), script::steps_of(SOURCE));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_down_lets_nobody_in_and_says_so_whatever_the_other_parts_are() {
    let world = World::new();
    let ports = Ports { used_tokens: Arc::new(Unwell::Down), ..world.ports() };
    let parts = json!({ "offer": { "of": [{ "app_key": { "plain": true } }, { "jwt": { "single_use": true } }] } });
    let ladder = Ladder::new(vec![rung(&ports, parts)]).unwrap();
    for first in [app_key(&world, "7").await, Answer::new()] {
        let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
        peer.say(first);
        assert!(peer.hears_nothing().await);
        peer.say(jwt());
        peer.play("< refused try_later").await;
    }
}

#[tokio::test(start_paused = true)]
async fn c99_while_a_store_is_down_a_part_of_the_wrong_form_hears_no_other_word_than_one_of_the_right() {
    let world = World::new();
    let ports = Ports { app_keys: Arc::new(Unwell::Down), ..world.ports() };
    let parts = json!({ "offer": { "of": [{ "app_key": { "plain": true } }] } });
    let ladder = Ladder::new(vec![rung(&ports, parts)]).unwrap();
    for part in [app_key(&world, "7").await, Answer::new(), Answer::to_layer("jwt").with_text("token", "x")] {
        let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
        assert!(peer.hears_nothing().await);
        peer.say(part);
        peer.play("< refused try_later").await;
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_refused_at_the_limit_and_the_limit_is_one_for_all_parts() {
    let world = World::new();
    let mut peer = world.knock(&offer(&world), World::handshake()).await.unwrap();
    peer.play("< refused too_slow").await;

    let mut peer = world.knock(&offer(&world), World::handshake()).await.unwrap();
    assert!(peer.hears_nothing().await);
    let begun = tokio::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    peer.say(jwt());
    peer.play("< refused not_authenticated").await;
    assert_eq!(begun.elapsed().as_secs(), 5, "the first part does not buy more time for the second");
}

#[tokio::test(start_paused = true)]
async fn what_a_part_demands_of_the_line_holds_in_an_offer_too() {
    let world = World::new();
    let insecure = Handshake { secure: false, ..World::handshake() };
    let mut peer = world.knock(&offer(&world), insecure).await.unwrap();
    assert!(peer.hears_nothing().await);
    peer.say(jwt());
    assert!(peer.hears_nothing().await);
    peer.say(app_key(&world, "7").await);
    let refusal = peer.play("< refused not_authenticated").await.unwrap().refusal.unwrap();
    assert!(refusal.detail.contains("others can read"), "{refusal}");
}

/// A part that cannot keep quiet.
struct Chatty;

impl Layer for Chatty {
    fn name(&self) -> &'static str {
        "chatty"
    }

    fn unprompted_answers(&self) -> Option<usize> {
        Some(1)
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        _: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            conversation.tell("socket greets user", vec![]);
            let within = Duration::from_secs(5);
            conversation.ask("user sends word", Ask::for_fields(&["word"], within)).await?;
            conversation.wait("socket waits for nothing", vec![], within, std::future::ready(())).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_would_talk_is_kept_quiet() {
    let world = World::new();
    let offer = Offer::new(vec![Arc::new(Chatty)], Duration::from_secs(5)).unwrap();
    let ladder = Ladder::new(vec![Rung::One(Step::conversation(offer))]).unwrap();
    let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
    peer.say(Answer::new().with_text("word", "hello"));
    peer.play("< admitted nobody").await;
}
