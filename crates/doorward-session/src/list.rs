//! What is seen of the live sockets from outside: lists of them, and counts.
//!
//! ```text
//!   shard by shard    its sockets, or those with a key     a moment under its lock
//!   each of them      is it meant?                         compared, nothing copied
//!   at most so many   in their order                       the rest is let go
//!   each of those     what there is to say of it           [`Socket::info`], when it is asked for
//! ```

use std::{collections::BTreeMap, sync::Arc};

use doorward_types::{GateName, OwnerId, Rest, SocketId, Subject, Timestamp};

use crate::{Admitted, Socket, SocketInfo, SocketState, Sockets, Target, index::Key, lock::lock};

/// Which of the live sockets; those for which all holds that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Of this owner.
    pub owner: Option<OwnerId>,
    /// At this gate.
    pub gate: Option<GateName>,
    /// Of this subject: of its kind and primary key.
    pub subject: Option<Subject>,
    /// Of this login.
    pub sid: Option<String>,
    /// Whether they are suspended.
    pub suspended: Option<bool>,
    /// After this one by first admission and id, in the order of the list; it need not live any more.
    pub after: Option<(Timestamp, SocketId)>,
    /// The newest first; otherwise the oldest.
    pub newest_first: bool,
    /// At most so many: the first.
    pub at_most: usize,
}

impl Default for Selection {
    /// All of them, the oldest first.
    fn default() -> Self {
        Self {
            owner: None,
            gate: None,
            subject: None,
            sid: None,
            suspended: None,
            after: None,
            newest_first: false,
            at_most: usize::MAX,
        }
    }
}

impl Selection {
    /// What all that are meant rest on, where that is said: by it they are found.
    fn rest(&self) -> Option<Rest> {
        let sid = || self.sid.as_deref().map(|sid| Rest::on("sid", sid));
        self.subject.as_ref().map(Subject::rest).or_else(sid)
    }

    fn means(&self, socket: &Socket, admission: &Admitted) -> bool {
        let place = place(socket, admission);
        let is_of = |subject: &Subject| admission.subject().is_some_and(|proven| proven.same_as(subject));
        self.owner.as_ref().is_none_or(|owner| owner == admission.owner())
            && self.gate.as_ref().is_none_or(|gate| gate == admission.gate())
            && self.subject.as_ref().is_none_or(is_of)
            && self.sid.as_deref().is_none_or(|sid| sid_of(admission) == Some(sid))
            && self.after.is_none_or(|after| if self.newest_first { place < after } else { place > after })
            && self.suspended.is_none_or(|suspended| socket.suspension().is_some() == suspended)
    }
}

/// Where a socket stands in every list.
type Place = (Timestamp, SocketId);

fn place(socket: &Socket, admission: &Admitted) -> Place {
    (admission.first_at(), socket.id())
}

fn sid_of(admission: &Admitted) -> Option<&str> {
    admission.rests_on().iter().find(|rest| rest.kind == "sid").map(|rest| &*rest.value)
}

impl Sockets {
    /// Those of the live sockets, in their order. However many there are to choose from, of those that are not chosen nothing is
    /// copied, and no lock is held for longer than it takes to count the sockets of a shard.
    pub fn select(&self, which: &Selection) -> Vec<Arc<Socket>> {
        let key = which.rest().map(|rest| self.key_of_rest(&rest));
        let mut chosen = self.placed(key, |socket, admission| which.means(socket, admission));
        let order = |(one, _): &Placed, (other, _): &Placed| {
            if which.newest_first { other.cmp(one) } else { one.cmp(other) }
        };
        if which.at_most < chosen.len() {
            chosen.select_nth_unstable_by(which.at_most, order);
            chosen.truncate(which.at_most);
        }
        chosen.sort_unstable_by(order);
        chosen.into_iter().map(|(_, socket)| socket).collect()
    }

    /// The live sockets, at most so many of them, the oldest first.
    pub fn list(&self, owner: Option<&OwnerId>, at_most: usize) -> Vec<SocketInfo> {
        let which = Selection { owner: owner.cloned(), at_most, ..Selection::default() };
        self.select(&which).iter().map(|socket| socket.info()).collect()
    }

