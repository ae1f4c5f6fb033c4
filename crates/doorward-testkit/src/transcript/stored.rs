//! What a gate's stores hold, by the lines of a file. A line that no store takes fails the test that replays it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a file that does not fit fails the test")]

use std::{net::IpAddr, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use doorward_auth::{
    account::Checks,
    ports::{
        AppKey, AppKeys, Attempt, Created, Ending, KeyEntry, NewAccount, Reserved, Role, Session, SitePorts, Ticket,
        TicketBinding, Tickets, What, Why,
    },
};
use doorward_types::{AccountId, Cursor, GateName, KeyId, OwnerId, Secret, SessionId, Subject, Timestamp};
use serde_json::Value;

use super::{Said, Transcript, hex};
use crate::beginning;

/// The stores of a gate.
pub struct Stores {
    /// One-time tickets.
    pub tickets: Arc<dyn Tickets>,
    /// App keys.
    pub app_keys: Arc<dyn AppKeys>,
    /// What the built-in site keeps.
    pub site: SitePorts,
}

/// One thing that is stored, as its JSON.
struct Row<'a>(&'a Value);

impl Stores {
    /// Puts in what the file says that they hold.
    pub async fn fill(&self, file: &Transcript) {
        for (sort, value) in &file.store {
            self.hold(sort, value).await;
        }
    }

    /// What happens elsewhere, as far as it is the stores' affair: something more is stored, or has ended.
    pub async fn happen(&self, what: &Said, now: Timestamp) {
        match what {
            Said::Stored(sort, value) => self.hold(sort, value).await,
            Said::Ended(value) => {
                let row = Row(value);
                let ending = Ending {
                    owner: Some(row.owner()),
                    what: What::Rest(row.text("rest").parse().unwrap()),
                    why: Why::read(row.text("why")).unwrap(),
                    change: None,
                    at: now,
                };
                self.site.revocations.end(ending).await.unwrap();
            }
            other => panic!("{other:?} is nothing that happens to a store"),
        }
    }

    async fn hold(&self, sort: &str, value: &Value) {
        let row = Row(value);
        match sort {
            "app_key" => assert_eq!(self.app_keys.add(row.app_key()).await, Ok(true)),
            "ticket" => self.tickets.mint(row.hash_of("text").unwrap(), row.ticket()).await.unwrap(),
            "account" => self.account(&row).await,
            "session" => self.session(&row).await,
            "totp" => self.totp(&row).await,
            "key_entry" => assert_eq!(self.site.key_entries.put(row.bytes32("hash"), row.key_entry()).await, Ok(true)),
            "tries" => self.tries(&row).await,
            sort => panic!("no store holds a {sort}"),
        }
    }

    async fn account(&self, row: &Row<'_>) {
        let created = self.site.accounts.create(row.new_account()).await.unwrap();
        let Created::Account(account) = created else { panic!("the account was not made: {created:?}") };
        assert_eq!(account.id, row.account("id"), "accounts are numbered in the order of their lines");
    }

    async fn session(&self, row: &Row<'_>) {
        let as_of = self.site.revocations.newest().await.unwrap();
        let login = beginning(row.session(), row.hash_of("cookie"), as_of);
        assert!(self.site.sessions.open(login).await.unwrap().is_some(), "the login does not begin");
    }

    async fn totp(&self, row: &Row<'_>) {
        let (factors, owner, account) = (&self.site.factors, row.owner(), row.account("account"));
        let (sealed, at) = (row.bytes("sealed"), row.time("confirmed_at"));
        let recovery = row.list("recovery").map(|code| hex(code.as_str().unwrap()).unwrap().try_into().unwrap());
        let recovery = recovery.collect();
        assert_eq!(factors.enrol_totp(&owner, account, sealed.clone(), at).await, Ok(true));
        let step = row.number("last_step");
        assert_eq!(factors.confirm_totp(&owner, account, sealed, step, recovery, at).await, Ok(true));
    }

