//! Who may do what in a channel.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use doorward_auth::{Admission, Proof};
use doorward_backends::hub::{ChannelModel, ChannelRules, Hub, HubConfig, Permitted, Rule};
use doorward_wire::json::Inbound;
use serde_json::{Value, json};

use crate::{
    support::somebody,
    users::{enter, hub, over_a_pipe},
};

/// Allows what it is told to allow, and counts how often it was asked to act.
#[derive(Default)]
struct Counting {
    allows: bool,
    acted: Arc<AtomicUsize>,
}

impl ChannelModel for Counting {
    fn can_subscribe(&self, _: &Admission, _: &Inbound<'_>) -> Permitted {
        if self.allows { ["3", "4", "not: a pk"].into_iter().collect() } else { Permitted::NOTHING }
    }

    fn can_publish(&self, _: &Admission, message: &Inbound<'_>) -> bool {
        self.allows && message.pk.as_deref() == Some("3")
    }

    fn can_send(&self, _: &Admission, message: &Inbound<'_>) -> bool {
        self.allows && message.action == "rename"
    }

    fn on_message(&self, admission: &Admission, message: &Inbound<'_>) -> Option<String> {
        self.acted.fetch_add(1, Ordering::Relaxed);
        let who = &admission.subject()?.pk;
        Some(json!({"by": who, "to": serde_json::from_str::<Value>(message.message?.get()).ok()?}).to_string())
    }
}

fn requests(channel: &str) -> [Value; 4] {
    [
        json!({"action": "subscribe", "channel": channel}),
        json!({"action": "subscribe", "channel": channel, "pk": 3}),
        json!({"action": "publish", "channel": channel, "pk": 3, "message": 1}),
        json!({"action": "rename", "channel": channel, "pk": 3, "message": 1}),
    ]
}

