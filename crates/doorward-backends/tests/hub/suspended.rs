//! Members of a hub whose sockets are suspended.

use doorward_backends::hub;
use doorward_session::{OnLogout, SocketPolicy};
use doorward_types::CloseReason;
use serde_json::json;

use crate::{
    support::{climb, login, quiet, somebody},
    users::{enter, enter_with, hub as hub_of, over_a_pipe},
};

/// A policy under which sockets wait for a login to come back.
pub(crate) fn waiting() -> SocketPolicy {
    SocketPolicy { on_logout: OnLogout::Suspend, notices: Some(hub::notices()), ..quiet() }
}

#[tokio::test(start_paused = true)]
async fn a_suspended_member_hears_and_says_nothing_and_then_goes_on_with_its_subscriptions() {
    let world = over_a_pipe();
    let hub = hub_of(json!({"news": {"subscribe": "any", "publish": "any"}}));
    let mut bob = enter_with(&world, &hub, ("acme", "fancy"), login("bob", "s1"), waiting()).await;
    let mut eve = enter(&world, &hub, "acme", "fancy", somebody("eve")).await;
    bob.subscribes("news", None).await;
    eve.subscribes("news", None).await;
    drop(world.log_out("s1"));
    bob.hears(json!({"event": "suspended", "reason": "logged_out"})).await;

    bob.says(json!({"action": "publish", "channel": "news", "message": "from bob", "id": 1})).await;
    bob.hears(json!({"event": "error", "code": "suspended", "id": 1})).await;
    eve.says(json!({"action": "publish", "channel": "news", "message": "missed"})).await;
    eve.hears(json!({"event": "message", "channel": "news", "message": "missed"})).await;

    world.sockets.readmit(&bob.socket, climb(login("bob", "s2"), world.sockets.cursor()), vec![]).unwrap();
    bob.hears(json!({"event": "resumed", "gap": true})).await;
    eve.says(json!({"action": "publish", "channel": "news", "message": "heard"})).await;
    bob.hears(json!({"event": "message", "channel": "news", "message": "heard"})).await;
}

#[tokio::test(start_paused = true)]
async fn a_suspended_member_may_leave_and_one_that_makes_no_sense_is_ended() {
    let world = over_a_pipe();
    let hub = hub_of(json!({}));
    for (says, reason) in [(json!({"action": "logout"}), CloseReason::Normal), (json!([]), CloseReason::Malformed)] {
        let mut bob = enter_with(&world, &hub, ("acme", "fancy"), login("bob", &reason.to_string()), waiting()).await;
        drop(world.log_out(&reason.to_string()));
        bob.hears(json!({"event": "suspended", "reason": "logged_out"})).await;
        for _ in 0..3 {
            bob.peer.try_say(&says.to_string()).await;
        }
        if reason == CloseReason::Malformed {
            for _ in 0..3 {
                bob.hears(json!({"event": "error", "code": "malformed"})).await;
            }
        }
        bob.peer.hears_close(reason).await;
    }
}