    /// The live socket of that id. It is found, not looked for.
    pub fn find(&self, owner: Option<&OwnerId>, id: SocketId) -> Option<SocketInfo> {
        let (key, what) = (self.key_of_id(id), Target::Socket(id));
        let found = self.shards.iter().flat_map(|shard| lock(shard).find(key));
        let socket = found.filter(|socket| socket.is_open()).find(|socket| what.means(owner, socket))?;
        Some(socket.info())
    }

    /// The live sockets whose admissions rest on this, the oldest first. They are found, not looked through.
    pub fn list_on(&self, owner: Option<&OwnerId>, rest: &Rest) -> Vec<SocketInfo> {
        let what = Target::Rest(rest.clone());
        let mut found = self.placed(Some(self.key_of_rest(rest)), |_, admission| what.concerns(owner, admission));
        found.sort_unstable_by_key(|(place, _)| *place);
        found.iter().map(|(_, socket)| socket.info()).collect()
    }

    /// The live sockets that are meant, of those with a key or of all, each with its place, in no order.
    fn placed(&self, key: Option<Key>, is_meant: impl Fn(&Socket, &Admitted) -> bool) -> Vec<Placed> {
        let mut placed = Vec::new();
        for shard in &self.shards {
            let found = {
                let shard = lock(shard);
                key.map_or_else(|| shard.all(), |key| shard.find(key))
            };
            placed.extend(found.into_iter().filter(|socket| socket.is_open()).filter_map(|socket| {
                let admission = socket.admission();
                is_meant(&socket, &admission).then(|| (place(&socket, &admission), socket))
            }));
        }
        placed
    }

    /// How many sockets live, by owner and gate.
    pub fn count_by_gate(&self) -> BTreeMap<(OwnerId, GateName), usize> {
        self.count_by(|socket| (socket.admission().owner().clone(), socket.admission().gate().clone()))
    }

    /// How many sockets live, by owner, gate and the [name](SocketState::name) of their state.
    pub fn count_by_state(&self) -> BTreeMap<(OwnerId, GateName, &'static str), usize> {
        self.count_by(|socket| {
            let admission = socket.admission();
            let state = socket.suspension().map_or(SocketState::Active, SocketState::Suspended);
            (admission.owner().clone(), admission.gate().clone(), state.name())
        })
    }

    fn count_by<K: Ord>(&self, key: impl Fn(&Socket) -> K) -> BTreeMap<K, usize> {
        let mut counts = BTreeMap::new();
        self.each_open(|socket| *counts.entry(key(socket)).or_default() += 1);
        counts
    }

    /// Looks at every live socket, in no order.
    pub fn each_open(&self, mut look: impl FnMut(&Socket)) {
        for shard in &self.shards {
            let all = lock(shard).all();
            all.iter().filter(|socket| socket.is_open()).for_each(|socket| look(socket));
        }
    }
}

type Placed = (Place, Arc<Socket>);

impl Socket {
    /// What there is to say of it.
    pub fn info(&self) -> SocketInfo {
        let admission = self.admission();
        SocketInfo {
            id: self.id(),
            owner: admission.owner().clone(),
            gate: admission.gate().clone(),
            subject: admission.subject().cloned(),
            source: admission.source(),
            backend: self.policy().backend,
            trace: admission.trace(),
            state: self.suspension().map_or(SocketState::Active, SocketState::Suspended),
            layers: admission.evidence().iter().map(|evidence| evidence.layer).collect(),
            sid: sid_of(&admission).map(str::to_owned),
            since: admission.first_at(),
            last_seen: self.seen_by(&admission),
            expires_at: admission.expires_at(),
        }
    }

    /// The login that it rests on, and when a message came last, where it rests on one.
    pub fn last_use<T>(&self, login: impl FnOnce(&str) -> Option<T>) -> Option<(T, Timestamp)> {
        let admission = self.admission();
        Some((login(sid_of(&admission)?)?, self.seen_by(&admission)))
    }

    fn seen_by(&self, admission: &Admitted) -> Timestamp {
        admission.first_at().plus(self.last_traffic().since(self.began()))
    }
}

#[cfg(test)]
mod tests {
    use doorward_types::CloseReason;

    use super::*;
    use crate::{
        sockets::tests::register,
        support::{Over, World, climb, login},
    };

