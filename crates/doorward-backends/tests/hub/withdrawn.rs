//! Members whose next admission allows less than the one before.

use std::{sync::Arc, time::Duration};

use doorward_auth::{
    Again, Ask, BoxFuture, Claimant, Climb, Conversation, Layer, OnExpiry, Proof, Refusal, Resume, ports::Clock,
};
use doorward_backends::hub;
use doorward_session::{OnLogout, Renewal, Renews, Socket, SocketPolicy};
use doorward_types::{Timestamp, TraceId};
use serde_json::{Value, json};

use crate::{
    support::{Wall, World, login, quiet, somebody},
    users::{User, enter, enter_with, hub as hub_of, over_a_pipe},
};

/// Proves bob by a login of its own, and the groups that he names.
struct Groups;

fn in_groups(sid: &str, groups: &str) -> Proof {
    let groups = groups.split(' ').map(str::to_owned).collect();
    let claims = [("groups".to_owned(), groups)].into();
    Proof { expires_at: Some(Timestamp::from_secs(1003)), on_expiry: OnExpiry::Reauth, claims, ..login("bob", sid) }
}

impl Layer for Groups {
    fn name(&self) -> &'static str {
        "test"
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let ask = Ask::for_fields(&["groups"], Duration::from_secs(10));
            let answer = conversation.ask("user sends groups", ask).await?;
            let groups = answer.text("groups", "test").unwrap_or_default().to_owned();
            let expires_at = Some(Timestamp::from_secs(2000));
            claimant.prove("test", Timestamp::from_secs(1003), Proof { expires_at, ..in_groups("s2", &groups) })
        })
    }
}

struct ByGroups;

impl Renews for ByGroups {
    fn climb(&self, socket: &Arc<Socket>, _: &[&str]) -> Option<Climb> {
        let clock: Arc<dyn Clock> = Arc::new(Wall::at(1_003_000));
        let again = vec![Again { of: "test", by: Arc::new(Groups) }];
        let (trace, as_of) = (TraceId::from_bytes([3; 16]), socket.sockets().cursor());
        Some(Climb::resume(&socket.admission(), Resume { trace, again, as_of, clock }))
    }
}

/// Bob, who is subscribed to groups 3 and 4 and to the news, and eve, who publishes everywhere.
async fn members(world: &World) -> (User, User) {
    let any = json!({"subscribe": "any", "publish": "any"});
    let hub = hub_of(json!({"group": {"subscribe": {"claim": "groups"}, "publish": "any"}, "news": any}));
    let renewal = Some(Renewal { grace: Duration::from_secs(30), by: Arc::new(ByGroups) });
    let (on_logout, notices) = (OnLogout::Suspend, Some(hub::notices()));
    let policy = SocketPolicy { renewal, on_logout, notices, ..quiet() };
    let mut bob = enter_with(world, &hub, ("acme", "fancy"), in_groups("s1", "3 4"), policy).await;
    bob.subscribes("group", Some("3")).await;
    bob.subscribes("group", Some("4")).await;
    bob.subscribes("news", None).await;
    (bob, enter(world, &hub, "acme", "fancy", somebody("eve")).await)
}

async fn publishes(eve: &mut User, channel: &str, pk: Option<&str>) {
    let mut message = json!({"action": "publish", "channel": channel, "message": "hi", "id": 1});
    if let Some(pk) = pk {
        message["pk"] = pk.into();
    }
    eve.says(message).await;
    eve.hears(json!({"event": "published", "id": 1})).await;
}

/// What bob has lost is told once, and nothing of it comes any more; what is left goes on.
async fn has_lost_group_3(bob: &mut User, eve: &mut User) {
    for (channel, pk) in [("group", Some("3")), ("group", Some("4")), ("news", None)] {
        publishes(eve, channel, pk).await;
    }
    bob.hears(json!({"event": "message", "channel": "group", "pk": "4", "message": "hi"})).await;
    bob.hears(json!({"event": "message", "channel": "news", "message": "hi"})).await;
    bob.is_denied(json!({"action": "subscribe", "channel": "group", "pk": 3})).await;
    bob.subscribes("group", Some("4")).await;
}

fn shown(groups: &str) -> Value {
    json!({"action": "auth", "kind": "test", "groups": groups})
}

#[tokio::test(start_paused = true)]
async fn c5_what_a_new_admission_does_not_allow_is_told_once_and_heard_no_more() {
    let world = over_a_pipe();
    let (mut bob, mut eve) = members(&world).await;
    world.wall.forward(Duration::from_secs(3));
    assert_eq!(bob.hears_something().await["event"], "ask");
    bob.says(shown("4 5")).await;
    bob.hears(json!({"event": "unsubscribed", "channel": "group", "pk": "3"})).await;
    assert_eq!(bob.hears_something().await["event"], "admitted");
    has_lost_group_3(&mut bob, &mut eve).await;
    bob.subscribes("group", Some("5")).await;
}

#[tokio::test(start_paused = true)]
async fn c5_a_suspended_socket_comes_back_without_what_its_new_login_does_not_allow() {
    let world = over_a_pipe();
    let (mut bob, mut eve) = members(&world).await;
    drop(world.log_out("s1"));
    bob.hears(json!({"event": "suspended", "reason": "logged_out"})).await;
    publishes(&mut eve, "group", Some("3")).await;
    bob.says(shown("4")).await;
    assert_eq!(bob.hears_something().await["event"], "ask");
    bob.hears(json!({"event": "unsubscribed", "channel": "group", "pk": "3"})).await;
    bob.hears(json!({"event": "resumed", "gap": true})).await;
    assert_eq!(bob.hears_something().await["event"], "admitted");
    has_lost_group_3(&mut bob, &mut eve).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_allowed_as_much_as_before_keeps_every_subscription() {
    let world = over_a_pipe();
    let (mut bob, mut eve) = members(&world).await;
    bob.says(shown("3 4")).await;
    for expected in ["ask", "admitted"] {
        assert_eq!(bob.hears_something().await["event"], expected);
    }
    publishes(&mut eve, "group", Some("3")).await;
    bob.hears(json!({"event": "message", "channel": "group", "pk": "3", "message": "hi"})).await;
}
