//! The tree `channels`.

use std::sync::Arc;

use doorward_auth::Proof;
use doorward_backends::{
    hub::{Hub, HubConfig},
    ninep::trees::{Channels, Root},
};
use doorward_session::{Backend as _, Limits as SocketLimits, Line, OnLogout, Socket, SocketPolicy};
use doorward_types::{CloseReason, GateName, OwnerId, Rest};
use doorward_wire::ninep::{OpenMode, Reply, Request, Tag};
use serde_json::{Value, json, value::RawValue};

use crate::{
    clients::{Client, Way, clunk, enter, enter_by, open, read, walk, world, write},
    support::{Peer, World, climb_at, login, quiet, somebody},
};

fn hub(channels: Value) -> Arc<Hub> {
    Arc::new(Hub::new(serde_json::from_value::<HubConfig>(json!({ "channels": channels })).unwrap()))
}

fn tree(hub: &Arc<Hub>) -> Root {
    Root::default().with("channels", Channels::of(Arc::clone(hub)))
}

fn open_to_all() -> Arc<Hub> {
    hub(json!({"news": {"subscribe": "any", "publish": "any"}}))
}

/// Publishes as the application does.
fn publishes(world: &World, hub: &Hub, pk: Option<&str>, message: &str) -> usize {
    let (owner, gate) = (OwnerId::new("acme"), GateName::new("files"));
    let message = RawValue::from_string(message.to_owned()).unwrap();
    hub.publish(&world.sockets, &owner, &gate, &"news".parse().unwrap(), pk, &message)
}

