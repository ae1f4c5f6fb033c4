//! Ladders as a whole: how one is built, climbed in order, and answered in time.

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    Climb, Ladder, LadderError, Rung,
    trail::{Outcome, Verb},
};
use doorward_testkit::World;
use doorward_types::{Answer, CloseReason, Cursor, Rest};

use crate::support::{Flag, WORD_TIMEOUT, Word, flags, rungs, word};

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
fn a_ladder_tells_which_layer_nobody_passes_without_a_request() {
    let (shown, talks) = (|| Flag::of("shown", "bob").step(), || Word::of("talks", "bob").step());
    let checked = || Flag::named("checked").step();
    let only = |rungs: Vec<Rung>| Ladder::new(rungs).unwrap().only_from_a_request();
    assert_eq!(Ladder::open_to_everyone().only_from_a_request(), None);
    assert_eq!(only(vec![Rung::One(checked()), Rung::One(talks())]), None, "one that proves nobody");
    assert_eq!(only(vec![Rung::One(checked()), Rung::One(shown()), Rung::One(talks())]), Some("shown"));
    assert_eq!(only(vec![Rung::Any(vec![vec![shown()], vec![talks()]])]), None, "there is a way round it");
    let no_way_round = vec![vec![shown(), talks()], vec![checked(), Flag::of("other", "eve").step()]];
    assert_eq!(only(vec![Rung::Any(no_way_round)]), Some("shown"));
    assert_eq!(only(vec![Rung::Optional(vec![Arc::new(Word::named("word"))])]), None);
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
