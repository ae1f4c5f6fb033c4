use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_auth::{Ladder, Level};
use doorward_testkit::{Heard, Peer, World, script};
use doorward_types::Answer;
use serde_json::json;

use crate::support::{ladder, transcript};

const SOURCE: &str = include_str!("../../src/layers/conversation/challenge.rs");

/// 128 bits in hexadecimal digits, as a stranger's configuration would have it.
const SECRET: [u8; 16] = [0xAB; 16];

fn challenge(world: &World) -> Ladder {
    ladder(world, json!({ "challenge": { "secret": "ab".repeat(16) } }))
}

fn mac(purpose: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    hmac::sign(&key, &transcript(purpose, fields)).as_ref().to_vec()
}

/// The right part of the statement, as a stranger's client would pick it.
fn partial(shown: &Heard) -> String {
    let words: Vec<&str> = shown.shown("statement").split(' ').collect();
    let fields = ["gate", "nonce"].map(|name| (name, shown.shown(name)));
    let mac = mac("doorward challenge pick v1", &fields);
    let number = u64::from_be_bytes(mac[..8].try_into().unwrap());
    words[(number % words.len() as u64) as usize].to_owned()
}

fn proof(shown: &Heard, partial: &str) -> String {
    let fields = ["gate", "nonce", "statement"].map(|name| (name, shown.shown(name)));
    URL_SAFE_NO_PAD.encode(mac("doorward challenge v1", &[&fields[..], &[("partial", partial)]].concat()))
}

async fn asked(peer: &mut Peer) -> Heard {
    let heard = peer.hear().await;
    assert_eq!(heard.line, "ask challenge: user sends partial and proof");
    heard
}

fn answer(partial: &str, proof: &str) -> Answer {
    Answer::to_layer("challenge").with_text("partial", partial).with_text("proof", proof)
}

#[tokio::test(start_paused = true)]
async fn the_right_part_and_a_proof_over_it_pass_in_the_steps_of_the_script() {
    let world = World::new();
    let mut peer = world.knock(&challenge(&world), World::handshake()).await.unwrap();
    let shown = asked(&mut peer).await;
    let words: Vec<&str> = shown.shown("statement").split(' ').collect();
    assert_eq!(words.len(), 9);
    assert_eq!(words.last(), Some(&shown.shown("nonce")), "the nonce is a part of the statement");
    assert_eq!(shown.expires_in, Some(Duration::from_secs(30)));
    let partial = partial(&shown);
    peer.say(answer(&partial, &proof(&shown, &partial)));
    let admission = peer.play("< admitted nobody").await.unwrap().admission.unwrap();
    assert_eq!((admission.level(), admission.evidence()[0].amr), (Level::Substantial, &["pop"][..]));
    assert_eq!(peer.steps(), script::steps_of(SOURCE));
}

