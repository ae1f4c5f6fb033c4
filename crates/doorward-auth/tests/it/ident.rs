use doorward_auth::{Ladder, Level};
use doorward_testkit::{World, script};
use doorward_types::CloseReason;
use serde_json::json;

use crate::support::ladder;

const SOURCE: &str = include_str!("../../src/layers/conversation/ident.rs");

fn glyph(world: &World) -> Ladder {
    ladder(world, json!({ "ident": { "glyph": "☂" } }))
}

fn question(world: &World) -> Ladder {
    ladder(
        world,
        json!({ "ident": { "glyph": "☂", "question": "What falls here?", "answers": ["Rain", "It rains  "] } }),
    )
}

#[tokio::test(start_paused = true)]
async fn the_gate_shows_its_glyph_and_the_user_agrees() {
    let world = World::new();
    for yes in ["yes", "true"] {
        let mut peer = world.knock(&glyph(&world), World::handshake()).await.unwrap();
        let told = peer.play("< tell ident: socket shows glyph").await.unwrap();
        assert_eq!(told.shown("glyph"), "☂");
        let talk = format!(
            "< ask ident: user accepts glyph\n> {{\"kind\":\"ident\",\"accept\":\"{yes}\"}}\n< admitted nobody"
        );
        let admission = peer.play(&talk).await.unwrap().admission.unwrap();
        assert_eq!(admission.level(), Level::None, "it proves nobody");
        assert_eq!(peer.steps(), script::steps_of(SOURCE));
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_does_not_recognise_the_gate_leaves_in_the_ordinary_way() {
    let world = World::new();
    for (said, reason) in [
        ("no", CloseReason::Declined),
        ("false", CloseReason::Declined),
        ("maybe", CloseReason::NotAuthenticated),
        ("", CloseReason::NotAuthenticated),
        ("YES", CloseReason::NotAuthenticated),
    ] {
        let mut peer = world.knock(&glyph(&world), World::handshake()).await.unwrap();
        let talk =
            format!("< tell ident: socket shows glyph\n< ask ident: user accepts glyph\n> {{\"accept\":\"{said}\"}}");
        peer.play(&talk).await;
        assert_eq!(peer.hear().await.refusal.unwrap().close_reason(), reason, "{said}");
        assert_eq!(peer.steps(), script::steps_of(SOURCE));
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_refused_at_the_limit() {
    let world = World::new();
    let mut peer = world.knock(&glyph(&world), World::handshake()).await.unwrap();
    peer.play("< tell ident: socket shows glyph\n< ask ident: user accepts glyph\n< refused too_slow").await;
}

#[tokio::test(start_paused = true)]
async fn a_question_takes_any_of_its_answers_without_case() {
    let world = World::new();
    for (said, admitted) in [
        ("rain", true),
        ("RAIN", true),
        ("  Rain ", true),
        ("it rains", true),
        ("rai", false),
        ("rain rain", false),
        ("", false),
        ("snow", false),
    ] {
        let mut peer = world.knock(&question(&world), World::handshake()).await.unwrap();
        peer.play("< tell ident: socket shows glyph\n< ask ident: user accepts glyph\n> {\"accept\":\"yes\"}").await;
        let asked = peer.play("< ask ident: user answers question").await.unwrap();
        assert_eq!(asked.shown("question"), "What falls here?");
        peer.play(&format!("> {{\"answer\":\"{said}\"}}")).await;
        assert_eq!(peer.hear().await.admission.is_some(), admitted, "{said}");
        assert_eq!(peer.steps(), script::scripts_of(SOURCE).concat(), "{said}");
    }
}
