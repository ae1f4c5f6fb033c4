use std::{future::poll_fn, sync::Arc};

use bytes::Bytes;
use doorward_session::Socket;
use doorward_wire::{
    json::may_name_a_channel,
    ninep::{OpenMode, Qid},
};

use super::root;
use crate::{
    hub::{Hub, Listener, NotHeard, NotSaid, Room},
    ninep::{Answer, Entry, Node, OpenFile, Tree, Trouble},
};

/// The channels of a hub: a directory for each, and in it a file for each of its objects, by its primary key. The file `:whole`
/// is the channel as a whole: no primary key has a `:` in it.
///
/// ```text
/// read  group/3            waits for the next message since it was opened: its JSON, and a newline
/// write group/3 {"a":1}    publishes; one message of JSON with each write
/// ```
///
/// The rules of the channels say who may, as for those who are subscribed otherwise; what the rules do not name is not listed,
/// and what they do not allow is not there. A message is never read together with the next one; where it is longer than what
/// is asked for, its rest comes next. Where more came than may wait, the oldest goes, and a read says so.
///
/// A primary key with a `/` in it, or that is `.` or `..`, is no name and cannot be reached here.
pub struct Channels {
    hub: Arc<Hub>,
}

const NAME: &str = "channels";

/// The file of a channel as a whole.
const WHOLE: &str = ":whole";

impl Channels {
    /// The channels of that hub, at the gate through which somebody comes.
    pub fn of(hub: Arc<Hub>) -> Self {
        Self { hub }
    }
}

impl Tree for Channels {
    fn root(&self, socket: &Arc<Socket>) -> Option<Arc<dyn Node>> {
        let (hub, socket, room) = (Arc::clone(&self.hub), Arc::clone(socket), Arc::default());
        Some(Arc::new(All(Arc::new(Visit { hub, socket, room }))))
    }
}

/// One connection at a hub.
struct Visit {
    hub: Arc<Hub>,
    socket: Arc<Socket>,
    room: Arc<Room>,
}

/// The directory of channels.
struct All(Arc<Visit>);

impl Node for All {
    fn qid(&self) -> Qid {
        root::directory(&[NAME])
    }

    fn stat(&self) -> Answer<Entry> {
        Answer::Now(Ok(root::entry_of_directory(NAME, self.qid())))
    }

    /// There is a directory for each name, so that nobody learns by it which channels there are.
    fn walk(&self, name: &str) -> Answer<Arc<dyn Node>> {
        if !is_a_name(name) {
            return Trouble::NotFound.into();
        }
        Answer::Now(Ok(Arc::new(Channel { visit: Arc::clone(&self.0), name: name.to_owned() })))
    }

    fn list(&self) -> Answer<Vec<Entry>> {
        let names = self.0.hub.channels(&self.0.socket.admission()).into_iter().filter(|name| is_a_name(name));
        let entry = |name: String| {
            let qid = root::directory(&[NAME, &name]);
            root::entry_of_directory(name, qid)
        };
        Answer::Now(Ok(names.map(entry).collect()))
    }
}

/// The directory of a channel.
struct Channel {
    visit: Arc<Visit>,
    name: String,
}

impl Channel {
    fn object(&self, pk: Option<String>) -> Object {
        Object { visit: Arc::clone(&self.visit), channel: self.name.clone(), pk }
    }
}

impl Node for Channel {
    fn qid(&self) -> Qid {
        root::directory(&[NAME, &self.name])
    }

    fn stat(&self) -> Answer<Entry> {
        Answer::Now(Ok(root::entry_of_directory(self.name.clone(), self.qid())))
    }

    fn walk(&self, name: &str) -> Answer<Arc<dyn Node>> {
        let pk = (name != WHOLE).then(|| name.to_owned());
        if !pk.as_deref().is_none_or(is_a_name) {
            return Trouble::NotFound.into();
        }
        let object = self.object(pk);
        if object.permissions() == 0 {
            return Trouble::NotFound.into();
        }
        Answer::Now(Ok(Arc::new(object)))
    }

