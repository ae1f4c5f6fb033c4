//! Users of a hub who speak Socket.IO.

use std::sync::Arc;

use doorward_auth::{Admission, Proof};
use doorward_backends::hub::{ChannelModel, ChannelRules, Events, Hub, Permitted, Rule};
use doorward_types::{CloseReason, GateName, OwnerId};
use doorward_wire::{
    engineio::Revision,
    json::Inbound,
    socketio::{Emitted, Namespace, Namespaces},
    websocket::frame::Opcode,
};

use crate::{
    support::{Heard, World, climb, login, somebody, waiting},
    users::{User, enter, enter_with, over_a_pipe},
};

const DEFAULT: &str = "/default";

/// Hears everybody, and answers with what it was told.
struct Project;

impl ChannelModel for Project {
    fn can_subscribe(&self, _: &Admission, message: &Inbound<'_>) -> Permitted {
        match message.pk.as_deref() {
            Some("secret") => Permitted::NOTHING,
            _ => Permitted::WhatWasAskedFor,
        }
    }

    fn can_send(&self, _: &Admission, message: &Inbound<'_>) -> bool {
        message.action != "forbidden"
    }

    fn on_message(&self, _: &Admission, message: &Inbound<'_>) -> Option<String> {
        let bytes: usize = message.attachments.iter().map(Vec::len).sum();
        Some(format!(r#"{{"{}":{},"bytes":{bytes}}}"#, message.action, message.message?.get()))
    }
}

fn hub() -> Arc<Hub> {
    Arc::new(Hub::default().of_events().with_channel(DEFAULT.parse().unwrap(), Project))
}

fn events(hub: &Arc<Hub>, connected: &[&str]) -> Arc<Events> {
    let names = [DEFAULT.to_owned(), "/other".to_owned()];
    Arc::new(Events {
        hub: Arc::clone(hub),
        revision: Revision::Four,
        namespaces: Arc::new(Namespaces::new(&names).unwrap()),
        connected: connected.iter().map(|name| (*name).to_owned()).collect(),
    })
}

async fn join(world: &World, hub: &Arc<Hub>, connected: &[&str], proof: Proof) -> User {
    enter(world, &events(hub, connected), "acme", "ui", proof).await
}

/// One in `/default` whose login has ended, and may come back.
async fn join_and_wait(world: &World, hub: &Arc<Hub>) -> User {
    let mut bob = enter_with(world, &events(hub, &[DEFAULT]), ("acme", "fancy"), login("bob", "s1"), waiting()).await;
    is_logged_out(world, &mut bob, "s1").await;
    bob
}

async fn is_logged_out(world: &World, user: &mut User, sid: &str) {
    drop(world.log_out(sid));
    user.peer.hears("suspended: logged out").await;
}

async fn comes_back(world: &World, user: &mut User, sid: &str) {
    world.sockets.readmit(&user.socket, climb(login("bob", sid), world.sockets.cursor()), vec![]).unwrap();
    user.peer.hears("resumed").await;
}

/// Says that an attachment follows, and waits until that was heard.
async fn announces_an_attachment(user: &mut User) {
    user.peer.say(r#"451-/default,8["upload",{"_placeholder":true,"num":0}]"#).await;
    user.peer.frame(Opcode::Ping, b"heard?").await;
    assert_eq!(user.peer.hear().await, Heard::Pong("heard?".into()));
}

fn emit(world: &World, hub: &Hub, room: Option<&str>, name: &str, argument: &str) -> usize {
    let arguments = format!("[{argument}]");
    let event = Emitted::new(name, serde_json::from_str(&arguments).unwrap()).unwrap();
    let gate = (OwnerId::new("acme"), GateName::new("ui"));
    let place = (Namespace::new(DEFAULT).unwrap(), room);
    hub.emit(&world.sockets, (&gate.0, &gate.1), place, &event)
}

#[tokio::test]
async fn what_is_emitted_comes_to_everybody_in_the_namespace_as_one_event() {
    let (world, hub) = (over_a_pipe(), hub());
    let mut ann = join(&world, &hub, &[DEFAULT], somebody("ann")).await;
    let mut bob = join(&world, &hub, &[DEFAULT], somebody("bob")).await;
    let mut eve = join(&world, &hub, &["/other"], somebody("eve")).await;
    assert_eq!(emit(&world, &hub, None, "projectChanged", r#"{"id": 7}"#), 2);
    for user in [&mut ann, &mut bob] {
        user.peer.hears(r#"42/default,["projectChanged",{"id": 7}]"#).await;
    }
    eve.peer.say("40/other,").await;
    eve.peer.say("42/other,[\"doorward\",{\"action\":\"subscribe\",\"channel\":\"/other\"}]").await;
    let Heard::Text(text) = eve.peer.hear().await else { panic!("no text") };
    assert!(text.starts_with(r#"42/other,["doorward",{"event":"error","code":"permission_denied""#), "{text}");
}

#[tokio::test]
async fn an_event_goes_to_the_model_of_its_namespace_and_the_answer_into_its_acknowledgement() {
    let (world, hub) = (over_a_pipe(), hub());
    let mut ann = join(&world, &hub, &[DEFAULT], somebody("ann")).await;
    ann.peer.say(r#"42/default,7["bind",{"id":1},[2]]"#).await;
    ann.peer.hears(r#"43/default,7[{"bind":[{"id":1},[2]],"bytes":0}]"#).await;
    ann.peer.say(r#"451-/default,8["upload",{"_placeholder":true,"num":0}]"#).await;
    ann.peer.frame(Opcode::Binary, &[1, 2, 3]).await;
    ann.peer.hears(r#"43/default,8[{"upload":[{"_placeholder":true,"num":0}],"bytes":3}]"#).await;
}

#[tokio::test]
async fn an_event_that_is_denied_is_not_acknowledged() {
    let (world, hub) = (over_a_pipe(), hub());
    let mut ann = join(&world, &hub, &[DEFAULT, "/other"], somebody("ann")).await;
    for event in [r#"42/default,7["forbidden"]"#, r#"42/other,7["bind"]"#] {
        ann.peer.say(event).await;
        let Heard::Text(text) = ann.peer.hear().await else { panic!("no text") };
        assert!(text.contains(r#""code":"permission_denied""#), "{text}");
    }
}

#[tokio::test]
async fn an_event_in_a_namespace_that_the_user_is_not_in_reaches_nobody() {
    let (world, hub) = (over_a_pipe(), hub());
    let mut ann = join(&world, &hub, &["/other"], somebody("ann")).await;
    ann.peer.say(r#"42/default,7["bind"]"#).await;
    ann.peer.say("40/nowhere,").await;
    ann.peer.hears(r#"44/nowhere,{"message":"Invalid namespace"}"#).await;
}

#[tokio::test]
async fn a_room_is_an_object_of_the_namespace_and_its_rules_apply() {
    let (world, hub) = (over_a_pipe(), hub());
    let mut ann = join(&world, &hub, &[DEFAULT], somebody("ann")).await;
    let ask =
        |room: &str| format!(r#"42/default,["doorward",{{"action":"subscribe","channel":"/default","pk":"{room}"}}]"#);
    ann.peer.say(&ask("secret")).await;
    let Heard::Text(text) = ann.peer.hear().await else { panic!("no text") };
    assert!(text.contains(r#""code":"permission_denied""#), "{text}");
    assert_eq!(emit(&world, &hub, Some("secret"), "x", "1"), 0);
    ann.peer.say(&ask("red")).await;
    ann.peer.hears(r#"42/default,["doorward",{"event":"subscribed","channel":"/default","pk":"red"}]"#).await;
    assert_eq!(emit(&world, &hub, Some("red"), "x", "1"), 1);
    ann.peer.hears(r#"42/default,["x",1]"#).await;
    ann.peer.say("41/default,").await;
    ann.peer.say("40/other,").await;
    ann.peer.hears(&format!(r#"40/other,{{"sid":"{}"}}"#, ann.socket.id())).await;
    assert_eq!(emit(&world, &hub, Some("red"), "x", "1"), 0, "whoever leaves a namespace leaves its rooms");
    assert_eq!(emit(&world, &hub, None, "x", "1"), 0);
}

#[tokio::test]
async fn whoever_was_let_in_before_it_was_in_a_namespace_is_told_so_there() {
    let (world, hub) = (over_a_pipe(), hub());
    let mut ann = join(&world, &hub, &[], somebody("ann")).await;
    ann.peer.say("40/default,").await;
    ann.peer.hears(&format!(r#"40/default,{{"sid":"{}"}}"#, ann.socket.id())).await;
    ann.peer.hears(r#"42/default,["authenticated",true]"#).await;
}

#[tokio::test]
async fn what_is_no_packet_ends_the_socket() {
    for nonsense in ["", "x", "49", "42[", r#"42["connect"]"#, r#"451-["a"]"#] {
        let (world, hub) = (over_a_pipe(), hub());
        let mut ann = join(&world, &hub, &[DEFAULT], somebody("ann")).await;
        ann.peer.say(nonsense).await;
        ann.peer.hears_close(CloseReason::Malformed).await;
    }
}

#[tokio::test]
async fn of_a_channel_that_is_no_namespace_a_user_hears_in_the_root() {
    let world = over_a_pipe();
    let rules = ChannelRules { subscribe: Rule::Any, publish: Rule::Any, ..ChannelRules::default() };
    let hub = Arc::new(Hub::default().of_events().with_channel("news".parse().unwrap(), rules));
    let mut ann = join(&world, &hub, &["/"], somebody("ann")).await;
    ann.peer.say(r#"42["doorward",{"action":"subscribe","channel":"news"}]"#).await;
    ann.peer.hears(r#"42["doorward",{"event":"subscribed","channel":"news"}]"#).await;
    ann.peer.say(r#"42["doorward",{"action":"publish","channel":"news","message":[1]}]"#).await;
    ann.peer.hears(r#"42["doorward",{"event":"message","channel":"news","message":[1]}]"#).await;
}

/// What is said of an event that comes to nothing.
async fn hears_that_nothing_is_done(user: &mut User) {
    let Heard::Text(text) = user.peer.hear().await else { panic!("no text") };
    assert!(text.starts_with(r#"42/default,["doorward",{"event":"error","code":"suspended""#), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_suspended_user_is_told_that_nothing_is_done_and_may_leave() {
    for leaves in [r#"42/default,["doorward",{"action":"logout"}]"#, "1"] {
        let (world, hub) = (over_a_pipe(), hub());
        let mut bob = join_and_wait(&world, &hub).await;
        bob.peer.say("40/other,").await;
        bob.peer.hears(r#"44/other,{"message":"Suspended"}"#).await;
        bob.peer.say(r#"42/default,7["bind"]"#).await;
        hears_that_nothing_is_done(&mut bob).await;
        bob.peer.say(r#"42/default,["doorward",{"action":"subscribe","channel":"/default","id":8}]"#).await;
        let Heard::Text(text) = bob.peer.hear().await else { panic!("no text") };
        assert!(text.starts_with(r#"42/default,["doorward",{"event":"error","id":8,"code":"suspended""#), "{text}");
        bob.peer.say(leaves).await;
        bob.peer.hears_close(CloseReason::Normal).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_attachment_is_put_to_its_packet_also_where_a_suspension_begins_or_ends_between_the_two() {
    let (world, hub) = (over_a_pipe(), hub());
    let mut bob = join_and_wait(&world, &hub).await;
    announces_an_attachment(&mut bob).await;
    comes_back(&world, &mut bob, "s2").await;
    bob.peer.frame(Opcode::Binary, &[1, 2, 3]).await;
    bob.peer.hears(r#"43/default,8[{"upload":[{"_placeholder":true,"num":0}],"bytes":3}]"#).await;

    announces_an_attachment(&mut bob).await;
    is_logged_out(&world, &mut bob, "s2").await;
    bob.peer.frame(Opcode::Binary, &[1, 2, 3]).await;
    hears_that_nothing_is_done(&mut bob).await;
    bob.peer.say("40/other,").await;
    bob.peer.hears(r#"44/other,{"message":"Suspended"}"#).await;
    comes_back(&world, &mut bob, "s3").await;
    bob.peer.say(r#"42/default,9["bind"]"#).await;
    bob.peer.hears(r#"43/default,9[{"bind":[],"bytes":0}]"#).await;
}