    #[tokio::test(start_paused = true)]
    async fn a_socket_is_found_by_its_id_and_ended_by_it_and_no_other_that_has_the_same_key_by_chance() {
        let world = World::over(Over::Pipe);
        let mut sockets = Vec::new();
        for number in 0..50 {
            sockets.push(register(&world, number).await);
        }
        for socket in &sockets {
            let (id, found) = (socket.id(), |owner: Option<&OwnerId>| world.sockets.find(owner, socket.id()));
            assert_eq!(found(None).unwrap().id, id);
            assert_eq!(found(Some(socket.admission().owner())).unwrap().id, id);
            assert_eq!(found(Some(&OwnerId::new("another"))), None);
            let ending = world.sockets.end(None, &Target::Socket(id), CloseReason::SessionEnded);
            assert_eq!((ending.sockets(), found(None)), ([id].as_slice(), None));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_was_let_in_once_more_is_found_by_its_id_and_by_what_it_rests_on_now() {
        let world = World::over(Over::Pipe);
        for number in 0..50 {
            let socket = register(&world, number).await;
            let again = climb(login(&format!("user {number}"), &format!("again {number}")), world.sockets.cursor());
            world.sockets.readmit(&socket, again, vec![]).unwrap();
            assert_eq!(world.sockets.find(None, socket.id()).unwrap().id, socket.id(), "{number}");
            let on = |sid: String| world.sockets.list_on(None, &Rest::on("sid", sid)).len();
            assert_eq!((on(format!("s{number}")), on(format!("again {number}"))), (0, 1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_rests_on_a_login_is_listed_and_nothing_that_has_the_same_key_by_chance() {
        let world = World::over(Over::Pipe);
        let mut sockets = Vec::new();
        for number in 0..50 {
            sockets.push(register(&world, number).await);
        }
        let listed = |owner: Option<&OwnerId>| {
            let listed = world.sockets.list_on(owner, &Rest::on("sid", "s7")).into_iter();
            listed.map(|info| info.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(None), [sockets[7].id()]);
        assert_eq!(listed(Some(sockets[7].admission().owner())), [sockets[7].id()]);
        assert!(listed(Some(&OwnerId::new("another"))).is_empty());
        sockets[7].end(CloseReason::SessionEnded);
        assert!(listed(None).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn every_socket_is_on_one_page_and_nothing_is_said_of_those_that_are_on_no_page() {
        let world = World::over(Over::Pipe);
        let mut sockets = Vec::new();
        for number in 0..50 {
            sockets.push(register(&world, number).await);
        }
        let mut expected: Vec<_> = sockets.iter().map(|socket| socket.id()).collect();
        expected.sort_unstable();
        for newest_first in [false, true] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let which = Selection { after, newest_first, at_most: 7, ..Selection::default() };
                let page = world.sockets.select(&which);
                let Some(last) = page.last() else { break };
                after = Some((last.admission().first_at(), last.id()));
                seen.extend(page.iter().map(|socket| socket.id()));
            }
            assert_eq!(seen, expected, "they came at one time, so that their ids say in what order they stand");
            expected.reverse();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_said_of_sockets_is_said_of_all_that_are_chosen() {
        let world = World::over(Over::Pipe);
        let mut sockets = Vec::new();
        for number in 0..20 {
            sockets.push(register(&world, number).await);
        }
        let seventh = sockets[7].admission();
        let chosen = |which: Selection| {
            let chosen = world.sockets.select(&which);
            chosen.iter().map(|socket| socket.id()).collect::<Vec<_>>()
        };
        let which = || Selection { owner: Some(seventh.owner().clone()), ..Selection::default() };
        assert_eq!(chosen(which()).len(), 20);
        assert_eq!(chosen(Selection { subject: seventh.subject().cloned(), ..which() }), [sockets[7].id()]);
        assert_eq!(chosen(Selection { sid: Some("s7".into()), ..which() }), [sockets[7].id()]);
        assert_eq!(chosen(Selection { gate: Some(seventh.gate().clone()), at_most: 5, ..which() }).len(), 5);
        assert_eq!(chosen(Selection { suspended: Some(false), ..which() }).len(), 20);
        for none in [
            Selection { owner: Some(OwnerId::new("another")), ..which() },
            Selection { gate: Some(GateName::new("another")), ..which() },
            Selection { subject: seventh.subject().cloned(), sid: Some("s8".into()), ..which() },
            Selection { suspended: Some(true), ..which() },
            Selection { at_most: 0, ..which() },
        ] {
            assert!(chosen(none.clone()).is_empty(), "{none:?}");
        }
        sockets[7].end(CloseReason::SessionEnded);
        assert_eq!(chosen(which()).len(), 19);
    }
}