    async fn tries(&self, row: &Row<'_>) {
        let factors = [Checks::PASSWORD, Checks::TOTP];
        let factor = factors.into_iter().find(|factor| *factor == row.text("factor")).unwrap();
        for at in row.list("at") {
            let attempt = Attempt {
                owner: row.owner(),
                factor,
                subject: row.bytes32("subject"),
                device: None,
                source: row.text("source").parse().unwrap(),
                at: Timestamp::from_millis(at.as_u64().unwrap()),
            };
            let reserved = self.site.throttle.reserve(attempt).await.unwrap();
            assert!(matches!(reserved, Reserved::Go(_)), "{reserved:?}");
        }
    }
}

impl<'a> Row<'a> {
    fn app_key(&self) -> AppKey {
        AppKey {
            owner: self.owner(),
            id: KeyId::new(self.text("id")),
            public: self.bytes32("public"),
            subject: self.subject(),
            created_at: self.time("created_at"),
            revoked_at: self.has("revoked_at").then(|| self.time("revoked_at")),
        }
    }

    fn ticket(&self) -> Ticket {
        Ticket {
            owner: self.owner(),
            binding: TicketBinding::Gate(GateName::new(self.text("gate"))),
            origin: None,
            subject: self.subject(),
            rests_on: vec![],
            issued_at: self.time("issued_at"),
            expires_at: self.time("expires_at"),
        }
    }

    fn new_account(&self) -> NewAccount {
        NewAccount {
            owner: self.owner(),
            username: self.text("username").to_owned(),
            unique: self.text("unique").to_owned(),
            role: Role::User,
            password: Secret::from_text(self.text("password")),
            invitation: None,
            at: self.time("created_at"),
        }
    }

    fn session(&self) -> Session {
        Session {
            owner: self.owner(),
            sid: self.sid(),
            account: self.account("account"),
            // What is shown is the account's.
            username: String::new(),
            role: Role::User,
            browser: self.hash_of("browser"),
            factors: self.list("factors").map(|factor| factor.as_str().unwrap().to_owned()).collect(),
            source: IpAddr::from([192, 0, 2, 7]),
            agent: String::new(),
            created_at: self.time("created_at"),
            last_seen: self.time("last_seen"),
            idle: Duration::from_millis(self.number("idle_ms")),
            expires_at: self.time("expires_at"),
            opened: Cursor::default(),
        }
    }

    fn key_entry(&self) -> KeyEntry {
        KeyEntry {
            owner: self.owner(),
            id: self.text("id").to_owned(),
            account: self.account("account"),
            username: String::new(),
            sid: self.sid(),
            expires_at: self.time("expires_at"),
        }
    }

    fn subject(&self) -> Subject {
        let subject = Row(self.0.get("subject").unwrap());
        let of = |name| subject.text(name).to_owned();
        Subject { kind: of("kind"), pk: of("pk"), uuid: of("uuid") }
    }

    fn owner(&self) -> OwnerId {
        OwnerId::new(self.text("owner"))
    }

    fn account(&self, name: &str) -> AccountId {
        AccountId(self.number(name))
    }

    fn sid(&self) -> SessionId {
        SessionId::from_bytes(self.bytes("sid").try_into().unwrap())
    }

    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    fn text(&self, name: &str) -> &'a str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("`{name}` is no text: {}", self.0))
    }

    fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or_else(|| panic!("`{name}` is no number: {}", self.0))
    }

    fn list(&self, name: &str) -> impl Iterator<Item = &'a Value> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.unwrap_or_else(|| panic!("`{name}` is no list: {}", self.0)).iter()
    }

    fn time(&self, name: &str) -> Timestamp {
        Timestamp::from_millis(self.number(name))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.text(name)).unwrap_or_else(|| panic!("`{name}` is not hexadecimal: {}", self.0))
    }

    fn bytes32(&self, name: &str) -> [u8; 32] {
        self.bytes(name).try_into().unwrap()
    }

    /// Of a secret text a store keeps the hash alone.
    fn hash_of(&self, name: &str) -> Option<[u8; 32]> {
        let text = self.has(name).then(|| self.text(name))?;
        digest(&SHA256, text.as_bytes()).as_ref().try_into().ok()
    }
}
