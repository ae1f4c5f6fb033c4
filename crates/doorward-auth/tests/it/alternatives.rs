//! Alternatives and optional layers: what is asked for, what a choice answers, and what counts of it. One that cannot be looked
//! at may have been satisfied, so nobody is told that they were wrong.

use std::sync::Arc;

use doorward_auth::{Ladder, Rung, Step, trail::Outcome};
use doorward_testkit::World;
use doorward_types::CloseReason;

use crate::support::{Down, Flag, Mute, Word, flags, rungs};

fn either() -> Ladder {
    let branches =
        vec![vec![Word::of("key", "bob").step(), Word::named("code").step()], vec![Word::of("jwt", "eve").step()]];
    rungs(vec![Rung::Any(branches), Word { word: "last", ..Word::named("last") }.rung()])
}

#[tokio::test(start_paused = true)]
async fn the_message_that_chooses_a_branch_answers_its_first_ask_too() {
    let world = World::new();
    let mut peer = world.knock(&either(), flags(&[])).await.unwrap();
    let talk = r#"
        < choose key | jwt
        > {"kind":"key","word":"right"}
        < ask code: user sends word
        > {"kind":"code","word":"right"}
        < ask last: user sends word
        > {"word":"last"}
        < admitted member:bob
    "#;
    peer.play(talk).await;
    assert_eq!(peer.trail()[0].rung, "any of key + code | jwt");
    assert_eq!(peer.trail()[0].outcome, Outcome::Hit);
}

#[tokio::test(start_paused = true)]
async fn a_message_without_fields_only_chooses() {
    let world = World::new();
    let mut peer = world.knock(&either(), flags(&[])).await.unwrap();
    let talk = r#"
        < choose key | jwt
        > {"kind":"jwt"}
        < ask jwt: user sends word
        > {"kind":"jwt","word":"right"}
        < ask last: user sends word
        > {"word":"last"}
        < admitted member:eve
    "#;
    peer.play(talk).await;
    let mut peer = world.knock(&optional(), flags(&[])).await.unwrap();
    let talk = r#"
        < choose mail | seal | skip
        > {"kind":"seal"}
        < ask seal: user sends word
        > {"kind":"seal","word":"wrong"}
        < refused not_authenticated
    "#;
    peer.play(talk).await;
}

#[tokio::test(start_paused = true)]
async fn a_branch_has_to_be_climbed_as_a_whole_and_none_after_another_failed() {
    let world = World::new();
    let mut peer = world.knock(&either(), flags(&[])).await.unwrap();
    let talk = r#"
        < choose key | jwt
        > {"kind":"key","word":"right"}
        < ask code: user sends word
        > {"word":"wrong"}
        < refused not_authenticated
    "#;
    peer.play(talk).await;
}

#[tokio::test(start_paused = true)]
async fn a_choice_that_is_none_is_refused() {
    let world = World::new();
    for said in [r#"{"kind":"code","word":"right"}"#, r#"{"kind":"last","word":"last"}"#, r#"{"word":"right"}"#] {
        let mut peer = world.knock(&either(), flags(&[])).await.unwrap();
        let talk = format!("< choose key | jwt\n> {said}\n< refused not_authenticated");
        peer.play(&talk).await;
    }
    let mut peer = world.knock(&either(), flags(&[])).await.unwrap();
    peer.play("< choose key | jwt\n< refused too_slow").await;
}

fn mixed() -> Ladder {
    let branches = vec![
        vec![Flag::of("ticket", "bob").step()],
        vec![Flag::of("bearer", "bob").step(), Word::named("code").step()],
        vec![Word::of("jwt", "bob").step()],
    ];
    rungs(vec![Rung::Any(branches), Word { word: "last", ..Word::named("last") }.rung()])
}

#[tokio::test(start_paused = true)]
async fn an_alternative_that_the_request_satisfies_alone_is_not_asked_for() {
    let world = World::new();
    let mut peer = world.knock(&mixed(), flags(&["ticket"])).await.unwrap();
    peer.play("< ask last: user sends word\n> {\"word\":\"last\"}\n< admitted member:bob").await;
    assert_eq!(peer.trail()[0].outcome, Outcome::Hit);
}

