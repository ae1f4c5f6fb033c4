use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    BoxFuture, Claimant, Climb, Conversation, Ladder, LadderError, Layer, Refusal, Rung, Step, Verdict,
    trail::{Outcome, Verb},
};
use doorward_testkit::World;
use doorward_types::{Answer, CloseReason, Cursor, Rest, Subject};

use crate::support::{Flag, WORD_TIMEOUT, Word, flags, word};

fn rungs(rungs: Vec<Rung>) -> Ladder {
    Ladder::new(rungs).unwrap()
}

#[test]
fn an_empty_ladder_has_to_be_spelled_out() {
    assert_eq!(Ladder::new(vec![]).unwrap_err(), LadderError::Empty);
    assert!(Ladder::open_to_everyone().is_open());
}

#[test]
fn a_list_inside_a_rung_is_never_empty() {
    let ladder = |rung| Ladder::new(vec![Word::named("a").rung(), rung]).unwrap_err();
    let empty = LadderError::EmptyRung { rung: 1 };
    assert_eq!(ladder(Rung::Any(vec![])), empty);
    assert_eq!(ladder(Rung::Any(vec![vec![Word::named("b").step()], vec![]])), empty);
    assert_eq!(ladder(Rung::Optional(vec![])), empty);
}

#[test]
fn handshake_layers_stand_above_those_that_talk() {
    let below = |layer| LadderError::HandshakeBelow { rung: 1, layer };
    let talks = || Word::named("talks").rung();
    assert_eq!(Ladder::new(vec![talks(), Flag::named("flag").rung()]).unwrap_err(), below("flag"));
    let mixed = Rung::Any(vec![vec![Word::named("a").step()], vec![Flag::named("flag").step()]]);
    assert_eq!(Ladder::new(vec![talks(), mixed.clone()]).unwrap_err(), below("flag"));
    assert!(Ladder::new(vec![mixed, talks()]).is_ok());
    let branch = Rung::Any(vec![vec![Word::named("a").step(), Flag::named("flag").step()]]);
    assert_eq!(Ladder::new(vec![branch]).unwrap_err(), LadderError::HandshakeBelow { rung: 0, layer: "flag" });
}

#[test]
fn branches_begin_with_different_layers_so_that_one_can_be_named() {
    let same = Rung::Any(vec![vec![Word::named("a").step()], vec![Word::named("a").step()]]);
    assert_eq!(Ladder::new(vec![same]).unwrap_err(), LadderError::SameBeginning { rung: 0, layer: "a" });
    let a = || Arc::new(Word::named("a"));
    assert!(matches!(Ladder::new(vec![Rung::Optional(vec![a(), a()])]), Err(LadderError::SameBeginning { .. })));
}

#[test]
fn a_layer_that_needs_an_identity_stands_below_one_that_gives_it() {
    let needy = || Word { needs_identity: true, ..Word::named("needy") };
    let refused = |rung| LadderError::NeedsIdentity { rung, layer: "needy" };
    assert_eq!(Ladder::new(vec![needy().rung()]).unwrap_err(), refused(0));
    assert!(Ladder::new(vec![Word::of("gives", "bob").rung(), needy().rung()]).is_ok());
    assert_eq!(Ladder::new(vec![needy().rung(), Word::of("gives", "bob").rung()]).unwrap_err(), refused(0));
    // Whoever takes the other branch, or skips, has no identity.
    let either = Rung::Any(vec![vec![Word::of("gives", "bob").step()], vec![Word::named("not").step()]]);
    assert_eq!(Ladder::new(vec![either, needy().rung()]).unwrap_err(), refused(1));
    let maybe = Rung::Optional(vec![Arc::new(Word::of("gives", "bob"))]);
    assert_eq!(Ladder::new(vec![maybe, needy().rung()]).unwrap_err(), refused(1));
    let branch = Rung::Any(vec![vec![Word::of("gives", "bob").step(), needy().step()]]);
    assert!(Ladder::new(vec![branch]).is_ok());
}

