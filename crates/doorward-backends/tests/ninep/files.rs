//! Opening, reading, writing, creating, removing.

use doorward_backends::ninep::trees::{Root, Session};
use doorward_wire::ninep::{DIRECTORY, Data, Fid, OpenMode, Reply, Request, Stat};

use crate::{
    clients::{Way, clunk, enter, enter_by, names, open, read, walk, world, write},
    paper::Paper,
};

fn create(fid: u32, name: &str) -> Request<'_> {
    Request::Create { fid: Fid(fid), name, permissions: 0o600, mode: OpenMode::READ_WRITE }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_written_made_and_removed() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    client.opens(1, &["note"], OpenMode::READ_WRITE).await;
    assert_eq!(client.does(read(1, 1, 3)).await.data(), b"ell");
    assert_eq!(client.does(read(1, 5, 3)).await.data(), b"");
    assert_eq!(client.does(read(1, u64::MAX, u32::MAX)).await.data(), b"");
    assert!(matches!(client.does(write(1, 0, b"bye")).await.reply(), Reply::Write { count: 3 }));
    assert_eq!(client.reads(1).await, "bye");

    client.does(walk(0, 2, &[])).await;
    client.is_refused(create(2, "note"), "file already exists").await;
    client.does(create(2, "new")).await;
    client.does(write(2, 0, b"text")).await;
    assert_eq!(client.reads(2).await, "text");
    client.does(Request::Remove { fid: Fid(2) }).await;
    client.is_refused(clunk(2), "unknown fid").await;
    client.is_refused(walk(0, 2, &["new"]), "file not found").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_open_or_not_for_that_is_neither_read_nor_written() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    client.does(walk(0, 1, &["note"])).await;
    client.is_refused(read(1, 0, 1), "file not open for reading").await;
    client.is_refused(write(1, 0, b"x"), "file not open for writing").await;
    client.is_refused(open(1, OpenMode(0x20)), "unknown open mode").await;
    client.is_refused(open(1, OpenMode(0x80)), "unknown open mode").await;
    client.does(open(1, OpenMode::WRITE.truncating())).await;
    client.is_refused(open(1, OpenMode::READ), "file already open for I/O").await;
    client.is_refused(read(1, 0, 1), "file not open for reading").await;
    client.opens(2, &["note"], OpenMode::EXECUTE).await;
    client.is_refused(write(2, 0, b"x"), "file not open for writing").await;
    client.does(read(2, 0, 1)).await;
    client.is_refused(create(2, "x"), "file already open for I/O").await;
    client.does(walk(0, 3, &["note"])).await;
    client.is_refused(create(3, "x"), "create in non-directory").await;
    for unknown in [read(8, 0, 1), write(8, 0, b""), open(8, OpenMode::READ), create(8, "x"), clunk(8)] {
        client.is_refused(unknown, "unknown fid").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_directory_is_only_read_and_none_is_made_or_removed_where_that_is_the_root() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    for mode in [OpenMode::WRITE, OpenMode::READ_WRITE, OpenMode::READ.truncating(), OpenMode::READ.removing_on_close()]
    {
        client.is_refused(open(0, mode), "is a directory").await;
    }
    let make = Request::Create { fid: Fid(0), name: "d", permissions: DIRECTORY | 0o700, mode: OpenMode::READ };
    client.is_refused(make, "create prohibited").await;
    client.does(walk(0, 1, &[])).await;
    client.is_refused(Request::Remove { fid: Fid(1) }, "remove prohibited").await;
    client.is_refused(clunk(1), "unknown fid").await;
}