#[tokio::test(start_paused = true)]
async fn a_branch_whose_handshake_half_failed_is_not_offered() {
    let world = World::new();
    let mut peer = world.knock(&mixed(), flags(&["bearer"])).await.unwrap();
    let talk = r#"
        < choose code | jwt
        > {"kind":"code","word":"right"}
        < ask last: user sends word
        > {"word":"last"}
        < admitted member:bob
    "#;
    let admission = peer.play(talk).await.unwrap().admission.unwrap();
    let layers: Vec<_> = admission.evidence().iter().map(|evidence| evidence.layer).collect();
    assert_eq!(layers, ["bearer", "code", "last"], "what the branch's handshake half proved counts, and nothing else");
}

#[tokio::test(start_paused = true)]
async fn where_one_alternative_is_left_it_is_asked_for_at_once() {
    let world = World::new();
    let mut peer = world.knock(&mixed(), flags(&[])).await.unwrap();
    let talk = r#"
        < ask jwt: user sends word
        > {"word":"right"}
        < ask last: user sends word
        > {"word":"last"}
        < admitted member:bob
    "#;
    peer.play(talk).await;
}

#[tokio::test(start_paused = true)]
async fn the_proof_of_a_branch_that_was_not_taken_is_forgotten() {
    let world = World::new();
    let mut peer = world.knock(&mixed(), flags(&["bearer"])).await.unwrap();
    let talk = r#"
        < choose code | jwt
        > {"kind":"jwt","word":"right"}
        < ask last: user sends word
        > {"word":"last"}
        < admitted member:bob
    "#;
    let admission = peer.play(talk).await.unwrap().admission.unwrap();
    assert!(admission.evidence().iter().all(|evidence| evidence.layer != "bearer"));
}

#[tokio::test(start_paused = true)]
async fn alternatives_in_the_request_are_tried_in_turn() {
    let world = World::new();
    let ladder = rungs(vec![Rung::Any(vec![vec![Flag::named("a").step()], vec![Flag::named("b").step()]])]);
    assert!(ladder.is_decided_at_handshake());
    let mut peer = world.knock(&ladder, flags(&["b"])).await.unwrap();
    peer.play("< admitted nobody").await;
    let (refusal, _) = world.knock(&ladder, flags(&[])).await.err().unwrap();
    assert_eq!(refusal.layer, "b");
}

fn optional() -> Ladder {
    rungs(vec![
        Rung::Optional(vec![Arc::new(Word::named("mail")), Arc::new(Word::named("seal"))]),
        Word::named("last").rung(),
    ])
}