#[tokio::test(start_paused = true)]
async fn c60_what_is_not_allowed_is_denied_in_the_same_words_and_no_hook_is_called() {
    let world = over_a_pipe();
    let acted = Arc::default();
    let hub = Hub::new(serde_json::from_value(json!({"channels": {"ruled": {}}})).unwrap())
        .with_channel("modelled".parse().unwrap(), Counting { allows: false, acted: Arc::clone(&acted) });
    let hub = Arc::new(hub);
    let mut user = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    let mut denials = Vec::new();
    for channel in ["unknown", "ruled", "modelled"] {
        for request in requests(channel) {
            user.says(request).await;
            denials.push(user.peer.hear().await);
        }
    }
    denials.dedup();
    assert_eq!(denials.len(), 1, "{denials:?}");
    assert!(format!("{denials:?}").contains("permission_denied"));
    assert_eq!(acted.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_model_says_which_objects_may_be_subscribed_to_and_answers_custom_actions() {
    let world = over_a_pipe();
    let acted = Arc::default();
    let hub =
        Hub::default().with_channel("group".parse().unwrap(), Counting { allows: true, acted: Arc::clone(&acted) });
    let mut user = enter(&world, &Arc::new(hub), "acme", "fancy", somebody("bob")).await;
    user.says(json!({"action": "subscribe", "channel": "group", "id": 1})).await;
    user.hears(json!({"event": "subscribed", "channel": "group", "pk": "3", "id": 1})).await;
    user.hears(json!({"event": "subscribed", "channel": "group", "pk": "4", "id": 1})).await;
    user.is_denied(json!({"action": "subscribe", "channel": "group", "pk": 5})).await;
    user.is_denied(json!({"action": "publish", "channel": "group", "pk": 4, "message": 1})).await;
    user.is_denied(json!({"action": "delete", "channel": "group", "pk": 3})).await;
    user.says(json!({"action": "rename", "channel": "group", "pk": 3, "message": "new", "id": 2})).await;
    user.hears(
        json!({"event": "message", "channel": "group", "pk": "3", "id": 2, "message": {"by": "bob", "to": "new"}}),
    )
    .await;
    user.says(json!({"action": "rename", "channel": "group", "pk": 3})).await;
    user.says(json!({"action": "publish", "channel": "group", "pk": 3, "message": 1})).await;
    user.hears(json!({"event": "message", "channel": "group", "pk": "3", "message": 1})).await;
    assert_eq!(acted.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_claim_lists_the_objects_that_it_opens() {
    let world = over_a_pipe();
    let rule = json!({"claim": "groups"});
    let hub = hub(json!({"group": {"subscribe": rule, "publish": rule, "custom": rule}}));
    let mut proof = somebody("bob");
    proof.claims.insert("groups".into(), vec!["3".into(), "x".into()]);
    let mut user = enter(&world, &hub, "acme", "fancy", proof).await;
    for request in requests("group") {
        let mut request = request;
        request["pk"] = 5.into();
        user.is_denied(request).await;
    }
    user.is_denied(json!({"action": "publish", "channel": "group", "message": 1})).await;
    user.says(json!({"action": "subscribe", "channel": "group"})).await;
    user.hears(json!({"event": "subscribed", "channel": "group", "pk": "3"})).await;
    user.hears(json!({"event": "subscribed", "channel": "group", "pk": "x"})).await;
    user.says(json!({"action": "publish", "channel": "group", "pk": "x", "message": 1})).await;
    user.hears(json!({"event": "message", "channel": "group", "pk": "x", "message": 1})).await;

    let mut other = enter(&world, &hub, "acme", "fancy", somebody("eve")).await;
    for request in requests("group") {
        other.is_denied(request).await;
    }
}

#[tokio::test(start_paused = true)]
async fn authenticated_means_proven_to_be_somebody() {
    let world = over_a_pipe();
    let hub = hub(json!({"news": {"subscribe": "any", "publish": "authenticated", "custom": "nobody"}}));
    let mut nobody = enter(&world, &hub, "acme", "fancy", Proof::default()).await;
    nobody.subscribes("news", None).await;
    nobody.is_denied(json!({"action": "publish", "channel": "news", "message": 1})).await;
    let mut bob = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    bob.says(json!({"action": "publish", "channel": "news", "message": 1, "id": 1})).await;
    bob.hears(json!({"event": "published", "id": 1})).await;
    nobody.hears(json!({"event": "message", "channel": "news", "message": 1})).await;
}

#[test]
fn a_configuration_is_read_as_it_is_written_in_the_manual() {
    let config: HubConfig = serde_json::from_value(json!({"channels": {
        "group": {"subscribe": {"claim": "groups"}, "publish": "authenticated"},
        "news": {"subscribe": "any"},
    }}))
    .unwrap();
    let group =
        ChannelRules { subscribe: Rule::Claim("groups".into()), publish: Rule::Authenticated, custom: Rule::Nobody };
    assert_eq!(config.channels["group"], group);
    assert_eq!(config.channels["news"].publish, Rule::Nobody);
    for wrong in [json!({"channel": {}}), json!({"channels": {"a:b": {}}}), json!({"channels": {"a": {"read": "any"}}})]
    {
        assert!(serde_json::from_value::<HubConfig>(wrong.clone()).is_err(), "{wrong}");
    }
}

/// Allows everything that is asked for by its own word.
struct ByWord;

impl ChannelModel for ByWord {
    fn can_subscribe(&self, _: &Admission, message: &Inbound<'_>) -> Permitted {
        if message.action == "subscribe" { ["3"].into_iter().collect() } else { Permitted::NOTHING }
    }

    fn can_publish(&self, _: &Admission, message: &Inbound<'_>) -> bool {
        message.action == "publish"
    }
}

#[tokio::test]
async fn whoever_asks_what_there_is_asks_a_model_in_the_words_of_whoever_does_it() {
    let world = over_a_pipe();
    let hub = Arc::new(Hub::default().with_channel("group".parse().unwrap(), ByWord));
    let bob = enter(&world, &hub, "acme", "fancy", somebody("bob")).await;
    let admission = bob.socket.admission();
    assert_eq!(hub.channels(&admission), ["group"]);
    assert_eq!(hub.objects(&admission, "group"), [None, Some("3".to_owned())]);
    assert!(hub.may_listen(&admission, "group", Some("3")) && hub.may_say(&admission, "group", Some("4")));
    assert!(!hub.may_listen(&admission, "group", Some("4")) && !hub.may_listen(&admission, "nothing", None));
}
