//! Requests at random: nothing panics, the limits hold, and each is answered once unless it was taken back.

use std::collections::BTreeMap;

use doorward_backends::ninep::Limits;
use doorward_wire::ninep::{Fid, OpenMode, Reply, Request, Stat, Tag};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    clients::{Heard, Told, VERSION, Way, clunk, enter_by, open, read, request, walk, world, write},
    paper::Paper,
};

const FIDS: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    Ask(Box<Request<'static>>),
    Flush(u16),
    LetThrough,
}

impl Step {
    fn ask(asked: Request<'static>) -> Self {
        Self::Ask(Box::new(asked))
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let fid = 0..8_u32;
    let names = vec(select(vec!["note", "slow", "blocked", "drawer", "..", "nothing", "a/b"]), 0..4);
    let mode = select(vec![0, 1, 2, 3, 0x10, 0x40, 0x41, 0x20]).prop_map(OpenMode);
    let offset = select(vec![0, 1, 63, 126, u64::MAX]);
    let count = select(vec![0, 1, 64, 200, u32::MAX]);
    prop_oneof![
        4 => (fid.clone(), fid.clone(), names).prop_map(|(one, new, names)| {
            Step::ask(Request::Walk { fid: Fid(one), new: Fid(new), names: doorward_wire::ninep::Few::new(&names).unwrap() })
        }),
        3 => (fid.clone(), mode.clone()).prop_map(|(fid, mode)| Step::ask(open(fid, mode))),
        3 => (fid.clone(), offset, count).prop_map(|(fid, offset, count)| Step::ask(read(fid, offset, count))),
        2 => fid.clone().prop_map(|fid| Step::ask(write(fid, 0, b"text"))),
        2 => (fid.clone(), mode).prop_map(|(fid, mode)| {
            Step::ask(Request::Create { fid: Fid(fid), name: "new", permissions: 0o600, mode })
        }),
        2 => fid.clone().prop_map(|fid| Step::ask(clunk(fid))),
        1 => fid.clone().prop_map(|fid| Step::ask(Request::Remove { fid: Fid(fid) })),
        1 => fid.clone().prop_map(|fid| Step::ask(Request::Stat { fid: Fid(fid) })),
        1 => fid.clone().prop_map(|fid| Step::ask(Request::Wstat { fid: Fid(fid), stat: Stat::UNTOUCHED })),
        1 => fid.prop_map(|fid| Step::ask(Request::Attach { fid: Fid(fid), afid: Fid::NONE, uname: "", aname: "" })),
        2 => (0..40_u16).prop_map(Step::Flush),
        2 => Just(Step::LetThrough),
    ]
}

/// What is known of the tags: what was asked and not answered, and which flush has taken back what.
#[derive(Default)]
struct Book {
    asked: BTreeMap<u16, Option<u16>>,
}

impl Book {
    fn hears(&mut self, told: &Told) {
        let tag = told.tag().0;
        let flushed = self.asked.remove(&tag).unwrap_or_else(|| panic!("nobody asked for {told:?}"));
        assert_eq!(flushed.is_some(), matches!(told.reply(), Reply::Flush), "{told:?}");
        if let Some(old) = flushed {
            // From here on it will not be answered any more.
            self.asked.remove(&old);
        }
    }
}

async fn plays(steps: Vec<Step>) {
    let world = world();
    let paper = Paper::default().with_entries(5);
    let limits = Limits { fids: FIDS, tags: 8, ..Limits::default() };
    let mut client = enter_by(&world, paper.clone(), Way { limits, ..Way::of("bob") }).await;
    client.does(VERSION).await;
    let mut book = Book::default();
    let mut sent = Vec::new();
    for (tag, step) in steps.into_iter().enumerate() {
        let tag = 100 + tag as u16;
        match step {
            Step::Ask(asked) => {
                sent.extend(request(tag, &asked));
                book.asked.insert(tag, None);
            }
            Step::Flush(back) => {
                let old = tag.saturating_sub(back + 1);
                sent.extend(request(tag, &Request::Flush { old: Tag(old) }));
                book.asked.insert(tag, Some(old));
            }
            Step::LetThrough => paper.through.add_permits(1),
        }
        if tag.is_multiple_of(3) {
            client.sends(&std::mem::take(&mut sent)).await;
        }
    }
    client.sends(&sent).await;
    // Everything that can be done is done; what waits for ever is then taken back.
    paper.through.add_permits(1000);
    for old in book.asked.keys().copied().collect::<Vec<_>>() {
        let tag = 1000 + old;
        book.asked.insert(tag, Some(old));
        client.asks(tag, Request::Flush { old: Tag(old) }).await;
    }
    while !book.asked.is_empty() {
        match client.hear().await {
            Heard::Message(message) => book.hears(&Told(message)),
            Heard::Close(Some(4429), _) => return,
            other => panic!("{other:?} before the answers to {:?}", book.asked),
        }
    }
    let mut fids = 0;
    for fid in 0..8 {
        fids += usize::from(client.told(clunk(fid)).await.error() != Some("unknown fid"));
    }
    assert!(fids <= FIDS, "{fids} fids");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn c63_whatever_is_asked_is_answered_once_and_no_more_fids_are_had_than_there_may_be(steps in vec(any_step(), 0..60)) {
        let first = Step::ask(crate::clients::ATTACH);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(plays([vec![first, Step::ask(walk(0, 1, &["drawer"]))], steps].concat()));
    }
}