#[tokio::test(start_paused = true)]
async fn optional_layers_may_be_skipped_or_taken_in_any_order_and_it_shows() {
    let world = World::new();
    let skipped = r#"
        < choose mail | seal | skip
        > {"kind":"skip"}
        < ask last: user sends word
        > {"word":"right"}
        < admitted nobody
    "#;
    let both = r#"
        < choose mail | seal | skip
        > {"kind":"seal","word":"right"}
        < choose mail | skip
        > {"kind":"mail","word":"right"}
        < ask last: user sends word
        > {"word":"right"}
        < admitted nobody
    "#;
    let mut expected = [(skipped, vec!["last"], Outcome::Skipped), (both, vec!["seal", "mail", "last"], Outcome::Hit)];
    for (talk, evidence, outcome) in &mut expected {
        let mut peer = world.knock(&optional(), flags(&[])).await.unwrap();
        let admission = peer.play(talk).await.unwrap().admission.unwrap();
        let layers: Vec<_> = admission.evidence().iter().map(|evidence| evidence.layer).collect();
        assert_eq!(layers, *evidence);
        assert_eq!(peer.trail()[0].outcome, *outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn an_optional_layer_that_is_taken_has_to_be_passed() {
    let world = World::new();
    let mut peer = world.knock(&optional(), flags(&[])).await.unwrap();
    peer.play("< choose mail | seal | skip\n> {\"kind\":\"mail\",\"word\":\"wrong\"}\n< refused not_authenticated")
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_stands_above_an_alternative_counts_beside_what_the_alternative_proves() {
    let world = World::new();
    let branch = vec![Flag::named("second").step(), Word::of("third", "bob").step()];
    let ladder = rungs(vec![Flag::of("first", "bob").rung(), Rung::Any(vec![branch])]);
    let mut peer = world.knock(&ladder, flags(&["first", "second"])).await.unwrap();
    let talk = "< ask third: user sends word\n> {\"word\":\"right\"}\n< admitted member:bob";
    let admission = peer.play(talk).await.unwrap().admission.unwrap();
    let layers: Vec<_> = admission.evidence().iter().map(|evidence| evidence.layer).collect();
    assert_eq!(layers, ["first", "second", "third"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_said_above_an_alternative_counts_beside_what_the_alternative_proves() {
    let world = World::new();
    let either = Rung::Any(vec![vec![Word::named("a").step()], vec![Word::of("b", "eve").step()]]);
    let ladder = rungs(vec![Word::of("first", "bob").rung(), either]);
    for (kind, line) in [("a", "admitted member:bob"), ("b", "refused not_authenticated")] {
        let mut peer = world.knock(&ladder, flags(&[])).await.unwrap();
        let talk = format!(
            "< ask first: user sends word\n> {{\"word\":\"right\"}}\n< choose a | b\n> {{\"kind\":\"{kind}\",\"word\":\"right\"}}"
        );
        peer.play(&talk).await;
        assert_eq!(peer.hear().await.line, line);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_asked_for_answers_no_later_layer() {
    let world = World::new();
    let either = Rung::Any(vec![vec![Step::conversation(Mute(Arc::default()))], vec![Word::named("word").step()]]);
    let ladder = rungs(vec![either, Word::named("last").rung()]);
    let mut peer = world.knock(&ladder, flags(&[])).await.unwrap();
    let talk = r#"
        < choose mute | word
        > {"kind":"mute","word":"right"}
        < ask last: user sends word
    "#;
    peer.play(talk).await;
}

fn any(branches: Vec<Vec<Step>>) -> Ladder {
    Ladder::new(vec![Rung::Any(branches)]).unwrap()
}

fn down() -> Vec<Step> {
    vec![Step::handshake(Down)]
}

#[tokio::test(start_paused = true)]
async fn where_one_is_down_and_the_others_are_wrong_the_user_is_told_to_try_later() {
    let world = World::new();
    let flag = || vec![Flag::named("flag").step()];
    for ladder in [any(vec![down(), flag()]), any(vec![flag(), down()])] {
        let (refusal, _) = world.knock(&ladder, flags(&[])).await.err().unwrap();
        assert_eq!((refusal.layer, refusal.close_reason()), ("down", CloseReason::TryLater));
        let mut peer = world.knock(&ladder, flags(&["flag"])).await.unwrap();
        peer.play("< admitted nobody").await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_one_is_down_the_others_are_still_asked_for_and_count() {
    let world = World::new();
    let ladder = any(vec![down(), vec![Word::of("word", "bob").step()], vec![Word::named("other").step()]]);
    let rows = [
        ("> {\"kind\":\"word\",\"word\":\"right\"}", "admitted member:bob"),
        ("> {\"kind\":\"word\",\"word\":\"wrong\"}", "refused try_later"),
        ("> {\"kind\":\"none\",\"word\":\"right\"}", "refused try_later"),
        ("", "refused try_later"),
    ];
    for (said, line) in rows {
        let mut peer = world.knock(&ladder, flags(&[])).await.unwrap();
        peer.play(&format!("< choose word | other\n{said}\n< {line}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_down_the_verdict_is_that_of_the_alternative_taken() {
    let world = World::new();
    let ladder = any(vec![vec![Flag::named("flag").step()], vec![Word::named("word").step()]]);
    let mut peer = world.knock(&ladder, flags(&[])).await.unwrap();
    peer.play("< ask word: user sends word\n> {\"word\":\"wrong\"}\n< refused not_authenticated").await;
}