#[tokio::test(start_paused = true)]
async fn each_word_of_the_statement_is_the_right_one_now_and_then() {
    let world = World::new();
    let ladder = challenge(&world);
    let mut places = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
        let shown = asked(&mut peer).await;
        let partial = partial(&shown);
        places.insert(shown.shown("statement").split(' ').position(|word| word == partial).unwrap());
        peer.say(answer(&partial, &proof(&shown, &partial)));
        peer.play("< admitted nobody").await;
    }
    assert!(places.len() >= 8, "{places:?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_is_wrong_takes_the_same_steps_and_gets_the_same_words() {
    let world = World::new();
    type Wrong = fn(&Heard) -> Answer;
    let wrong: [(&str, Wrong); 7] = [
        ("another word with a proof over it", |shown| {
            let right = partial(shown);
            let other = shown.shown("statement").split(' ').find(|word| *word != right).unwrap();
            answer(other, &proof(shown, other))
        }),
        ("another word with the right proof", |shown| answer("other", &proof(shown, &partial(shown)))),
        ("no partial", |shown| Answer::to_layer("challenge").with_text("proof", proof(shown, &partial(shown)))),
        ("the right word with no proof", |shown| answer(&partial(shown), "")),
        ("the right word with another's proof", |shown| answer(&partial(shown), &proof(shown, "other"))),
        ("the secret itself", |shown| answer(&partial(shown), &URL_SAFE_NO_PAD.encode(SECRET))),
        ("a proof with more behind it", |shown| answer(&partial(shown), &(proof(shown, &partial(shown)) + "AAAA"))),
    ];
    for (what, answer) in wrong {
        let mut peer = world.knock(&challenge(&world), World::handshake()).await.unwrap();
        let shown = asked(&mut peer).await;
        peer.say(answer(&shown));
        assert_eq!(peer.hear().await.line, "refused not_authenticated", "{what}");
        assert_eq!(peer.steps(), script::steps_of(SOURCE), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn c98_an_answer_is_good_once_in_its_own_conversation_within_thirty_seconds() {
    let world = World::new();
    let ladder = challenge(&world);
    let mut first = world.knock(&ladder, World::handshake()).await.unwrap();
    let shown = asked(&mut first).await;
    let right = partial(&shown);
    let good = answer(&right, &proof(&shown, &right));

    let mut another = world.knock(&ladder, World::handshake()).await.unwrap();
    assert_ne!(asked(&mut another).await.shown("nonce"), shown.shown("nonce"), "a nonce is never shown twice");
    another.say(good.clone());
    assert_eq!(another.hear().await.line, "refused not_authenticated", "on another connection");

    first.say(good.clone());
    assert_eq!(first.hear().await.line, "admitted nobody");
    assert_eq!(first.climb().answer(good.clone()), Ok(()), "an answer after the verdict is heard by nobody");
    assert!(first.hears_nothing().await, "answered twice");

    let mut replayed = world.knock(&ladder, World::handshake()).await.unwrap();
    asked(&mut replayed).await;
    replayed.say(good);
    assert_eq!(replayed.hear().await.line, "refused not_authenticated", "with a nonce that was used");

    let mut late = world.knock(&ladder, World::handshake()).await.unwrap();
    let shown = asked(&mut late).await;
    assert!(late.hears_nothing().await);
    tokio::time::sleep(Duration::from_millis(30_001)).await;
    let right = partial(&shown);
    late.say(answer(&right, &proof(&shown, &right)));
    assert_eq!(late.hear().await.line, "refused too_slow", "after thirty seconds");
}

#[tokio::test(start_paused = true)]
async fn silence_is_refused_at_the_limit() {
    let world = World::new();
    let mut peer = world.knock(&challenge(&world), World::handshake()).await.unwrap();
    peer.play("< ask challenge: user sends partial and proof\n< refused too_slow").await;
}

fn words(world: &World) -> Ladder {
    ladder(world, json!({ "challenge": { "variant": "words", "words": "Alpha bravo charlie delta echo" } }))
}

/// The two places that the statement names, from 1.
fn places(shown: &Heard) -> Vec<usize> {
    shown.shown("statement").split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_person_answers_with_the_two_words_that_are_named() {
    const PHRASE: [&str; 5] = ["alpha", "bravo", "charlie", "delta", "echo"];
    let world = World::new();
    let ladder = words(&world);
    for spelled in [str::to_owned, |word: &str| format!(" {} ", word.to_uppercase())] {
        for _ in 0..50 {
            let mut peer = world.knock(&ladder, World::handshake()).await.unwrap();
            let shown = peer.hear().await;
            let [first, second] = places(&shown)[..] else { panic!("two places: {}", shown.shown("statement")) };
            assert!(first < second && (1..=5).contains(&first) && (1..=5).contains(&second));
            let said = format!("{} {}", PHRASE[first - 1], PHRASE[second - 1]);
            peer.say(Answer::to_layer("challenge").with_text("words", spelled(&said)));
            let admission = peer.play("< admitted nobody").await.unwrap().admission.unwrap();
            assert_eq!((admission.level(), admission.evidence()[0].amr), (Level::None, &["kba"][..]));
            assert_eq!(peer.steps(), script::scripts_of(SOURCE)[1]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn other_words_are_refused_whatever_is_wrong_with_them() {
    const PHRASE: [&str; 5] = ["alpha", "bravo", "charlie", "delta", "echo"];
    let world = World::new();
    let wrong: [fn(&str, &str) -> String; 6] = [
        |_, _| String::new(),
        |first, _| first.to_owned(),
        |first, second| format!("{second} {first}"),
        |first, _| format!("{first} {first}"),
        |first, second| format!("{first} {second} alpha"),
        |_, _| "alpha bravo charlie delta echo".to_owned(),
    ];
    for said in wrong {
        let mut peer = world.knock(&words(&world), World::handshake()).await.unwrap();
        let [first, second] = places(&peer.hear().await)[..] else { panic!("two places") };
        let said = said(PHRASE[first - 1], PHRASE[second - 1]);
        peer.say(Answer::to_layer("challenge").with_text("words", said.clone()));
        assert_eq!(peer.hear().await.line, "refused not_authenticated", "{said}");
        assert_eq!(peer.steps(), script::scripts_of(SOURCE)[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_challenge_is_chosen_by_its_name_and_shown_before_it_is_answered() {
    let world = World::new();
    let layer = json!({ "challenge": { "secret": "ab".repeat(16) } });
    let ident = json!({ "ident": { "glyph": "☂" } });
    for (config, choose) in [
        (json!({ "any": [[ident], [layer]] }), "choose ident | challenge"),
        (json!({ "optional": [ident, layer] }), "choose ident | challenge | skip"),
    ] {
        let mut peer = world.knock(&ladder(&world, config), World::handshake()).await.unwrap();
        assert_eq!(peer.hear().await.line, choose);
        peer.say(Answer::to_layer("challenge"));
        let shown = asked(&mut peer).await;
        let partial = partial(&shown);
        peer.say(answer(&partial, &proof(&shown, &partial)));
        match peer.hear().await.line.as_str() {
            "choose ident | skip" => {
                peer.say(Answer::to_layer("ident"));
                let talk = r#"
                    < tell ident: socket shows glyph
                    < ask ident: user accepts glyph
                    > {"kind":"ident","accept":"yes"}
                    < admitted nobody
                "#;
                peer.play(talk).await;
            }
            line => assert_eq!(line, "admitted nobody"),
        }
    }
}
