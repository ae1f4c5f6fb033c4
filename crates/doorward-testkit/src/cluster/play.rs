//! Does what a schedule says, at the time it says.

use std::{sync::Arc, time::Duration};

use doorward_auth::ports::{
    Account, Accounts, Change, Clock, Ending, NewSession, Revocations, Session, Sessions, What, Why,
};
use doorward_types::{AccountId, Cursor, KeyText, Rest, SessionId, Subject, Timestamp};
use tokio::time::{sleep, timeout};

use super::{
    Act, Actor, Cluster, Event,
    client::{Client, Cookie},
    dice::Dice,
    layer::hash_of,
    lock,
    node::Node,
};
use crate::{World, beginning, login_of};

/// How long somebody waits for an answer of the site.
const PATIENCE: Duration = Duration::from_secs(8);

/// After how long a disabled account is enabled again.
const DISABLED_FOR: Duration = Duration::from_secs(3);

impl Cluster {
    /// Gives when everything that goes wrong is over.
    pub(super) async fn play(self: &Arc<Self>, acts: &[(Duration, Act)]) -> Duration {
        let mut over = self.shape.heals_at;
        for (number, (at, act)) in acts.iter().enumerate() {
            sleep(at.saturating_sub(self.log.time().now())).await;
            over = over.max(*at + lasts(*act));
            let cluster = Arc::clone(self);
            let (act, dice) = (*act, Dice::of(self.shape.seed, &[0xac7, number as u64]));
            tokio::spawn(async move { cluster.act(act, &dice).await });
        }
        over
    }

    async fn act(self: &Arc<Self>, act: Act, dice: &Dice) {
        match act {
            Act::LogIn(client) => self.log_in(client, dice).await,
            Act::LogOut(client) | Act::Revoke(client) => {
                let Some((client, cookie)) = self.logged_in(client) else { return };
                let why = if act == Act::LogOut(client.number) { Why::LoggedOut } else { Why::Revoked };
                self.end(What::Rest(Rest::on("sid", cookie.sid.to_string())), why, None, dice).await;
                client.drops(cookie.sid);
            }
            Act::EndOthers(client) => {
                let Some((client, cookie)) = self.logged_in(client) else { return };
                let Some(subject) = self.subject_of(client.user) else { return };
                self.end(What::Others { subject, keep: cookie.sid }, Why::CredentialChanged, None, dice).await;
            }
            Act::EndSubject(client) => {
                let Some(subject) = self.subject_of_client(client) else { return };
                self.end(What::Rest(subject.rest()), Why::LoggedOut, None, dice).await;
            }
            Act::NotBefore(client) => {
                let Some(subject) = self.subject_of_client(client) else { return };
                self.end(
                    What::NotBefore { subject: Some(subject), at: Timestamp::default() },
                    Why::Revoked,
                    None,
                    dice,
                )
                .await;
            }
            Act::NotBeforeForAll => {
                self.end(What::NotBefore { subject: None, at: Timestamp::default() }, Why::Revoked, None, dice).await;
            }
            Act::Disable(client) => self.disable(client, dice).await,
            Act::StopReading(client, lasts) => {
                let Some(pipe) = self.clients.get(client).and_then(|client| client.pipe()) else { return };
                pipe.read(false);
                sleep(lasts).await;
                pipe.read(true);
            }
            Act::Vanish(client) => {
                if let Some(pipe) = self.clients.get(client).and_then(|client| client.pipe()) {
                    pipe.vanish();
                }
            }
            Act::Crash(node, lasts) => self.crash(node, lasts).await,
            Act::Sleep(node, lasts) => self.lull(node, lasts).await,
            Act::Part(node, lasts) => {
                self.fault(format!("node {node} is alone for {lasts:?}"));
                let until = self.log.time().now() + lasts;
                self.links.get(node).into_iter().for_each(|link| link.cut(until));
                self.bus.cut(node, until);
            }
            Act::Lag(node, lasts) => {
                self.fault(format!("what the store answers node {node} is late for {lasts:?}"));
                self.links.get(node).into_iter().for_each(|link| link.lag(self.log.time().now() + lasts));
            }
            Act::Deafen(node, lasts) => {
                self.fault(format!("node {node} hears and tells nobody for {lasts:?}"));
                self.bus.cut(node, self.log.time().now() + lasts);
            }
            Act::StepClock(node, millis) => {
                self.log.note(Actor::Node(node), Event::ClockSet(millis));
                self.machines.get(node).into_iter().for_each(|machine| machine.step_the_clock(millis));
            }
            Act::Forge(node) => {
                self.fault(format!("node {node} is told of an entry that there is not"));
                self.bus.forge(node, Cursor(dice.number()));
            }
        }
    }

    fn fault(&self, text: String) {
        self.log.note(Actor::World, Event::Fault(text));
    }

