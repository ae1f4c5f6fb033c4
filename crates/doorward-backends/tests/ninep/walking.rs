//! From place to place.

use doorward_wire::ninep::{Fid, OpenMode, Qid, Reply, Request};

use crate::{
    clients::{Client, clunk, enter, open, read, request, walk, world},
    paper::Paper,
};

async fn qids(client: &mut Client, asked: Request<'_>) -> Vec<Qid> {
    let told = client.does(asked).await;
    let Reply::Walk { qids } = told.reply() else { panic!("{told:?}") };
    qids.to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_walk_comes_as_far_as_there_is_something_and_arrives_where_it_comes_through() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    client.is_refused(walk(0, 1, &["nothing"]), "file not found").await;
    client.is_refused(clunk(1), "unknown fid").await;
    assert_eq!(qids(&mut client, walk(0, 1, &["drawer", "drawer", "nothing", "note"])).await.len(), 2);
    client.is_refused(clunk(1), "unknown fid").await;
    assert_eq!(qids(&mut client, walk(0, 1, &["note", "note"])).await.len(), 1);
    client.is_refused(clunk(1), "unknown fid").await;
    let down = qids(&mut client, walk(0, 1, &["drawer", "drawer"])).await;
    assert_eq!(qids(&mut client, walk(1, 1, &[])).await, []);
    assert_eq!(qids(&mut client, walk(1, 2, &["..", "drawer"])).await[1], down[1]);
    client.is_refused(walk(9, 10, &[]), "unknown fid").await;
    client.is_refused(walk(1, 2, &[]), "duplicate fid").await;
    client.is_refused(walk(1, 2, &["note"]), "duplicate fid").await;
    client.is_refused(walk(1, u32::MAX, &[]), "unknown fid").await;
}

#[tokio::test(start_paused = true)]
async fn a_walk_in_place_that_does_not_come_through_leaves_the_fid_where_it_was() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    assert_eq!(qids(&mut client, walk(0, 0, &["drawer", "nothing"])).await.len(), 1);
    client.is_refused(walk(0, 0, &["nothing"]), "file not found").await;
    client.does(walk(0, 0, &["note"])).await;
    client.is_refused(walk(0, 1, &["note"]), "walk in non-directory").await;
    client.is_refused(walk(0, 1, &[".."]), "walk in non-directory").await;
}

#[tokio::test(start_paused = true)]
async fn c63_above_the_root_there_is_the_root() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    let all = qids(&mut client, walk(0, 1, &["..", "..", "drawer", "..", "..", ".."])).await;
    assert_eq!((all[0], all[5]), (all[1], all[0]));
    client.does(walk(1, 2, &["note"])).await;
}

#[tokio::test(start_paused = true)]
async fn c63_a_name_with_a_slash_and_one_without_a_letter_lead_nowhere() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    for names in [&["drawer/note"][..], &["/"], &["../etc"], &["drawer", "a/b"], &["note/"], &[""], &["drawer", ""]] {
        client.is_refused(walk(0, 1, names), "bad character in file name").await;
        client.is_refused(clunk(1), "unknown fid").await;
    }
    for name in ["a/b", "", ".", ".."] {
        let create = Request::Create { fid: Fid(0), name, permissions: 0o600, mode: OpenMode::WRITE };
        client.is_refused(create, "bad character in file name").await;
    }
}

#[tokio::test(start_paused = true)]
async fn c63_a_walk_of_seventeen_names_is_refused_and_one_of_sixteen_is_not() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    let mut message = request(3, &walk(0, 1, &["drawer"; 16]));
    message.extend(b"\x06\x00drawer");
    message[15] = 17;
    message[0] = message.len() as u8;
    client.sends(&message).await;
    client.hears_error(3, "a walk of 17 names; 16 are the most").await;
    assert_eq!(qids(&mut client, walk(0, 1, &["drawer"; 16])).await.len(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_place_lies_no_deeper_than_the_limit() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    for _ in 0..4 {
        client.does(walk(0, 0, &["drawer"; 16])).await;
    }
    client.is_refused(walk(0, 0, &["drawer"]), "file not found").await;
    client.does(walk(0, 0, &[".."])).await;
}

#[tokio::test(start_paused = true)]
async fn an_open_fid_cannot_be_walked() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    client.opens(1, &["drawer"], OpenMode::READ).await;
    client.is_refused(walk(1, 2, &["note"]), "cannot walk an open fid").await;
    client.is_refused(walk(1, 2, &[]), "cannot walk an open fid").await;
}

#[tokio::test(start_paused = true)]
async fn while_a_walk_is_on_its_way_its_fid_is_reserved_and_leads_nowhere() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    client.asks(5, walk(0, 1, &["drawer", "slow"])).await;
    client.is_refused(walk(0, 1, &[]), "duplicate fid").await;
    client.is_refused(open(1, OpenMode::READ), "unknown fid").await;
    client.is_refused(clunk(1), "unknown fid").await;
    client.asks(6, walk(0, 0, &["slow"])).await;
    client.is_refused(read(0, 0, 1), "fid is busy").await;
    paper.through.add_permits(2);
    assert!(matches!(client.hear_reply().await.reply(), Reply::Walk { qids } if qids.len() == 2));
    assert!(matches!(client.hear_reply().await.reply(), Reply::Walk { qids } if qids.len() == 1));
    paper.through.add_permits(1);
    client.does(open(1, OpenMode::READ)).await;
}
