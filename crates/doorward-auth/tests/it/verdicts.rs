//! When a failed layer ends the climb, and what can be told from outside.

use std::sync::Arc;

use doorward_auth::{Ladder, Rung, Step, Verdict, trail::Outcome};
use doorward_testkit::World;

use crate::support::{Flag, Mute, Word, flags, rungs, word};

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
