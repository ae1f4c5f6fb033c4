use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_auth::{
    Handshake, Ladder, Level,
    layers::conversation::app_key::{NewAppKey, id_of},
    ports::{AppKey, AppKeys},
};
use doorward_testkit::{Heard, Peer, World, script};
use doorward_types::{Answer, CloseReason, KeyText, OwnerId, Secret};
use serde_json::json;

use crate::support::{ladder, later, transcript};

const SOURCE: &str = include_str!("../../src/layers/conversation/app_key.rs");

/// A key of bob's that the world knows.
async fn known(world: &World) -> NewAppKey {
    let key = NewAppKey::draw(world.rng.as_ref());
    world.app_keys.add(record(&key)).await.unwrap();
    key
}

fn record(key: &NewAppKey) -> AppKey {
    AppKey {
        owner: World::owner(),
        id: key.id.clone(),
        public: key.public,
        subject: World::member("bob"),
        created_at: World::NOW,
        revoked_at: None,
    }
}

fn app_key(world: &World) -> Ladder {
    ladder(world, json!({ "app_key": {} }))
}

fn plain(world: &World) -> Ladder {
    ladder(world, json!({ "app_key": { "plain": true } }))
}

/// The proof as a stranger's client would make it: from the text of the key and what was shown alone.
fn proof(key: &NewAppKey, shown: &Heard) -> String {
    let seed = KeyText::AppKey.read(key.text.reveal_text("test").unwrap()).unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.reveal("test")).unwrap();
    let fields = ["owner", "gate", "nonce"].map(|name| (name, shown.shown(name)));
    let message = transcript("doorward app_key v1", &[&fields[..], &[("key", key.id.as_str())]].concat());
    URL_SAFE_NO_PAD.encode(pair.sign(&message))
}

/// Sends the id and hears the prompt for the proof.
async fn asked(peer: &mut Peer, id: &str) -> Heard {
    peer.play("< ask app_key: user sends key").await;
    peer.say(Answer::to_layer("app_key").with_text("key", id));
    let heard = peer.hear().await;
    assert_eq!(heard.line, "ask app_key: user sends proof");
    heard
}

async fn answered(peer: &mut Peer, proof: &str) -> Heard {
    peer.say(Answer::to_layer("app_key").with_text("proof", proof));
    peer.hear().await
}

#[tokio::test(start_paused = true)]
async fn a_proof_over_the_nonce_opens_in_the_steps_of_the_script() {
    let world = World::new();
    let key = known(&world).await;
    let mut peer = world.knock(&app_key(&world), World::handshake()).await.unwrap();
    let shown = asked(&mut peer, key.id.as_str()).await;
    assert_eq!((shown.shown("owner"), shown.shown("gate")), ("acme", "fancy"));
    assert_eq!(URL_SAFE_NO_PAD.decode(shown.shown("nonce")).unwrap().len(), 32, "a nonce has 256 bits");
    let proof = proof(&key, &shown);
    let admission = answered(&mut peer, &proof).await.admission.unwrap();
    assert_eq!(admission.subject(), Some(&World::member("bob")));
    assert_eq!((admission.level(), admission.evidence()[0].amr), (Level::Substantial, &["pop", "swk"][..]));
    assert!(admission.rests_on().iter().any(|rest| rest.to_string() == format!("key={}", key.id)));
    assert_eq!(peer.steps(), script::steps_of(SOURCE));
}

#[tokio::test(start_paused = true)]
async fn silence_at_either_step_is_refused() {
    let world = World::new();
    let mut peer = world.knock(&app_key(&world), World::handshake()).await.unwrap();
    peer.play("< ask app_key: user sends key\n< refused too_slow").await;
    let mut peer = world.knock(&app_key(&world), World::handshake()).await.unwrap();
    asked(&mut peer, "x").await;
    peer.play("< refused too_slow").await;
}