    fn list(&self) -> Answer<Vec<Entry>> {
        let objects = self.visit.hub.objects(&self.visit.socket.admission(), &self.name).into_iter();
        let reachable = objects.filter(|pk| pk.as_deref().is_none_or(is_a_name));
        Answer::Now(Ok(reachable.map(|pk| self.object(pk).entry()).collect()))
    }
}

/// The file of one object of a channel, or of all of it.
#[derive(Clone)]
struct Object {
    visit: Arc<Visit>,
    channel: String,
    pk: Option<String>,
}

impl Object {
    fn may_listen(&self) -> bool {
        self.visit.hub.may_listen(&self.visit.socket.admission(), &self.channel, self.pk.as_deref())
    }

    fn may_say(&self) -> bool {
        self.visit.hub.may_say(&self.visit.socket.admission(), &self.channel, self.pk.as_deref())
    }

    fn permissions(&self) -> u32 {
        let (read, write) = (self.may_listen(), self.may_say());
        u32::from(read) * 0o400 + u32::from(write) * 0o200
    }

    fn entry(&self) -> Entry {
        let name = self.pk.clone().map_or(WHOLE.into(), Into::into);
        Entry { name, qid: self.qid(), permissions: self.permissions(), length: 0 }
    }
}

impl Node for Object {
    fn qid(&self) -> Qid {
        root::file(&[NAME, &self.channel, self.pk.as_deref().unwrap_or(WHOLE)])
    }

    fn stat(&self) -> Answer<Entry> {
        Answer::Now(Ok(self.entry()))
    }

    fn open(&self, mode: OpenMode) -> Answer<Box<dyn OpenFile>> {
        if mode.writes() && !self.may_say() {
            return Trouble::PermissionDenied.into();
        }
        let Visit { hub, socket, room } = &*self.visit;
        let listener = match mode.reads().then(|| hub.listen(socket, room, &self.channel, self.pk.as_deref())) {
            None => None,
            Some(Ok(listener)) => Some(Arc::new(listener)),
            Some(Err(not_heard)) => return trouble_of(not_heard).into(),
        };
        Answer::Now(Ok(Box::new(Open { object: self.clone(), listener })))
    }
}

/// An object that is open.
struct Open {
    object: Object,
    listener: Option<Arc<Listener>>,
}

impl OpenFile for Open {
    fn read(&self, _offset: u64, count: usize) -> Answer<Bytes> {
        let Some(listener) = self.listener.as_ref().map(Arc::clone) else { return Trouble::PermissionDenied.into() };
        if count == 0 {
            return Answer::Now(Ok(Bytes::new()));
        }
        Answer::Later(Box::pin(async move {
            poll_fn(|context| listener.poll_next(context, count)).await.map_err(trouble_of)
        }))
    }

    fn write(&self, _offset: u64, data: &[u8]) -> Answer<u32> {
        let Object { visit, channel, pk } = &self.object;
        let said = match std::str::from_utf8(data) {
            Ok(text) => visit.hub.say(&visit.socket, channel, pk.as_deref(), text),
            Err(_) => Err(NotSaid::NotJson),
        };
        Answer::Now(match said {
            Ok(_) => Ok(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(NotSaid::Denied) => Err(Trouble::PermissionDenied),
            Err(NotSaid::NotJson) => Err(Trouble::Other("a message is JSON, whole in one write".into())),
            Err(NotSaid::Malformed(malformed)) => Err(Trouble::Other(malformed.to_string().into())),
        })
    }

    fn suspended(&self) {
        if let Some(listener) = &self.listener {
            listener.clear();
        }
    }
}

/// Whether something can be the name of a file here, and of a channel or an object.
fn is_a_name(name: &str) -> bool {
    may_name_a_channel(name) && !name.contains('/') && name != "." && name != ".."
}

fn trouble_of(not_heard: NotHeard) -> Trouble {
    match not_heard {
        NotHeard::Denied => Trouble::PermissionDenied,
        NotHeard::TooMany => Trouble::Other("too many channels are open".into()),
        NotHeard::Lost => Trouble::Other("messages were lost".into()),
    }
}