#[tokio::test(start_paused = true)]
async fn every_rung_is_climbed_in_order_and_yields_one_admission() {
    let world = World::new();
    let ladder = rungs(vec![
        Flag::named("flag").rung(),
        Word::of("first", "bob").rung(),
        Word { word: "other", ..Word::named("second") }.rung(),
    ]);
    let mut peer = world.knock(&ladder, flags(&["flag"])).await.unwrap();
    let talk = r#"
        < ask first: user sends word
        > {"kind":"first","word":"right"}
        < ask second: user sends word
        > {"word":"other"}
        < admitted member:bob
    "#;
    let admission = peer.play(talk).await.unwrap().admission.unwrap();
    let layers: Vec<_> = admission.evidence().iter().map(|evidence| evidence.layer).collect();
    assert_eq!(layers, ["flag", "first", "second"]);
    assert_eq!(admission.as_of(), Cursor(7));
    assert_eq!(admission.at(), World::NOW);
    assert_eq!(admission.rests_on(), [Rest::on("gate", "fancy"), Rest::on("subject", "member:bob")]);
    assert!(peer.hears_nothing().await, "after the verdict there is nothing more");
}

#[tokio::test(start_paused = true)]
async fn the_trail_says_what_was_hit_missed_and_not_reached() {
    let world = World::new();
    let ladder = rungs(vec![
        Flag::named("flag").rung(),
        Word::of("first", "bob").rung(),
        Word::named("second").rung(),
        Word::named("third").rung(),
    ]);
    let mut peer = world.knock(&ladder, flags(&["flag"])).await.unwrap();
    let talk = r#"
        < ask first: user sends word
        > {"word":"right"}
        < ask second: user sends word
        > {"word":"wrong"}
        < refused not_authenticated
    "#;
    let refusal = peer.play(talk).await.unwrap().refusal.unwrap();
    assert_eq!(refusal.to_string(), "second: socket requires word: wrong word");
    let trail = peer.trail();
    let outcomes: Vec<_> = trail.iter().map(|rung| (rung.rung.as_str(), rung.outcome)).collect();
    let expected =
        [("flag", Outcome::Hit), ("first", Outcome::Hit), ("second", Outcome::Miss), ("third", Outcome::NotReached)];
    assert_eq!(outcomes, expected);
    let last = trail[2].steps.last().unwrap();
    assert_eq!((last.verb, last.outcome, last.detail.as_deref()), (Verb::Require, Outcome::Miss, Some("wrong word")));
    assert!(trail[3].steps.is_empty());
    assert_eq!(peer.climb().progress().subject(), Some(World::member("bob")), "the log knows who was proven before");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_layer_that_fails_ends_the_climb_before_the_socket_opens() {
    let world = World::new();
    let ladder = rungs(vec![Flag::named("flag").rung(), Word::named("word").rung()]);
    let (refusal, trail) = world.knock(&ladder, flags(&[])).await.err().unwrap();
    assert_eq!((refusal.layer, refusal.close_reason()), ("flag", CloseReason::NotAuthenticated));
    assert_eq!(trail[0].outcome, Outcome::Miss);
    assert_eq!(trail[0].steps[0].step, "socket checks flag");
    assert_eq!(trail[1].outcome, Outcome::NotReached);
}

#[tokio::test(start_paused = true)]
async fn who_was_proven_before_a_refusal_at_the_handshake_is_known_to_the_log() {
    let world = World::new();
    let one_after_the_other = || vec![Flag::of("first", "bob").step(), Flag::named("second").step()];
    let ladders = [
        rungs(one_after_the_other().into_iter().map(Rung::One).collect()),
        rungs(vec![Rung::Any(vec![one_after_the_other(), vec![Flag::named("third").step()]])]),
    ];
    for ladder in ladders {
        let beginning = Climb::begin(Arc::new(ladder), world.start(flags(&["first"]), World::gate()));
        let progress = beginning.progress();
        assert!(beginning.await.is_err());
        assert_eq!(progress.subject(), Some(World::member("bob")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_climb_that_is_done_is_of_whom_it_admits_and_not_of_an_alternative_that_was_not_taken() {
    let world = World::new();
    let half = vec![Flag::of("flag", "bob").step(), Word::named("code").step()];
    let ladder = rungs(vec![Rung::Any(vec![half, vec![Word::named("word").step()]])]);
    let mut peer = world.knock(&ladder, flags(&["flag"])).await.unwrap();
    peer.play("< choose code | word\n> {\"kind\":\"word\",\"word\":\"right\"}\n< admitted nobody").await;
    assert_eq!(peer.climb().progress().subject(), None);
}

#[tokio::test(start_paused = true)]
async fn an_open_ladder_admits_nobody_in_particular_at_once() {
    let world = World::new();
    let mut peer = world.knock(&Ladder::open_to_everyone(), flags(&[])).await.unwrap();
    let admission = peer.play("< admitted nobody").await.unwrap().admission.unwrap();
    assert!(admission.evidence().is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_layers_cannot_prove_two_people() {
    let world = World::new();
    let eve_then_bob = rungs(vec![Flag::of("flag", "eve").rung(), Word::of("word", "bob").rung()]);
    let mut peer = world.knock(&eve_then_bob, flags(&["flag"])).await.unwrap();
    let talk = r#"
        < ask word: user sends word
        > {"word":"right"}
        < refused not_authenticated
    "#;
    let refusal = peer.play(talk).await.unwrap().refusal.unwrap();
    assert!(refusal.detail.contains("member:bob") && refusal.detail.contains("member:eve"), "{refusal}");
    let both = rungs(vec![Flag::of("flag", "eve").rung(), Flag::of("other", "bob").rung()]);
    assert!(world.knock(&both, flags(&["flag", "other"])).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_one_subject_rule_holds_across_a_branch_that_the_handshake_has_begun() {
    let world = World::new();
    // The branch's handshake layer proves eve before the layer that stands above the branch proves bob.
    let mixed = Rung::Any(vec![vec![Flag::of("flag", "eve").step(), Word::named("more").step()]]);
    let optional = Rung::Optional(vec![Arc::new(Word::of("maybe", "bob"))]);
    let ladder = rungs(vec![mixed, optional]);
    let mut peer = world.knock(&ladder, flags(&["flag"])).await.unwrap();
    let talk = r#"
        < ask more: user sends word
        > {"word":"right"}
        < choose maybe | skip
        > {"kind":"maybe","word":"right"}
        < refused not_authenticated
    "#;
    peer.play(talk).await;
}

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

/// What a peer hears who answers three layers with these words, up to and with the verdict.
async fn heard(verdict: Verdict, flag: bool, words: [&str; 3]) -> Vec<String> {
    let world = World::new();
    let ladder = rungs(vec![
        Flag::of("flag", "bob").rung(),
        Word::of("one", "bob").rung(),
        Rung::Any(vec![vec![Word::named("two").step()], vec![Word::named("or").step()]]),
        Word { needs_identity: true, ..Word::named("three") }.rung(),
    ])
    .with_verdict(verdict);
    let given: &[&str] = if flag { &["flag"] } else { &[] };
    let mut peer = match world.knock(&ladder, flags(given)).await {
        Ok(peer) => peer,
        Err(_) => return vec!["refused before the socket opened".into()],
    };
    let mut lines = Vec::new();
    for (kind, said) in ["one", "two", "three"].into_iter().zip(words) {
        lines.push(peer.hear().await.line);
        if lines.last().is_some_and(|line| line.starts_with("refused")) {
            return lines;
        }
        peer.say(word(kind, said));
    }
    lines.push(peer.hear().await.line);
    lines
}

#[tokio::test(start_paused = true)]
async fn with_the_verdict_at_the_end_nobody_can_tell_which_layer_failed() {
    let wrong = ["right", "right", "wrong"];
    let expected = heard(Verdict::End, true, wrong).await;
    assert_eq!(expected.len(), 4);
    assert_eq!(expected.last().map(String::as_str), Some("refused not_authenticated"));
    let all = [
        (true, ["wrong", "right", "right"]),
        (true, ["right", "wrong", "right"]),
        (true, ["wrong", "wrong", "wrong"]),
        (false, ["right", "right", "right"]),
        (false, ["wrong", "wrong", "wrong"]),
    ];
    for (flag, words) in all {
        assert_eq!(heard(Verdict::End, flag, words).await, expected, "{flag} {words:?}");
    }
    let admitted = heard(Verdict::End, true, ["right"; 3]).await;
    assert_eq!(admitted[..3], expected[..3]);
    assert_eq!(admitted[3], "admitted member:bob");
}

#[tokio::test(start_paused = true)]
async fn with_the_verdict_at_each_layer_the_first_that_fails_ends_it() {
    assert_eq!(heard(Verdict::Each, true, ["wrong", "right", "right"]).await.len(), 2);
    assert_eq!(heard(Verdict::Each, true, ["right", "wrong", "right"]).await.len(), 3);
    assert_eq!(heard(Verdict::Each, false, ["right"; 3]).await, ["refused before the socket opened"]);
}

#[tokio::test(start_paused = true)]
async fn with_the_verdict_at_the_end_a_ladder_without_talk_still_refuses_before_the_socket_opens() {
    let world = World::new();
    let ladder = rungs(vec![Flag::named("a").rung(), Flag::named("b").rung()]).with_verdict(Verdict::End);
    let (refusal, trail) = world.knock(&ladder, flags(&["b"])).await.err().unwrap();
    assert_eq!(refusal.layer, "a");
    let outcomes: Vec<_> = trail.iter().map(|rung| rung.outcome).collect();
    assert_eq!(outcomes, [Outcome::Miss, Outcome::Hit], "the second was looked at all the same");
}

#[tokio::test(start_paused = true)]
async fn c28_an_answer_at_the_limit_is_heard_or_refused_and_never_half() {
    let world = World::new();
    let ladder = rungs(vec![Word::of("word", "bob").rung()]);
    let millisecond = Duration::from_millis(1);
    for (after, admitted) in [(WORD_TIMEOUT - millisecond, true), (WORD_TIMEOUT + millisecond, false)] {
        let mut peer = world.knock(&ladder, flags(&[])).await.unwrap();
        peer.play("< ask word: user sends word").await;
        assert!(peer.hears_nothing().await);
        tokio::time::sleep(after).await;
        peer.say(word("word", "right"));
        // The answer is there before the climb is polled again; the limit counts all the same.
        let verdict = peer.hear().await;
        if admitted {
            assert_eq!(verdict.line, "admitted member:bob");
        } else {
            assert_eq!(verdict.refusal.unwrap().close_reason(), CloseReason::TooSlow);
        }
        assert!(peer.hears_nothing().await, "there is one verdict");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_refused_at_the_limit_of_the_step_and_not_before() {
    let world = World::new();
    let mut peer = world.knock(&rungs(vec![Word::named("word").rung()]), flags(&[])).await.unwrap();
    peer.play("< ask word: user sends word").await;
    let before = tokio::time::Instant::now();
    peer.play("< refused too_slow").await;
    assert_eq!(before.elapsed().as_millis(), WORD_TIMEOUT.as_millis());
}

#[tokio::test(start_paused = true)]
async fn one_answer_is_taken_at_a_time() {
    let world = World::new();
    let ladder = rungs(vec![Word::named("one").rung(), Word::named("two").rung()]);
    let mut peer = world.knock(&ladder, flags(&[])).await.unwrap();
    peer.play("< ask one: user sends word").await;
    peer.say(word("one", "right"));
    let second = word("two", "right");
    assert_eq!(peer.climb().answer(second.clone()), Err(second), "the first has not been heard yet");
    peer.play("< ask two: user sends word").await;
    peer.say(word("two", "right"));
    peer.play("< admitted nobody").await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_another_layer_is_refused() {
    let world = World::new();
    let mut peer = world.knock(&rungs(vec![Word::named("word").rung()]), flags(&[])).await.unwrap();
    peer.play("< ask word: user sends word").await;
    peer.say(Answer::to_layer("other").with_text("word", "right"));
    peer.play("< refused not_authenticated").await;
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

/// A layer that hears nothing, and notes whom it was told about.
struct Mute(Arc<Mutex<Vec<Option<Subject>>>>);

impl Layer for Mute {
    fn name(&self) -> &'static str {
        "mute"
    }

    fn verify<'a>(&'a self, _: &'a mut Conversation, claimant: &'a mut Claimant) -> BoxFuture<'a, Result<(), Refusal>> {
        self.0.lock().unwrap().push(claimant.subject().cloned());
        Box::pin(std::future::ready(Ok(())))
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

#[tokio::test(start_paused = true)]
async fn with_the_verdict_at_the_end_who_failed_climbs_on_as_nobody() {
    let world = World::new();
    for (said, subject) in [("right", Some(World::member("bob"))), ("wrong", None)] {
        let told = Arc::default();
        let rungs = vec![
            Word::of("one", "bob").rung(),
            Word::named("two").rung(),
            Rung::One(Step::conversation(Mute(Arc::clone(&told)))),
        ];
        let ladder = Ladder::new(rungs).unwrap().with_verdict(Verdict::End);
        let mut peer = world.knock(&ladder, flags(&[])).await.unwrap();
        peer.play("< ask one: user sends word\n> {\"word\":\"right\"}\n< ask two: user sends word").await;
        peer.say(word("two", said));
        peer.hear().await;
        assert_eq!(*told.lock().unwrap(), [subject]);
    }
}
