//! What happens to the socket, seen from the file server.

use std::sync::Arc;

use doorward_session::{OnLogout, SocketPolicy, Target};
use doorward_types::{CloseReason, Rest, Timestamp};
use doorward_wire::ninep::{Fid, OpenMode, Reply, Request, Tag};

use crate::{
    clients::{VERSION, Way, clunk, enter, enter_by, read, walk, world, write},
    paper::Paper,
    support::{climb_at, log_out, login, quiet},
};

#[tokio::test(start_paused = true)]
async fn a_login_that_ends_while_a_read_waits_ends_the_connection_and_the_read() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter_by(&world, paper.clone(), Way { proof: login("bob", "s1"), ..Way::of("bob") }).await;
    client.begins().await;
    client.opens(1, &["blocked"], OpenMode::READ).await;
    client.asks(5, read(1, 0, 10)).await;
    client.does(walk(0, 2, &[])).await;
    drop(world.sockets.end(None, &Target::Rest(Rest::on("sid", "s1")), CloseReason::SessionEnded));
    client.hears_close(CloseReason::SessionEnded).await;
    paper.dropped.notified().await;
    drop(client.stream);
    client.over.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_tree_ends_that_socket_alone() {
    struct Broken;
    impl doorward_backends::ninep::Tree for Broken {
        fn root(&self, _: &Arc<doorward_session::Socket>) -> Option<Arc<dyn doorward_backends::ninep::Node>> {
            panic!("on purpose")
        }
    }
    let world = world();
    let mut other = enter(&world, Paper::default()).await;
    let mut client = enter(&world, Broken).await;
    client.does(VERSION).await;
    client.asks(1, crate::clients::ATTACH).await;
    client.hears_close(CloseReason::InternalError).await;
    other.begins().await;
}

#[tokio::test(start_paused = true)]
async fn a_suspended_socket_reads_and_changes_nothing_and_goes_on_with_what_it_had() {
    let world = world();
    let paper = Paper::default();
    let policy = SocketPolicy { on_logout: OnLogout::Suspend, ..quiet() };
    let way = Way { proof: login("bob", "s1"), policy, ..Way::of("bob") };
    let mut client = enter_by(&world, paper.clone(), way).await;
    client.begins().await;
    paper.through.add_permits(2);
    client.opens(1, &["slow"], OpenMode::READ_WRITE).await;
    client.opens(2, &["note"], OpenMode::READ_WRITE).await;
    client.opens(3, &["note"], OpenMode::READ.removing_on_close()).await;
    client.opens(4, &["blocked"], OpenMode::READ).await;
    client.does(walk(0, 6, &["note"])).await;
    client.asks(5, read(1, 0, 10)).await;
    client.asks(6, read(4, 0, 10)).await;
    client.does(walk(0, 5, &[])).await;
    drop(world.log_out("s1"));

    // What has become ready waits.
    paper.through.add_permits(1);
    client.is_refused(read(2, 0, 10), "suspended").await;
    client.is_refused(write(2, 0, b"x"), "suspended").await;
    client.is_refused(walk(0, 7, &[]), "suspended").await;
    client.is_refused(crate::clients::ATTACH, "suspended").await;
    // What lets go of something is done, and what would remove something is not.
    client.does(clunk(2)).await;
    client.is_refused(clunk(3), "suspended").await;
    client.is_refused(Request::Remove { fid: Fid(6) }, "suspended").await;
    client.asks(7, Request::Flush { old: Tag(6) }).await;
    client.hears(7, Reply::Flush).await;
    assert_eq!(paper.files.lock().unwrap()["note"], "hello");

    let again = climb_at("acme", "files", login("bob", "s2"), world.sockets.cursor());
    world.sockets.readmit(&client.socket, again, vec![]).unwrap();
    assert_eq!(client.hear_reply().await.data(), b"later");
    for gone in [2, 3, 6] {
        client.is_refused(clunk(gone), "unknown fid").await;
    }
    client.does(clunk(5)).await;
}

/// A tree at whose root the login ends: between a request and its answer.
struct Ends(Paper);

impl doorward_backends::ninep::Tree for Ends {
    fn root(&self, socket: &Arc<doorward_session::Socket>) -> Option<Arc<dyn doorward_backends::ninep::Node>> {
        drop(log_out(socket.sockets(), Timestamp::from_secs(1000), "s1"));
        self.0.root(socket)
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_a_suspension_overtakes_comes_when_it_is_over_unless_it_was_flushed_or_all_was() {
    for meanwhile in [None, Some(Request::Flush { old: Tag(5) }), Some(VERSION)] {
        let world = world();
        let policy = SocketPolicy { on_logout: OnLogout::Suspend, ..quiet() };
        let way = Way { proof: login("bob", "s1"), policy, ..Way::of("bob") };
        let mut client = enter_by(&world, Ends(Paper::default()), way).await;
        client.does(VERSION).await;
        client.asks(5, crate::clients::ATTACH).await;
        client.is_refused(read(0, 0, 1), "suspended").await;
        if let Some(asked) = meanwhile {
            client.does(asked).await;
        }
        let again = climb_at("acme", "files", login("bob", "s2"), world.sockets.cursor());
        world.sockets.readmit(&client.socket, again, vec![]).unwrap();
        if meanwhile.is_none() {
            let told = client.hear_reply().await;
            assert!(told.tag() == Tag(5) && matches!(told.reply(), Reply::Attach { .. }), "{told:?}");
        }
        client.does(VERSION).await;
    }
}
