use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use doorward_session::Socket;
use doorward_wire::ninep::{OpenMode, Qid};

use super::{part_of, root::file};
use crate::ninep::{Answer, Entry, Node, OpenFile, Tree, Trouble};

/// A file that says who is there, and by what:
///
/// ```text
/// subject member:7 bob
/// gate shop
/// since 2026-11-22T06:13:06.000Z
/// expires 2026-11-22T18:13:06.000Z
/// layers session totp
/// ```
///
/// `subject` is `none` where nobody was proven. The times are those of the socket: since when it is there, and when the first
/// of its proofs expires. It is as it was when it was opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Session;

const NAME: &str = "session";

impl Tree for Session {
    fn root(&self, socket: &Arc<Socket>) -> Option<Arc<dyn Node>> {
        Some(Arc::new(File { socket: Arc::clone(socket) }))
    }
}

struct File {
    socket: Arc<Socket>,
}

impl File {
    fn text(&self) -> String {
        let admission = self.socket.admission();
        let mut text = String::new();
        let subject = admission.subject().map_or_else(
            || "none".to_owned(),
            |subject| format!("{}:{} {}", printable(&subject.kind), printable(&subject.pk), printable(&subject.uuid)),
        );
        let expires = admission.expires_at().map_or_else(|| "never".to_owned(), |at| at.to_string());
        // Nothing can go wrong where a text is written to a text.
        let _ = writeln!(text, "subject {subject}");
        let _ = writeln!(text, "gate {}", printable(admission.gate().as_str()));
        let _ = writeln!(text, "since {}", admission.first_at());
        let _ = writeln!(text, "expires {expires}");
        let _ = write!(text, "layers");
        for evidence in admission.evidence() {
            let _ = write!(text, " {}", evidence.layer);
        }
        text.push('\n');
        text
    }
}

/// Without what would begin a line of its own.
fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

impl Node for File {
    fn qid(&self) -> Qid {
        file(&[NAME])
    }

    fn stat(&self) -> Answer<Entry> {
        let length = self.text().len() as u64;
        Answer::Now(Ok(Entry { name: NAME.into(), qid: self.qid(), permissions: 0o400, length }))
    }

    fn open(&self, mode: OpenMode) -> Answer<Box<dyn OpenFile>> {
        if mode != OpenMode::READ {
            return Trouble::PermissionDenied.into();
        }
        Answer::Now(Ok(Box::new(Opened(self.text().into()))))
    }
}

/// The text as it was.
struct Opened(Bytes);

impl OpenFile for Opened {
    fn read(&self, offset: u64, count: usize) -> Answer<Bytes> {
        Answer::Now(Ok(part_of(&self.0, offset, count)))
    }
}
