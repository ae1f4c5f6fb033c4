//! Alternatives of which one cannot be looked at: it may have been satisfied, so nobody is told that they were wrong.

use doorward_auth::{Ladder, Rung, Step};
use doorward_testkit::World;
use doorward_types::CloseReason;

use crate::support::{Down, Flag, Word, flags};

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
