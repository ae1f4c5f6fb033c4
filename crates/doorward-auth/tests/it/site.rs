//! The site of `acme` with one account, bob's: logins, a phone, keys.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use doorward_auth::{
    Handshake, Ladder, Refusal, Rung,
    account::{
        Hashing, KeyEncryptionKey, Password, PasswordRules, PasswordUse, RecoveryCode, TotpSeed, TotpStep, Username,
        Work, totp_row,
    },
    layers::{RungConfig, SiteTools, handshake::origin::Origins},
    ports::{
        Accounts, Change, Created, Ending, Factors, NewAccount, Ports, Revocations, Role, Session, Sessions, SystemRng,
        What, Why,
    },
    trail::RungTrail,
};
use doorward_testkit::{Peer, Switched, World, beginning, login_of};
use doorward_types::{AccountId, KeyText, Secret, SessionId};
use serde_json::Value;

use crate::support::context;

pub(crate) const PASSWORD: &str = "a plum, a teapot, a moth";
pub(crate) const PAGE: &str = "https://app.example";

/// A world with that site.
pub(crate) struct SiteWorld {
    pub(crate) world: World,
    pub(crate) tools: SiteTools,
    pub(crate) seed: TotpSeed,
    /// Bob.
    pub(crate) bob: AccountId,
    pub(crate) port: Arc<Switched>,
    knocks: AtomicU32,
}

/// The cookie of that kind, as a browser shows it.
pub(crate) fn cookie(kind: KeyText, byte: u8) -> Secret {
    kind.write(&[byte; 32])
}

/// The hash under which the site keeps a cookie.
fn hash(kind: KeyText, byte: u8) -> [u8; 32] {
    World::kept_as(&cookie(kind, byte))
}

impl SiteWorld {
    /// Bob has an account, and nothing else.
    pub(crate) async fn new() -> Self {
        let world = World::new();
        let hashing = Arc::new(Hashing::new(Work::dangerously_cheap_for_tests(), 2).unwrap());
        let bob = account(&world, &hashing, "Bob").await;
        let sealing = KeyEncryptionKey::from_secret(Secret::new([9; 32])).unwrap();
        let port = Arc::new(Switched::of(world.site.clone()));
        let seed = TotpSeed::from_secret(Secret::from_text("12345678901234567890")).unwrap();
        Self { world, tools: SiteTools { hashing, sealing }, seed, bob, port, knocks: AtomicU32::new(0) }
    }

    /// Somebody else.
    pub(crate) async fn another(&self) -> AccountId {
        account(&self.world, &self.tools.hashing, "Eve").await
    }

    pub(crate) fn ports(&self) -> Ports {
        let mut ports = self.world.ports();
        ports.site.sessions = self.port.clone();
        ports.site.throttle = self.port.clone();
        ports.site.key_entries = self.port.clone();
        ports.site.revocations = self.port.clone();
        ports
    }

    pub(crate) fn rung(&self, config: Value) -> Rung {
        let config: RungConfig = serde_json::from_value(config).unwrap();
        let origins = Origins::Listed(vec![PAGE.to_owned()]);
        context(&self.ports(), &origins, Some(&self.tools), |context| config.build(context)).unwrap()
    }

    pub(crate) fn ladder(&self, config: Value) -> Ladder {
        Ladder::new(vec![self.rung(config)]).unwrap()
    }

    /// A request of bob's page, with the cookies of that login and that browser.
    pub(crate) fn request(session: Option<u8>, browser: Option<u8>) -> Handshake {
        Handshake {
            origin: Some(PAGE.into()),
            session: session.map(|byte| cookie(KeyText::Session, byte)),
            browser: browser.map(|byte| cookie(KeyText::Browser, byte)),
            ..World::handshake()
        }
    }

