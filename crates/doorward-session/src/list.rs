//! What is seen of the live sockets from outside: lists of them, and counts.

use std::collections::BTreeMap;

use doorward_types::{GateName, OwnerId, Rest, SocketId};

use crate::{Socket, SocketInfo, SocketState, Sockets, Target, lock::lock};

impl Sockets {
    /// The live sockets, at most so many of them, the oldest first.
    pub fn list(&self, owner: Option<&OwnerId>, at_most: usize) -> Vec<SocketInfo> {
        let mut sockets = Vec::new();
        for shard in &self.shards {
            let all = lock(shard).all();
            sockets
                .extend(all.into_iter().filter(|socket| {
                    socket.is_open() && owner.is_none_or(|owner| owner == socket.admission().owner())
                }));
        }
        sockets.sort_by_key(|socket| (socket.began(), socket.id()));
        sockets.truncate(at_most);
        sockets.iter().map(|socket| self.info(socket)).collect()
    }

    /// The live socket of that id. It is found, not looked for.
    pub fn find(&self, owner: Option<&OwnerId>, id: SocketId) -> Option<SocketInfo> {
        let (key, what) = (self.key_of_id(id), Target::Socket(id));
        let found = self.shards.iter().flat_map(|shard| lock(shard).find(key));
        let socket = found.filter(|socket| socket.is_open()).find(|socket| what.means(owner, socket))?;
        Some(self.info(&socket))
    }

    /// The live sockets whose admissions rest on this, the oldest first. They are found, not looked through.
    pub fn list_on(&self, owner: Option<&OwnerId>, rest: &Rest) -> Vec<SocketInfo> {
        let key = self.key_of_rest(rest);
        let what = Target::Rest(rest.clone());
        let mut sockets: Vec<_> = self.shards.iter().flat_map(|shard| lock(shard).find(key)).collect();
        sockets.retain(|socket| socket.is_open() && what.means(owner, socket));
        sockets.sort_by_key(|socket| (socket.began(), socket.id()));
        sockets.iter().map(|socket| self.info(socket)).collect()
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
        for shard in &self.shards {
            let all = lock(shard).all();
            for socket in all.iter().filter(|socket| socket.is_open()) {
                *counts.entry(key(socket)).or_default() += 1;
            }
        }
        counts
    }

    fn info(&self, socket: &Socket) -> SocketInfo {
        let admission = socket.admission();
        SocketInfo {
            id: socket.id(),
            owner: admission.owner().clone(),
            gate: admission.gate().clone(),
            subject: admission.subject().cloned(),
            source: admission.source(),
            backend: socket.policy().backend,
            trace: admission.trace(),
            state: socket.suspension().map_or(SocketState::Active, SocketState::Suspended),
            layers: admission.evidence().iter().map(|evidence| evidence.layer).collect(),
            sid: admission.rests_on().iter().find(|rest| rest.kind == "sid").map(|rest| rest.value.to_string()),
            since: admission.first_at(),
            last_seen: admission.first_at().plus(socket.last_traffic().since(socket.began())),
            expires_at: admission.expires_at(),
        }
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
}