#[tokio::test(start_paused = true)]
async fn a_directory_is_read_in_whole_records_from_where_the_last_read_ended() {
    let world = world();
    let paper = Paper::default().with_entries(10);
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    client.opens(1, &["drawer"], OpenMode::READ).await;
    client.is_refused(read(1, 1, 4096), "bad offset").await;
    let (mut offset, mut seen) = (0, Vec::new());
    loop {
        let told = client.does(read(1, offset, 150)).await;
        if told.data().is_empty() {
            break;
        }
        assert!(told.data().len() <= 150);
        let read_now = names(told.data());
        assert_eq!(read_now.len(), 2, "as many as fit");
        offset += told.data().len() as u64;
        seen.extend(read_now);
        for wrong in [1, offset - 1, offset + 1, u64::MAX] {
            client.is_refused(read(1, wrong, 150), "bad offset").await;
        }
        // What comes meanwhile is seen by whoever begins anew.
        *paper.entries.lock().unwrap() = 3;
    }
    assert_eq!(seen, (0..10).map(|number| format!("sheet {number}")).collect::<Vec<_>>());
    assert_eq!(names(client.does(read(1, 0, 4096)).await.data()).len(), 3);
    client.is_refused(read(1, 0, 20), "an entry has more bytes than that").await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_opened_to_be_removed_on_close_is_removed_by_the_clunk_and_by_nothing_else() {
    let world = world();
    let paper = Paper::default();
    let has = |name: &str| paper.files.lock().unwrap().contains_key(name);
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    client.opens(1, &["note"], OpenMode::READ.removing_on_close()).await;
    client.does(clunk(1)).await;
    assert!(!has("note"));
    client.is_refused(clunk(1), "unknown fid").await;
    client.does(walk(0, 1, &[])).await;
    client
        .does(Request::Create { fid: Fid(1), name: "a", permissions: 0, mode: OpenMode::READ.removing_on_close() })
        .await;
    client.does(crate::clients::VERSION).await;
    assert!(has("a"));
}

#[tokio::test(start_paused = true)]
async fn a_clunk_or_a_remove_that_fails_frees_the_fid_all_the_same() {
    let world = world();
    let paper = Paper::default();
    let mut client = enter(&world, paper.clone()).await;
    client.begins().await;
    client.opens(1, &["note"], OpenMode::READ.removing_on_close()).await;
    client.does(walk(0, 2, &["note"])).await;
    paper.files.lock().unwrap().clear();
    client.is_refused(clunk(1), "file not found").await;
    client.is_refused(Request::Remove { fid: Fid(2) }, "file not found").await;
    client.is_refused(clunk(1), "unknown fid").await;
    client.is_refused(clunk(2), "unknown fid").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_file_is_its_users_and_cannot_be_changed() {
    let world = world();
    let mut client = enter(&world, Paper::default()).await;
    client.begins().await;
    client.does(walk(0, 1, &["note"])).await;
    let told = client.does(Request::Stat { fid: Fid(1) }).await;
    let Reply::Stat { stat } = told.reply() else { panic!("{told:?}") };
    assert_eq!((stat.name, stat.owner, stat.group, stat.mode), ("note", "bob", "bob", 0o600));
    let told = client.does(Request::Stat { fid: Fid(0) }).await;
    let Reply::Stat { stat } = told.reply() else { panic!("{told:?}") };
    assert_eq!((stat.name, stat.mode & DIRECTORY), ("/", DIRECTORY));

    for (fid, stat) in [
        (1, Stat { name: "other", ..Stat::UNTOUCHED }),
        (1, Stat { mode: 0o777, ..Stat::UNTOUCHED }),
        (1, Stat { written_at: 0, ..Stat::UNTOUCHED }),
        (1, Stat { length: 1, ..Stat::UNTOUCHED }),
        (0, Stat { length: 0, ..Stat::UNTOUCHED }),
    ] {
        client.is_refused(Request::Wstat { fid: Fid(fid), stat }, "wstat prohibited").await;
    }
    for stat in [Stat::UNTOUCHED, Stat { length: 0, ..Stat::UNTOUCHED }] {
        assert!(matches!(client.does(Request::Wstat { fid: Fid(1), stat }).await.reply(), Reply::Wstat));
    }
}

#[tokio::test(start_paused = true)]
async fn c63_no_answer_is_larger_than_what_was_agreed_on() {
    let world = world();
    let paper = Paper::default();
    paper.files.lock().unwrap().insert("note".into(), "x".repeat(10_000));
    // Whose name stands in each stat record three times.
    let mut client = enter_by(&world, paper, Way::of(&"b".repeat(160))).await;
    client.does(Request::Version { msize: 512, version: "9P2000" }).await;
    client.does(crate::clients::ATTACH).await;
    client.opens(1, &["note"], OpenMode::READ).await;
    for count in [488, 512, 4096, u32::MAX] {
        assert_eq!(client.does(read(1, 0, count)).await.data().len(), 488);
    }
    client.is_refused(Request::Stat { fid: Fid(1) }, "msize is too small").await;
}

#[tokio::test(start_paused = true)]
async fn the_file_session_says_who_is_there_and_by_what() {
    let world = world();
    let mut client = enter(&world, Root::default().with("session", Session)).await;
    client.begins().await;
    assert_eq!(client.lists(&[]).await, ["session"]);
    client.opens(1, &["session"], OpenMode::READ).await;
    let text = "subject member:bob bob\ngate files\nsince 1970-01-01T00:00:00.000Z\nexpires never\nlayers test\n";
    let since = client.socket.admission().first_at().to_string();
    let text = text.replace("1970-01-01T00:00:00.000Z", &since);
    assert_eq!(client.reads(1).await, text);
    assert_eq!(client.does(read(1, 8, 10)).await.reply(), Reply::Read { data: Data(b"member:bob") });
    let told = client.does(Request::Stat { fid: Fid(1) }).await;
    assert!(matches!(told.reply(), Reply::Stat { stat } if stat.length == text.len() as u64 && stat.mode == 0o400));
    client.does(walk(0, 2, &["session"])).await;
    client.is_refused(open(2, OpenMode::WRITE), "permission denied").await;
    client.is_refused(open(2, OpenMode::READ.removing_on_close()), "permission denied").await;
    client.is_refused(Request::Remove { fid: Fid(2) }, "remove prohibited").await;
    let create = Request::Create { fid: Fid(0), name: "x", permissions: 0, mode: OpenMode::READ };
    client.is_refused(create, "create prohibited").await;
}
