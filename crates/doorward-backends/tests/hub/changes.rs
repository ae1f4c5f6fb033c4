//! A hub that is given other channels while sockets are in it.

use std::sync::Arc;

use doorward_auth::{Admission, Proof};
use doorward_backends::hub::{ChannelModel, Hub, Permitted};
use doorward_types::CloseReason;
use doorward_wire::json::Inbound;
use serde_json::{Value, json};

use crate::{
    support::{Heard, somebody},
    users::{User, enter, hub, over_a_pipe},
};

/// The rules that a hub is given, as a hub of their own.
fn rules(channels: Value) -> Hub {
    Hub::new(serde_json::from_value(json!({ "channels": channels })).unwrap())
}

fn in_groups(name: &str, groups: &[&str]) -> Proof {
    let groups = groups.iter().map(|&group| group.to_owned()).collect();
    Proof { claims: [("groups".to_owned(), groups)].into(), ..somebody(name) }
}

async fn is_told_to_come_again(user: &mut User) {
    user.peer.hears_close(CloseReason::Restart).await;
    assert_eq!(user.peer.hear().await, Heard::End);
}

#[tokio::test(start_paused = true)]
async fn who_is_subscribed_stays_so_and_hears_whoever_comes_after_the_change() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any"}}));
    let mut before = enter(&world, &hub, "acme", "fancy", somebody("ann")).await;
    before.subscribes("news", Some("3")).await;
    before.is_denied(json!({"action": "publish", "channel": "news", "pk": 3, "message": 0})).await;
    before.is_denied(json!({"action": "subscribe", "channel": "more"})).await;
    let change = json!({"news": {"subscribe": "any", "publish": "authenticated"}, "more": {"subscribe": "any"}});
    assert_eq!(hub.change_to(rules(change)), 0);
    let mut after = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    after.says(json!({"action": "publish", "channel": "news", "pk": 3, "message": 1, "id": 1})).await;
    after.hears(json!({"event": "published", "id": 1})).await;
    before.hears(json!({"event": "message", "channel": "news", "pk": "3", "message": 1})).await;
    before.subscribes("more", None).await;
}

#[tokio::test(start_paused = true)]
async fn a_lower_limit_of_subscriptions_ends_none_and_lets_none_be_added() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any"}}));
    let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    for pk in ["1", "2", "3"] {
        user.subscribes("news", Some(pk)).await;
    }
    assert_eq!(hub.change_to(rules(json!({"news": {"subscribe": "any"}})).with_at_most(2)), 0);
    user.subscribes("news", Some("3")).await;
    user.says(json!({"action": "subscribe", "channel": "news", "pk": 4})).await;
    user.hears(json!({"event": "error", "code": "too_many_subscriptions"})).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_subscribed_to_what_is_no_longer_allowed_is_told_to_come_again_and_the_others_stay() {
    let world = over_a_pipe();
    let hub = hub(json!({"group": {"subscribe": "any"}, "gone": {"subscribe": "any"}, "news": {"subscribe": "any"}}));
    let mut users = Vec::new();
    for (name, groups, channel, pk) in [
        ("of group 3", &["3"][..], "group", Some("3")),
        ("of group 4", &["4"], "group", Some("3")),
        ("of the whole channel", &["3"], "group", None),
        ("of what is gone", &["3"], "gone", None),
        ("of the news", &[], "news", None),
    ] {
        let mut user = enter(&world, &hub, "acme", "fancy", in_groups(name, groups)).await;
        user.subscribes(channel, pk).await;
        users.push(user);
    }
    let [stays, other, whole, gone, news] = &mut users[..] else { unreachable!() };
    whole.subscribes("group", Some("5")).await;
    let change = json!({"group": {"subscribe": {"claim": "groups"}}, "news": {"subscribe": "any"}});
    assert_eq!(hub.change_to(rules(change)), 3, "one with two seats ends once");
    for user in [other, whole, gone] {
        is_told_to_come_again(user).await;
    }
    stays.subscribes("group", Some("3")).await;
    news.subscribes("news", Some("1")).await;
}

/// Allows everything, once.
struct Once(std::sync::atomic::AtomicBool);

impl ChannelModel for Once {
    fn can_subscribe(&self, _: &Admission, _: &Inbound<'_>) -> Permitted {
        let again = self.0.swap(true, std::sync::atomic::Ordering::Relaxed);
        if again { Permitted::NOTHING } else { Permitted::WhatWasAskedFor }
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_stays_is_not_asked_again() {
    let world = over_a_pipe();
    let once: Arc<dyn ChannelModel> = Arc::new(Once(false.into()));
    let with_it = || Hub::default().with_model("seats".parse().unwrap(), Arc::clone(&once));
    let hub = Arc::new(with_it());
    let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    user.subscribes("seats", Some("12")).await;
    assert_eq!(hub.change_to(with_it()), 0);
    user.is_denied(json!({"action": "subscribe", "channel": "seats", "pk": 13})).await;
    let another = Hub::default().with_channel("seats".parse().unwrap(), Once(true.into()));
    assert_eq!(hub.change_to(another), 1);
    is_told_to_come_again(&mut user).await;
}