/// A subscriber of the hub's own protocol at the same gate.
async fn subscriber(world: &World, hub: &Arc<Hub>) -> (Peer, Arc<Socket>) {
    let (transport, mut peer) = world.stream(64 * 1024).await;
    let line = Line::new(Arc::clone(&transport), Vec::new(), 4096);
    let admission = climb_at("acme", "files", somebody("ann"), world.sockets.cursor());
    let socket = world.sockets.register(admission, transport, quiet()).unwrap();
    drop(tokio::spawn(Arc::clone(hub).serve(Arc::clone(&socket), line)));
    peer.say(r#"{"action":"subscribe","channel":"news","pk":3}"#).await;
    peer.hears(r#"{"event":"subscribed","channel":"news","pk":"3"}"#).await;
    (peer, socket)
}

fn in_groups(name: &str, groups: &[&str]) -> Proof {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Proof { claims: [("groups".to_owned(), groups)].into(), ..somebody(name) }
}

async fn begins(world: &World, hub: &Arc<Hub>) -> Client {
    let mut client = enter(world, tree(hub)).await;
    client.begins().await;
    client
}

#[tokio::test(start_paused = true)]
async fn a_read_waits_for_the_next_message_and_a_write_reaches_readers_and_subscribers_alike() {
    let (world, hub) = (world(), open_to_all());
    let (mut ann, _socket) = subscriber(&world, &hub).await;
    let mut reader = begins(&world, &hub).await;
    let mut writer = begins(&world, &hub).await;
    assert_eq!(publishes(&world, &hub, Some("3"), "\"before\""), 1);
    ann.hears(r#"{"event":"message","channel":"news","pk":"3","message":"before"}"#).await;
    reader.opens(1, &["channels", "news", "3"], OpenMode::READ).await;
    reader.asks(5, read(1, 0, 4096)).await;
    writer.opens(1, &["channels", "news", "3"], OpenMode::WRITE).await;
    let told = writer.does(write(1, 77, b" {\"a\":\t1} \n")).await;
    assert_eq!(told.reply(), Reply::Write { count: 11 });
    ann.hears("{\"event\":\"message\",\"channel\":\"news\",\"pk\":\"3\",\"message\":{\"a\":\t1}}").await;
    assert_eq!(reader.hear_reply().await.data(), b"{\"a\":\t1}\n");
    // And what a subscriber says comes to the reader, in order, one message with each read.
    for number in 1..=3 {
        ann.say(&format!(r#"{{"action":"publish","channel":"news","pk":3,"message":{number},"id":0}}"#)).await;
        ann.hears(&format!(r#"{{"event":"message","channel":"news","pk":"3","message":{number}}}"#)).await;
        ann.hears(r#"{"event":"published","id":0}"#).await;
    }
    for expected in ["1\n", "2\n", "3\n"] {
        assert_eq!(reader.reads(1).await, expected);
    }
    // To another object nothing comes.
    reader.opens(2, &["channels", "news", ":whole"], OpenMode::READ).await;
    publishes(&world, &hub, Some("3"), "4");
    publishes(&world, &hub, None, "5");
    assert_eq!((reader.reads(2).await, reader.reads(1).await), ("5\n".into(), "4\n".into()));
}

#[tokio::test(start_paused = true)]
async fn two_reads_that_wait_get_one_message_each_and_a_long_one_comes_in_parts() {
    let (world, hub) = (world(), open_to_all());
    let mut client = begins(&world, &hub).await;
    client.opens(1, &["channels", "news", "3"], OpenMode::READ).await;
    client.asks(5, read(1, 0, 4)).await;
    client.asks(6, read(1, 0, 4)).await;
    client.does(walk(0, 7, &[])).await;
    publishes(&world, &hub, Some("3"), "\"long\"");
    let (first, second) = (client.hear_reply().await, client.hear_reply().await);
    assert_eq!(
        (first.tag(), first.data(), second.tag(), second.data()),
        (Tag(5), &b"\"lon"[..], Tag(6), &b"g\"\n"[..])
    );
    assert_eq!(client.does(read(1, 0, 0)).await.data(), b"");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_flushed_loses_no_message() {
    let (world, hub) = (world(), open_to_all());
    let mut client = begins(&world, &hub).await;
    client.opens(1, &["channels", "news", "3"], OpenMode::READ).await;
    client.asks(5, read(1, 0, 100)).await;
    client.asks(6, Request::Flush { old: Tag(5) }).await;
    client.hears(6, Reply::Flush).await;
    assert_eq!(publishes(&world, &hub, Some("3"), "1"), 1);
    assert_eq!(client.reads(1).await, "1\n");
}

#[tokio::test(start_paused = true)]
async fn whoever_has_clunked_or_is_gone_listens_no_more() {
    let (world, hub) = (world(), open_to_all());
    let mut client = begins(&world, &hub).await;
    client.opens(1, &["channels", "news", "3"], OpenMode::READ).await;
    client.opens(2, &["channels", "news", "3"], OpenMode::READ_WRITE).await;
    client.opens(3, &["channels", "news", "3"], OpenMode::WRITE).await;
    assert_eq!(publishes(&world, &hub, Some("3"), "1"), 2);
    client.asks(5, read(1, 0, 100)).await;
    assert_eq!(client.hear_reply().await.data(), b"1\n");
    client.asks(5, read(1, 0, 100)).await;
    client.asks(6, clunk(1)).await;
    client.hears_error(5, "fid was clunked").await;
    client.hears(6, Reply::Clunk).await;
    assert_eq!(publishes(&world, &hub, Some("3"), "1"), 1);
    client.asks(5, read(2, 0, 100)).await;
    client.socket.end(CloseReason::SessionEnded);
    client.hears_close(CloseReason::SessionEnded).await;
    drop(client.stream);
    client.over.await.unwrap();
    assert_eq!(publishes(&world, &hub, Some("3"), "1"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_rules_of_the_channels_say_who_may_and_what_they_do_not_allow_is_not_there() {
    let world = world();
    let claim = json!({"claim": "groups"});
    let hub = hub(json!({
        "group": {"subscribe": claim, "publish": claim}, "read": {"subscribe": "any"}, "write": {"publish": "any"},
        "shut": {}, "other": {"subscribe": {"claim": "others"}},
    }));
    let mut client =
        enter_by(&world, tree(&hub), Way { proof: in_groups("bob", &["3", "4", "a/b", ".."]), ..Way::of("bob") }).await;
    client.begins().await;
    assert_eq!(client.lists(&["channels"]).await, ["group", "read", "write"]);
    assert_eq!(client.lists(&["channels", "group"]).await, ["3", "4"]);
    assert_eq!(client.lists(&["channels", "read"]).await, [":whole"]);
    assert_eq!(client.lists(&["channels", "write"]).await, [":whole"]);
    client.opens(1, &["channels", "group", "3"], OpenMode::READ_WRITE).await;
    client.opens(2, &["channels", "read", "any"], OpenMode::READ).await;
    client.opens(3, &["channels", "write", "any"], OpenMode::WRITE).await;
    // What is denied and what does not exist are told in the same words.
    let nowhere = ["shut", "other", "nothing"].map(|channel| [channel, "3"]);
    for [channel, pk] in nowhere.into_iter().chain([["group", "5"], ["group", ":whole"], ["read", "a*"], ["read", "."]])
    {
        client.does(walk(0, 9, &["channels", channel])).await;
        client.is_refused(walk(9, 10, &[pk]), "file not found").await;
        client.does(clunk(9)).await;
        if !["group", "read"].contains(&channel) {
            assert_eq!(client.lists(&["channels", channel]).await, [""; 0]);
        }
    }
    client.does(walk(0, 9, &["channels"])).await;
    for name in ["a*", "a:b", ".", "[x]", ":whole", "a\u{7f}"] {
        client.is_refused(walk(9, 10, &[name]), "file not found").await;
    }
    for (path, mode) in [
        (["channels", "read", "any"], OpenMode::WRITE),
        (["channels", "read", "any"], OpenMode::READ_WRITE),
        (["channels", "write", "any"], OpenMode::READ),
        (["channels", "write", "any"], OpenMode::READ_WRITE),
        (["channels", "group", "3"], OpenMode::READ.removing_on_close()),
    ] {
        client.does(walk(0, 11, &path)).await;
        client.is_refused(open(11, mode), "permission denied").await;
        client.does(clunk(11)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_is_not_published_and_no_text_becomes_another_request() {
    let (world, hub) = (world(), hub(json!({"news": {"subscribe": "any", "publish": {"claim": "groups"}}})));
    let mut way = Way::of("bob");
    way.proof = in_groups("bob", &["3"]);
    let mut client = enter_by(&world, tree(&hub), way).await;
    client.begins().await;
    client.opens(1, &["channels", "news", "3"], OpenMode::WRITE).await;
    client.opens(2, &["channels", "news", "4"], OpenMode::READ).await;
    let not_json: [&[u8]; 7] = [b"", b"hello", b"1 2", b"1,\"pk\":\"4\"", b"{\"a\":", b"\xff", b"1}"];
    for data in not_json {
        client.is_refused(write(1, 0, data), "a message is JSON, whole in one write").await;
    }
    let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
    client.is_refused(write(1, 0, deep.as_bytes()), "`message` is nested deeper than 63").await;
    let told = client.told(write(1, 0, br#""\ud800""#)).await;
    assert!(told.error().is_some_and(|text| text.starts_with("`message` has half a character")), "{told:?}");
    client.does(write(1, 0, b"1")).await;
    client.asks(5, read(2, 0, 100)).await;
    publishes(&world, &hub, Some("4"), "\"the first\"");
    assert_eq!(client.hear_reply().await.data(), b"\"the first\"\n");
}

#[tokio::test(start_paused = true)]
async fn where_too_much_waits_the_oldest_goes_and_the_reader_is_told_once() {
    for (limits, padding) in [
        (SocketLimits { outbox_messages: 4, ..quiet().limits }, 0),
        (SocketLimits { outbox_bytes: 8000, ..quiet().limits }, 1990),
    ] {
        let (world, hub) = (world(), open_to_all());
        let policy = SocketPolicy { limits, ..quiet() };
        let message = |number| format!("\"{number}{}\"", "x".repeat(padding));
        let mut client = enter_by(&world, tree(&hub), Way { policy, ..Way::of("bob") }).await;
        client.begins().await;
        client.opens(1, &["channels", "news", "3"], OpenMode::READ).await;
        for number in 0..9 {
            publishes(&world, &hub, Some("3"), &message(number));
        }
        client.is_refused(read(1, 0, 100), "messages were lost").await;
        for number in 5..9 {
            assert_eq!(client.reads(1).await, message(number) + "\n");
        }
        // The room is there again.
        publishes(&world, &hub, Some("3"), &message(9));
        assert_eq!(client.reads(1).await, message(9) + "\n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_for_which_there_is_no_room_at_all_is_told_to_be_lost() {
    let (world, hub) = (world(), open_to_all());
    let policy = SocketPolicy { limits: SocketLimits { outbox_bytes: 1000, ..quiet().limits }, ..quiet() };
    let mut client = enter_by(&world, tree(&hub), Way { policy, ..Way::of("bob") }).await;
    client.begins().await;
    client.opens(1, &["channels", "news", "3"], OpenMode::READ).await;
    client.asks(5, read(1, 0, 100)).await;
    client.does(walk(0, 2, &[])).await;
    publishes(&world, &hub, Some("3"), &"1".repeat(1000));
    client.hears_error(5, "messages were lost").await;
}

#[tokio::test(start_paused = true)]
async fn all_channels_that_one_connection_reads_share_its_room_and_their_number_has_a_bound() {
    let (world, hub) = (
        world(),
        Arc::new(
            Hub::new(serde_json::from_value(json!({"channels": {"news": {"subscribe": "any"}}})).unwrap())
                .with_at_most(3),
        ),
    );
    let policy = SocketPolicy { limits: SocketLimits { outbox_messages: 4, ..quiet().limits }, ..quiet() };
    let mut client = enter_by(&world, tree(&hub), Way { policy, ..Way::of("bob") }).await;
    client.begins().await;
    for fid in 1..=3 {
        client.opens(fid, &["channels", "news", &fid.to_string()], OpenMode::READ).await;
    }
    client.does(walk(0, 4, &["channels", "news", "4"])).await;
    client.is_refused(open(4, OpenMode::READ), "too many channels are open").await;
    client.does(clunk(3)).await;
    client.does(open(4, OpenMode::READ)).await;
    for pk in ["1", "1", "2", "2", "4"] {
        publishes(&world, &hub, Some(pk), pk);
    }
    client.is_refused(read(4, 0, 100), "messages were lost").await;
    // To clunk gives the room back.
    client.does(clunk(1)).await;
    publishes(&world, &hub, Some("4"), "4");
    assert_eq!((client.reads(4).await, client.reads(2).await), ("4\n".into(), "2\n".into()));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_reader_gets_nothing_of_what_waited_or_came_meanwhile_and_then_goes_on() {
    let (world, hub) = (world(), open_to_all());
    let policy = SocketPolicy { on_logout: OnLogout::Suspend, ..quiet() };
    let way = Way { proof: login("bob", "s1"), policy, ..Way::of("bob") };
    let mut client = enter_by(&world, tree(&hub), way).await;
    client.begins().await;
    client.opens(1, &["channels", "news", "3"], OpenMode::READ).await;
    publishes(&world, &hub, Some("3"), "\"waited\"");
    drop(world.log_out("s1"));
    publishes(&world, &hub, Some("3"), "\"missed\"");
    client.is_refused(read(1, 0, 100), "suspended").await;
    publishes(&world, &hub, Some("3"), "\"missed to the last\"");
    let again = climb_at("acme", "files", login("bob", "s2"), world.sockets.cursor());
    world.sockets.readmit(&client.socket, again, vec![]).unwrap();
    client.asks(5, read(1, 0, 100)).await;
    client.does(walk(0, 2, &[])).await;
    publishes(&world, &hub, Some("3"), "\"heard\"");
    assert_eq!(client.hear_reply().await.data(), b"\"heard\"\n");
}

#[tokio::test(start_paused = true)]
async fn c5_a_reader_whose_new_login_allows_less_hears_no_more() {
    let world = world();
    let claim = json!({"claim": "groups"});
    let hub = hub(json!({"news": {"subscribe": claim, "publish": claim}}));
    let with = |sid: &str, groups: &[&str]| Proof { rests_on: vec![Rest::on("sid", sid)], ..in_groups("bob", groups) };
    let policy = SocketPolicy { on_logout: OnLogout::Suspend, ..quiet() };
    let mut client =
        enter_by(&world, tree(&hub), Way { proof: with("s1", &["3", "4"]), policy, ..Way::of("bob") }).await;
    client.begins().await;
    client.opens(1, &["channels", "news", "3"], OpenMode::READ_WRITE).await;
    client.opens(2, &["channels", "news", "4"], OpenMode::READ_WRITE).await;
    for (tag, fid) in [(5, 1), (6, 2)] {
        client.asks(tag, read(fid, 0, 100)).await;
    }
    client.does(walk(0, 9, &[])).await;
    drop(world.log_out("s1"));
    let again = climb_at("acme", "files", with("s2", &["4"]), world.sockets.cursor());
    world.sockets.readmit(&client.socket, again, vec![]).unwrap();
    publishes(&world, &hub, Some("3"), "\"secret\"");
    publishes(&world, &hub, Some("4"), "\"for all\"");
    client.hears_error(5, "permission denied").await;
    let told = client.hear_reply().await;
    assert_eq!((told.tag(), told.data()), (Tag(6), &b"\"for all\"\n"[..]));
    client.is_refused(read(1, 0, 100), "permission denied").await;
    client.is_refused(write(1, 0, b"1"), "permission denied").await;
}

#[tokio::test(start_paused = true)]
async fn c5_rules_that_allow_no_reading_any_more_end_the_readers_socket() {
    let (world, hub) = (world(), open_to_all());
    let mut reader = begins(&world, &hub).await;
    let mut writer = begins(&world, &hub).await;
    reader.opens(1, &["channels", "news", "3"], OpenMode::READ).await;
    writer.opens(1, &["channels", "news", "3"], OpenMode::WRITE).await;
    assert_eq!(hub.change_to(Hub::default()), 1);
    reader.hears_close(CloseReason::Restart).await;
    writer.is_refused(write(1, 0, b"1"), "permission denied").await;
}
