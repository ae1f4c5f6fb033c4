//! Messages at random.

use doorward_wire::ninep::{Data, Few, Fid, OpenMode, Qid, Reply, Request, Stat, Tag};
use proptest::{collection::vec, prelude::*, sample::select};

/// A request or an answer that owns what it says.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    which: u8,
    numbers: [u64; 4],
    texts: Vec<String>,
    data: Vec<u8>,
    qids: Vec<(u8, u32, u64)>,
}

pub(crate) fn any_message() -> impl Strategy<Value = Message> {
    let text = "[a-z0-9./ äß水🚪]{0,12}";
    let qid = any::<(u8, u32, u64)>();
    (any::<u8>(), any::<[u64; 4]>(), vec(text, 4..=16), vec(any::<u8>(), 0..200), vec(qid, 1..=16))
        .prop_map(|(which, numbers, texts, data, qids)| Message { which, numbers, texts, data, qids })
}

pub(crate) fn any_tag() -> impl Strategy<Value = Tag> {
    prop_oneof![any::<u16>().prop_map(Tag), select(vec![Tag::NONE])]
}

impl Message {
    pub(crate) fn request(&self) -> Request<'_> {
        let [fid, other, offset, count] = self.numbers;
        let (fid, other) = (Fid(fid as u32), Fid(other as u32));
        let (mode, count) = (OpenMode(count as u8), count as u32);
        let (one, two) = (&*self.texts[0], &*self.texts[1]);
        match self.which % 13 {
            0 => Request::Version { msize: count, version: one },
            1 => Request::Auth { afid: fid, uname: one, aname: two },
            2 => Request::Attach { fid, afid: other, uname: one, aname: two },
            3 => Request::Flush { old: Tag(count as u16) },
            4 => {
                let names: Vec<&str> = self.texts.iter().map(String::as_str).collect();
                Request::Walk { fid, new: other, names: Few::new(&names).unwrap() }
            }
            5 => Request::Open { fid, mode },
            6 => Request::Create { fid, name: one, permissions: count, mode },
            7 => Request::Read { fid, offset, count },
            8 => Request::Write { fid, offset, data: Data(&self.data) },
            9 => Request::Clunk { fid },
            10 => Request::Remove { fid },
            11 => Request::Stat { fid },
            _ => Request::Wstat { fid, stat: self.stat() },
        }
    }

    pub(crate) fn reply(&self) -> Reply<'_> {
        let iounit = self.numbers[3] as u32;
        let qids: Vec<Qid> =
            self.qids.iter().map(|(kind, version, path)| Qid { kind: *kind, version: *version, path: *path }).collect();
        let qid = qids[0];
        match self.which % 14 {
            0 => Reply::Version { msize: iounit, version: &self.texts[0] },
            1 => Reply::Auth { qid },
            2 => Reply::Attach { qid },
            3 => Reply::Error { text: &self.texts[1] },
            4 => Reply::Flush,
            5 => Reply::Walk { qids: Few::new(&qids).unwrap() },
            6 => Reply::Open { qid, iounit },
            7 => Reply::Create { qid, iounit },
            8 => Reply::Read { data: Data(&self.data) },
            9 => Reply::Write { count: iounit },
            10 => Reply::Clunk,
            11 => Reply::Remove,
            12 => Reply::Stat { stat: self.stat() },
            _ => Reply::Wstat,
        }
    }

    pub(crate) fn stat(&self) -> Stat<'_> {
        let [one, two, three, four] = self.numbers;
        let (kind, version, path) = self.qids[0];
        Stat {
            kind: one as u16,
            device: two as u32,
            qid: Qid { kind, version, path },
            mode: three as u32,
            read_at: four as u32,
            written_at: one as u32,
            length: two,
            name: &self.texts[0],
            owner: &self.texts[1],
            group: &self.texts[2],
            writer: &self.texts[3],
        }
    }
}
