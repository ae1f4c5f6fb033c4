//! Members who are asked again over their open sockets.

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    Again, Ask, BoxFuture, Claimant, Climb, Conversation, Layer, OnExpiry, Proof, Refusal, Resume, ports::Clock,
};
use doorward_backends::hub;
use doorward_session::{OnLogout, Renewal, Renews, Socket, SocketPolicy};
use doorward_types::{CloseReason, Timestamp, TraceId};
use serde_json::json;

use crate::{
    support::{Heard, Wall, World, login, quiet},
    users::{User, enter_with, hub as hub_of, over_a_pipe},
};

/// Wants a word, and proves bob by the login of that name.
struct Word;

impl Layer for Word {
    fn name(&self) -> &'static str {
        "test"
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let ask = Ask::for_fields(&["sid"], Duration::from_secs(10));
            let answer = conversation.ask("user sends sid", ask).await?;
            let sid = answer.text("sid", "test").unwrap_or_default().to_owned();
            conversation.require("socket requires sid", sid.starts_with('s'), "wrong")?;
            claimant.prove("test", Timestamp::from_secs(1003), until(3600, &sid))
        })
    }
}

struct OneWord;

impl Renews for OneWord {
    fn climb(&self, socket: &Arc<Socket>, layers: &[&str]) -> Option<Climb> {
        (layers == ["test"]).then(|| {
            let clock: Arc<dyn Clock> = Arc::new(Wall::at(1_003_000));
            let again = vec![Again { of: "test", by: Arc::new(Word) }];
            let (trace, as_of) = (TraceId::from_bytes([3; 16]), socket.sockets().cursor());
            Climb::resume(&socket.admission(), Resume { trace, again, as_of, clock })
        })
    }
}

/// Bob's login, which expires so many seconds after the tests begin.
fn until(seconds: u64, sid: &str) -> Proof {
    let expires_at = Some(Timestamp::from_secs(1000 + seconds));
    Proof { expires_at, on_expiry: OnExpiry::Reauth, ..login("bob", sid) }
}

async fn bob(world: &World) -> User {
    let renewal = Some(Renewal { grace: Duration::from_secs(30), by: Arc::new(OneWord) });
    let (on_logout, notices) = (OnLogout::Suspend, Some(hub::notices()));
    let policy = SocketPolicy { renewal, on_logout, notices, ..quiet() };
    let hub = hub_of(json!({"news": {"subscribe": "any", "publish": "any"}}));
    enter_with(world, &hub, ("acme", "fancy"), until(3, "s1"), policy).await
}

async fn is_asked(world: &World, bob: &mut User) {
    world.wall.forward(Duration::from_secs(3));
    let ask = json!({"event": "ask", "layer": "test", "step": "user sends sid", "fields": ["sid"], "expires_in": 10});
    bob.hears(ask).await;
}

#[tokio::test(start_paused = true)]
async fn c8_whoever_answers_when_the_proof_has_expired_goes_on_and_rests_on_the_new_one() {
    let world = over_a_pipe();
    let mut bob = bob(&world).await;
    is_asked(&world, &mut bob).await;
    bob.subscribes("news", None).await;
    bob.says(json!({"action": "auth", "kind": "test", "sid": "s2"})).await;
    assert_eq!(bob.hears_something().await["event"], "admitted");
    world.wall.forward(Duration::from_secs(60));
    bob.says(json!({"action": "publish", "channel": "news", "message": "hi"})).await;
    bob.hears(json!({"event": "message", "channel": "news", "message": "hi"})).await;
    let info = &world.sockets.list(None, 1)[0];
    assert_eq!((info.sid.as_deref(), info.expires_at), (Some("s2"), Some(Timestamp::from_secs(4600))));
}

#[tokio::test(start_paused = true)]
async fn c8_whoever_does_not_answer_ends_when_the_grace_is_over() {
    let world = over_a_pipe();
    let mut bob = bob(&world).await;
    is_asked(&world, &mut bob).await;
    bob.hears(json!({"event": "error", "code": "too_slow"})).await;
    world.wall.forward(Duration::from_secs(29));
    bob.subscribes("news", None).await;
    world.wall.forward(Duration::from_secs(1));
    bob.peer.hears_close(CloseReason::Expired).await;
}

#[tokio::test(start_paused = true)]
async fn the_third_wrong_answer_ends_the_socket() {
    let world = over_a_pipe();
    let mut bob = bob(&world).await;
    for _ in 0..2 {
        bob.says(json!({"action": "auth", "kind": "test", "sid": "wrong"})).await;
        assert_eq!(bob.hears_something().await["event"], "ask");
        bob.hears(json!({"event": "error", "code": "not_authenticated"})).await;
    }
    bob.says(json!({"action": "auth", "kind": "test", "sid": "wrong"})).await;
    assert_eq!(bob.hears_something().await["event"], "ask");
    bob.peer.hears_close(CloseReason::NotAuthenticated).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_login_shown_over_a_suspended_socket_brings_it_back_and_an_ended_one_does_not() {
    let world = over_a_pipe();
    let mut bob = bob(&world).await;
    drop(world.log_out("s1"));
    bob.hears(json!({"event": "suspended", "reason": "logged_out"})).await;
    bob.says(json!({"action": "auth", "kind": "test"})).await;
    assert_eq!(bob.hears_something().await["event"], "ask");
    bob.says(json!({"action": "auth", "kind": "test", "sid": "s2"})).await;
    bob.hears(json!({"event": "resumed"})).await;
    assert_eq!(bob.hears_something().await["event"], "admitted");
    drop(world.log_out("s2"));
    bob.hears(json!({"event": "suspended", "reason": "logged_out"})).await;
    bob.says(json!({"action": "auth", "kind": "test"})).await;
    assert_eq!(bob.hears_something().await["event"], "ask");
    bob.says(json!({"action": "auth", "kind": "test", "sid": "s1"})).await;
    bob.peer.hears_close(CloseReason::SessionEnded).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_not_and_a_second_answer_before_the_first_was_heard_is_malformed() {
    let world = over_a_pipe();
    let mut bob = bob(&world).await;
    bob.says(json!({"action": "auth", "kind": "other", "id": 7})).await;
    bob.hears(json!({"event": "error", "code": "not_supported", "id": 7})).await;
    let answer = json!({"action": "auth", "kind": "test", "sid": "s2"}).to_string();
    let twice =
        [answer.as_bytes(); 2].map(|text| crate::support::masked(doorward_wire::websocket::frame::Opcode::Text, text));
    bob.peer.write(&twice.concat()).await;
    bob.hears(json!({"event": "error", "code": "malformed"})).await;
    assert_eq!(bob.hears_something().await["event"], "ask");
    assert_eq!(bob.hears_something().await["event"], "admitted");
    bob.says(json!({"action": "logout"})).await;
    bob.peer.hears_close(CloseReason::Normal).await;
    assert_eq!(bob.peer.hear().await, Heard::End);
}