    async fn crash(&self, number: usize, lasts: Duration) {
        let Some(place) = self.nodes.get(number) else { return };
        let Some(node) = lock(place).take() else { return };
        self.fault(format!("node {number} crashes, and comes back after {lasts:?}"));
        node.link.not_well(self.log.time().now() + lasts + self.shape.answer_within, false);
        node.crash();
        drop(node);
        sleep(lasts).await;
        self.start(number);
    }

    async fn lull(&self, number: usize, lasts: Duration) {
        let (Some(machine), Some(link)) = (self.machines.get(number), self.links.get(number)) else { return };
        if machine.is_asleep() {
            return;
        }
        self.fault(format!("node {number} sleeps for {lasts:?}"));
        link.not_well(self.log.time().now() + lasts, true);
        machine.fall_asleep();
        sleep(lasts).await;
        machine.wake();
        self.fault(format!("node {number} is awake"));
    }

    async fn log_in(&self, number: usize, dice: &Dice) {
        let (Some(client), Some(node)) = (self.clients.get(number), self.some_node(dice)) else { return };
        let Some(account) = self.accounts.get(client.user) else { return };
        // The site asks first where the log stands, then for the account.
        let Ok(Ok(stands)) = timeout(PATIENCE, node.link.newest()).await else { return };
        node.machine.until_awake().await;
        let created_at = node.machine.now();
        let (sid, key) = (SessionId::from_bytes(dice.bytes()), dice.bytes());
        self.log.note(Actor::World, Event::LoggingIn { client: number, sid, created_at });
        let is_short = dice.percent(15);
        let session = Session {
            browser: Some(client.browser),
            idle: if is_short { dice.millis(3000, 15_000) } else { Duration::from_secs(3600) },
            expires_at: created_at.plus(Duration::from_secs(3600)),
            ..login_of(account, sid, created_at)
        };
        let replaces = client.cookie().map(|cookie| cookie.sid);
        let hash = Some(hash_of(KeyText::Session, &key));
        let new = NewSession { replaces, ..beginning(session, hash, stands) };
        if let Ok(Ok(Some(_))) = timeout(PATIENCE, node.link.open(new)).await {
            client.takes(Cookie { sid, key });
        }
    }

    async fn disable(&self, number: usize, dice: &Dice) {
        let Some(subject) = self.subject_of_client(number) else { return };
        let Some(account) = AccountId::of(&subject) else { return };
        self.end(What::Rest(subject.rest()), Why::Disabled, Some(Change::Disable(account)), dice).await;
        sleep(DISABLED_FOR).await;
        let enabled = self.store.act(move |site| Box::pin(async move { site.enable(&World::owner(), account).await }));
        // It was not disabled where the ending was lost.
        let _enabled = enabled.await;
    }

    /// Ends something at some node, as the site and the operator do. The time before which something counts no more is now.
    async fn end(&self, what: What, why: Why, change: Option<Change>, dice: &Dice) {
        let Some(node) = self.some_node(dice) else { return };
        node.machine.until_awake().await;
        let at = node.machine.now();
        let what = match what {
            What::NotBefore { subject, .. } => What::NotBefore { subject, at },
            what => what,
        };
        let actor = Actor::Node(node.number());
        self.log.note(actor, Event::Ending { at, why, what: format!("{what:?}") });
        let ending = Ending { owner: Some(World::owner()), what, why, change, at };
        self.log.note(actor, self.returned(&node, ending).await);
    }

    async fn returned(&self, node: &Node, ending: Ending) -> Event {
        let at = ending.at;
        match timeout(PATIENCE, node.follower.end(ending)).await {
            Ok(Ok(receipt)) => {
                node.machine.until_awake().await;
                let mut ended = receipt.sockets;
                ended.sort_unstable();
                Event::Returned { at, ended: Some(ended), carried_out: receipt.silent.is_empty() }
            }
            _ => Event::Returned { at, ended: None, carried_out: false },
        }
    }

    fn logged_in(&self, client: usize) -> Option<(&Arc<Client>, Cookie)> {
        let client = self.clients.get(client)?;
        Some((client, client.cookie()?))
    }

    fn subject_of_client(&self, client: usize) -> Option<Subject> {
        self.subject_of(self.clients.get(client)?.user)
    }

    fn subject_of(&self, user: usize) -> Option<Subject> {
        self.accounts.get(user).map(Account::subject)
    }
}

/// How long it goes on by itself.
fn lasts(act: Act) -> Duration {
    match act {
        Act::StopReading(_, lasts)
        | Act::Crash(_, lasts)
        | Act::Sleep(_, lasts)
        | Act::Part(_, lasts)
        | Act::Lag(_, lasts)
        | Act::Deafen(_, lasts) => lasts,
        Act::Disable(_) => DISABLED_FOR,
        _ => Duration::ZERO,
    }
}