#[tokio::test(start_paused = true)]
async fn c32_unknown_revoked_and_wrong_take_the_same_steps_and_get_the_same_words() {
    let world = World::new();
    let good = known(&world).await;
    let revoked = known(&world).await;
    world.app_keys.revoke(&World::owner(), &revoked.id, World::NOW).await.unwrap();
    let unknown = NewAppKey::draw(world.rng.as_ref());
    let foreign = NewAppKey::draw(world.rng.as_ref());
    world.app_keys.add(AppKey { owner: OwnerId::new("globex"), ..record(&foreign) }).await.unwrap();
    let whole = good.text.reveal_text("test").unwrap();
    let rows = [
        (revoked.id.as_str(), &revoked, "revoked at"),
        (unknown.id.as_str(), &unknown, "no key"),
        (foreign.id.as_str(), &foreign, "no key"),
        (good.id.as_str(), &unknown, "is wrong"),
        ("", &good, "not the id of a key"),
        ("../../x\r\n", &good, "not the id of a key"),
        (whole, &good, "not the id of a key"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.c2ln", &good, "not the id of a key"),
    ];
    for (id, signs, reason) in rows {
        let mut peer = world.knock(&app_key(&world), World::handshake()).await.unwrap();
        let shown = asked(&mut peer, id).await;
        let proof = proof(signs, &shown);
        let refusal = answered(&mut peer, &proof).await.refusal.unwrap();
        assert_eq!(refusal.close_reason(), CloseReason::NotAuthenticated);
        assert_eq!(refusal.step, "socket requires proof");
        assert!(refusal.detail.contains(reason), "{refusal}");
        assert!(
            !refusal.detail.contains("dwk_") && !refusal.detail.contains("eyJ") && !refusal.detail.contains('\n'),
            "{refusal}"
        );
        assert_eq!(peer.steps(), script::steps_of(SOURCE), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proof_is_worth_nothing_for_another_nonce_gate_owner_or_key() {
    let world = World::new();
    let (key, other) = (known(&world).await, known(&world).await);
    let first = {
        let mut peer = world.knock(&app_key(&world), World::handshake()).await.unwrap();
        let shown = asked(&mut peer, key.id.as_str()).await;
        let good = proof(&key, &shown);
        assert_eq!(answered(&mut peer, &good).await.line, "admitted member:bob");
        good
    };
    for wrong in ["replay", "gate", "owner", "key", "empty", "long", "padded"] {
        let mut peer = world.knock(&app_key(&world), World::handshake()).await.unwrap();
        let mut shown = asked(&mut peer, key.id.as_str()).await;
        let good = proof(&key, &shown);
        let mut over = |name: &str| {
            shown.shows.iter_mut().filter(|(shown, _)| *shown == name).for_each(|(_, value)| value.push('x'));
            proof(&key, &shown)
        };
        let proof = match wrong {
            "replay" => first.clone(),
            "gate" => over("gate"),
            "owner" => over("owner"),
            "key" => proof(
                &NewAppKey { id: other.id.clone(), ..NewAppKey::read(key.text.reveal_text("test").unwrap()).unwrap() },
                &shown,
            ),
            "empty" => String::new(),
            "long" => good.clone() + "AAAA",
            _ => good.clone() + "=",
        };
        assert_eq!(answered(&mut peer, &proof).await.line, "refused not_authenticated", "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_plain_the_whole_key_opens_over_a_secure_line() {
    let world = World::new();
    let key = known(&world).await;
    let mut peer = world.knock(&plain(&world), World::handshake()).await.unwrap();
    peer.play("< ask app_key: user sends key").await;
    peer.say(Answer::new().with("key", key.text.clone()));
    let admission = peer.play("< admitted member:bob").await.unwrap().admission.unwrap();
    assert_eq!(admission.level(), Level::Low, "whoever sees the key has it");
    assert_eq!(peer.steps(), script::scripts_of(SOURCE)[1]);
    let mut by_proof = world.knock(&plain(&world), World::handshake()).await.unwrap();
    let shown = asked(&mut by_proof, key.id.as_str()).await;
    let proof = proof(&key, &shown);
    assert_eq!(answered(&mut by_proof, &proof).await.line, "admitted member:bob", "a proof is as good");
}

#[tokio::test(start_paused = true)]
async fn a_whole_key_that_is_wrong_or_open_to_others_is_refused_in_the_same_steps() {
    let world = World::new();
    let key = known(&world).await;
    let revoked = known(&world).await;
    world.app_keys.revoke(&World::owner(), &revoked.id, later(0)).await.unwrap();
    let unknown = NewAppKey::draw(world.rng.as_ref()).text;
    let other_half = NewAppKey::draw(world.rng.as_ref());
    world.app_keys.add(AppKey { public: key.public, ..record(&other_half) }).await.unwrap();
    let mut typo = key.text.reveal_text("test").unwrap().to_owned();
    typo.pop();
    let rows = [
        (true, unknown, "no key"),
        (true, revoked.text, "revoked at"),
        (true, other_half.text, "another public half"),
        (true, Secret::from_text(typo), "a key is its prefix"),
        (true, Secret::from_text("dwk_"), "a key is its prefix"),
        (false, key.text, "over a line that others can read"),
    ];
    for (secure, text, reason) in rows {
        let handshake = Handshake { secure, ..World::handshake() };
        let mut peer = world.knock(&plain(&world), handshake).await.unwrap();
        peer.play("< ask app_key: user sends key").await;
        peer.say(Answer::new().with("key", text));
        let refusal = peer.play("< refused not_authenticated").await.unwrap().refusal.unwrap();
        assert!(refusal.detail.contains(reason), "{refusal}");
        assert_eq!(peer.steps(), script::scripts_of(SOURCE)[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_reads_back_from_its_text_and_its_id_is_public() {
    let key = NewAppKey::draw(World::new().rng.as_ref());
    let read = NewAppKey::read(key.text.reveal_text("test").unwrap()).unwrap();
    assert_eq!((&read.id, read.public), (&key.id, key.public));
    assert_eq!(key.id.as_str().len(), 32);
    assert_eq!(id_of(&key.public), key.id);
    assert!(!format!("{key:?}").contains("dwk_"));
}

#[test]
fn keys_are_made_as_rfc_8032_has_it() {
    // RFC 8032, section 7.1, test 1.
    let seed: [u8; 32] = std::array::from_fn(|at| {
        let hex = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()
    });
    let key = NewAppKey::read(KeyText::AppKey.write(&seed).reveal_text("test").unwrap()).unwrap();
    let public: String = key.public.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(public, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    // `printf d75a...511a | xxd -r -p | sha256sum`, first half.
    assert_eq!(key.id.as_str(), "21fe31dfa154a261626bf854046fd227");
}