    /// Begins a climb; each comes from an address of its own, so that none has to wait for what another has cost.
    pub(crate) async fn knock(&self, ladder: &Ladder, request: Handshake) -> Result<Peer, (Refusal, Vec<RungTrail>)> {
        let knock = self.knocks.fetch_add(1, Ordering::SeqCst);
        let [.., high, low] = knock.to_be_bytes();
        self.world.knock(ladder, Handshake { source: IpAddr::from([10, 0, high, low]), ..request }).await
    }

    /// Somebody logs in.
    pub(crate) async fn log_in(&self, account: AccountId, login: u8, browser: Option<u8>) -> Session {
        self.log_in_by(&["pwd"], account, login, browser).await
    }

    /// The same by those factors.
    pub(crate) async fn log_in_by(
        &self,
        factors: &[&str],
        account: AccountId,
        login: u8,
        browser: Option<u8>,
    ) -> Session {
        let account = Accounts::find(&*self.world.site, &World::owner(), account).await.unwrap().unwrap();
        let session = Session {
            browser: browser.map(|byte| hash(KeyText::Browser, byte)),
            factors: factors.iter().map(|factor| (*factor).to_owned()).collect(),
            ..login_of(&account, SessionId::from_bytes([login; 16]), World::NOW)
        };
        let hash = Some(hash(KeyText::Session, login));
        let as_of = *self.world.site.appended().borrow();
        self.world.site.open(beginning(session.clone(), hash, as_of)).await.unwrap().unwrap();
        session
    }

    pub(crate) async fn log_out(&self, session: &Session) {
        self.end(What::Rest(session.rest()), None).await;
    }

    pub(crate) async fn disable(&self) {
        self.end(What::Rest(self.bob.subject("Bob").rest()), Some(Change::Disable(self.bob))).await;
    }

    async fn end(&self, what: What, change: Option<Change>) {
        let owner = Some(World::owner());
        let ending = Ending { owner, what, why: Why::Revoked, change, at: World::NOW };
        self.world.site.end(ending).await.unwrap();
    }

    /// The login as it is kept.
    pub(crate) async fn kept(&self, session: &Session) -> Session {
        let now = self.world.ports().clock.now();
        self.world.site.find_by_id(&World::owner(), session.sid, now).await.unwrap().unwrap()
    }

    /// Bob's phone is enrolled, and confirmed where that is said.
    pub(crate) async fn enrol(&self, confirmed: bool) -> [RecoveryCode; 10] {
        let (owner, codes) = (World::owner(), RecoveryCode::draw_all(&SystemRng));
        let sealed = self.tools.sealing.seal(self.seed.secret(), &totp_row(&owner, self.bob), &SystemRng).into_bytes();
        self.enrol_as(sealed, confirmed, &codes).await;
        codes
    }

    pub(crate) async fn enrol_as(&self, sealed: Vec<u8>, confirmed: bool, codes: &[RecoveryCode]) {
        let (site, owner, now) = (&self.world.site, World::owner(), World::NOW);
        assert!(site.enrol_totp(&owner, self.bob, sealed.clone(), now).await.unwrap());
        if confirmed {
            let (step, hashes) = (TotpStep::at(now).0 - 10, codes.iter().map(RecoveryCode::hash).collect());
            assert!(site.confirm_totp(&owner, self.bob, sealed, step, hashes, now).await.unwrap());
        }
    }
}

async fn account(world: &World, hashing: &Hashing, name: &str) -> AccountId {
    let username = Username::parse(name).unwrap();
    let password = Password::read(&Secret::from_text(PASSWORD)).unwrap();
    let password =
        PasswordRules::of_site("Shop", ["shop.example"]).check(password, &username, PasswordUse::Alone).unwrap();
    let account = NewAccount {
        owner: World::owner(),
        username: username.shown().to_owned(),
        unique: username.unique().to_owned(),
        role: Role::User,
        password: hashing.hash(&password, &SystemRng).await.unwrap().into_secret(),
        invitation: None,
        at: World::NOW,
    };
    match world.site.create(account).await.unwrap() {
        Created::Account(account) => account.id,
        other => panic!("{other:?}"),
    }
}
