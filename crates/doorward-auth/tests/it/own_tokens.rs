//! Tokens of the built-in site: worth as much as the logins behind them.

use std::sync::Arc;

use doorward_auth::{
    Handshake, Ladder, Level, Rung,
    layers::{BuildContext, RungConfig, handshake::origin::Origins},
    ports::{Account, Created, Ending, NewAccount, Role, Session, SitePorts, What, Why},
    token::{AccessClaims, Issuer},
};
use doorward_testkit::{Heard, World, beginning, login_of, tokens::TestKey};
use doorward_types::{Answer, Cursor, KeyText, OwnerId, Rest, Secret, SessionId, Timestamp};
use serde_json::{Value, json};

use crate::support::{issuer, key, later};

/// A site of `acme`, one login at it, and the key that its tokens are signed with.
struct Site {
    world: World,
    key: TestKey,
    account: Account,
    session: Session,
}

/// Some while before the world begins: what a token says of its own age is another time.
fn earlier() -> Timestamp {
    Timestamp::from_secs(World::NOW.as_secs() - 600)
}

impl Site {
    async fn new() -> Self {
        let world = World::new();
        let ports = SitePorts::of(&world.site);
        let account = account(&ports, "bob").await;
        let session = Session {
            last_seen: World::NOW,
            expires_at: later(3600),
            ..login_of(&account, SessionId::from_bytes([0xab; 16]), earlier())
        };
        ports.sessions.open(beginning(session.clone(), None, Cursor(0))).await.unwrap().unwrap();
        Self { world, key: TestKey::ed25519(), account, session }
    }

    fn claims(&self) -> AccessClaims {
        AccessClaims {
            owner: World::owner(),
            account: self.account.id,
            username: self.account.username.clone(),
            sid: self.session.sid,
            id: "token-1".to_owned(),
            factors: vec!["pwd".to_owned()],
            issued_at: World::NOW,
            expires_at: later(600),
        }
    }

    fn sign(&self, claims: &AccessClaims) -> String {
        let claims: Value = serde_json::from_str(&claims.payload()).unwrap();
        self.key.sign(&json!({ "alg": "EdDSA", "typ": AccessClaims::TYPE }), &claims)
    }

    fn token(&self) -> String {
        self.sign(&self.claims())
    }

    /// A ladder of `acme`.
    fn ladder(&self, rung: Value) -> Ladder {
        Ladder::new(vec![self.rung(World::owner(), rung)]).unwrap()
    }

    /// A rung of that owner's, who takes the tokens of an issuer `site` beside those of the server's own.
    fn rung(&self, owner: OwnerId, rung: Value) -> Rung {
        let own = Issuer::own(&owner, &self.key.public_bytes());
        let issuers =
            [(Issuer::OWN.to_owned(), Arc::new(own)), ("site".to_owned(), Arc::new(issuer(&key(), json!({}))))];
        let context = BuildContext {
            owner,
            ports: self.world.ports(),
            issuers: &issuers.into(),
            kept_claims: ["amr".to_owned()].into(),
            authenticators: &Default::default(),
            read_secret: &|_| Err("no such file".to_owned()),
            origins: &Origins::SameHost,
            on_expiry: doorward_auth::OnExpiry::Close,
            site: None,
        };
        serde_json::from_value::<RungConfig>(rung).unwrap().build(&context).unwrap()
    }

    async fn end(&self, what: What) {
        let owner = Some(World::owner());
        let ending = Ending { owner, what, why: Why::LoggedOut, change: None, at: World::NOW };
        SitePorts::of(&self.world.site).revocations.end(ending).await.unwrap();
    }

    /// What a gate says to a token in a message.
    async fn heard(&self, ladder: &Ladder, token: &str) -> Heard {
        let mut peer = self.world.knock(ladder, World::handshake()).await.unwrap();
        peer.play("< ask jwt: user sends token").await;
        peer.say(Answer::to_layer("jwt").with_text("token", token));
        peer.hear().await
    }
}

async fn account(ports: &SitePorts, name: &str) -> Account {
    let account = NewAccount {
        owner: World::owner(),
        username: name.to_owned(),
        unique: name.to_owned(),
        role: Role::User,
        password: Secret::from_text("$argon2id$of the first"),
        invitation: None,
        at: earlier(),
    };
    match ports.accounts.create(account).await.unwrap() {
        Created::Account(account) => account,
        other => panic!("{other:?}"),
    }
}

fn own() -> Value {
    json!({ "jwt": { "issuer": "doorward" } })
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_site_rests_on_its_login_and_is_as_old_as_that() {
    let site = Site::new().await;
    let admission = site.heard(&site.ladder(own()), &site.token()).await.admission.unwrap();
    let rests: Vec<_> = admission.rests_on().iter().map(Rest::to_string).collect();
    let sid = format!("sid={}", site.session.sid);
    assert_eq!(rests, ["gate=fancy", "subject=member:1", "jti=token-1", &sid, "issuer=doorward"]);
    assert_eq!(admission.subject().unwrap(), &site.account.subject());
    assert_eq!((admission.issued_at(), admission.expires_at()), (earlier(), Some(later(600))));
    assert_eq!(admission.claims()["amr"], ["pwd"]);
    let evidence = &admission.evidence()[0];
    assert_eq!((evidence.amr, evidence.level), (&["pwd"][..], Level::Low), "no more than the login itself would prove");
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_login_has_ended_opens_nothing_however_long_it_would_hold() {
    let endings: [fn(&Site) -> What; 3] = [
        |site| What::Rest(site.session.rest()),
        |site| What::Rest(site.account.subject().rest()),
        |_| What::NotBefore { subject: None, at: World::NOW },
    ];
    for what in endings {
        let site = Site::new().await;
        let (ladder, token) = (site.ladder(own()), site.token());
        assert_eq!(site.heard(&ladder, &token).await.line, format!("admitted {}", site.account.subject()));
        site.end(what(&site)).await;
        assert_eq!(site.heard(&ladder, &token).await.line, "refused not_authenticated");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bearer_token_whose_login_has_ended_is_refused_before_the_socket_opens() {
    let site = Site::new().await;
    let ladder = site.ladder(json!({ "bearer": { "issuer": "doorward" } }));
    let request = || Handshake { bearer: Some(Secret::from_text(site.token())), ..World::handshake() };
    let line = site.world.knock(&ladder, request()).await.unwrap().hear().await.line;
    assert_eq!(line, format!("admitted {}", site.account.subject()));
    site.end(What::Rest(site.session.rest())).await;
    let (refusal, _) = site.world.knock(&ladder, request()).await.err().unwrap();
    assert!(refusal.to_string().contains("the login that the token comes from has ended"), "{refusal}");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_was_idle_too_long_opens_nothing_by_its_token() {
    let site = Site::new().await;
    let lasting = AccessClaims { expires_at: later(7200), ..site.claims() };
    site.world.clock.set(later(31 * 60));
    assert_eq!(site.heard(&site.ladder(own()), &site.sign(&lasting)).await.line, "refused not_authenticated");
}

#[tokio::test(start_paused = true)]
async fn a_token_says_nothing_about_a_login_of_somebody_else() {
    let site = Site::new().await;
    let alice = account(&SitePorts::of(&site.world.site), "alice").await;
    for claims in [
        AccessClaims { account: alice.id, username: alice.username.clone(), ..site.claims() },
        AccessClaims { sid: SessionId::from_bytes([0xac; 16]), ..site.claims() },
        AccessClaims { owner: OwnerId::new("globex"), ..site.claims() },
    ] {
        assert_eq!(site.heard(&site.ladder(own()), &site.sign(&claims)).await.line, "refused not_authenticated");
    }
    let mut claims: Value = serde_json::from_str(&site.claims().payload()).unwrap();
    claims.as_object_mut().unwrap().remove("sid");
    let token = site.key.sign(&json!({ "alg": "EdDSA", "typ": "at+jwt" }), &claims);
    assert_eq!(site.heard(&site.ladder(own()), &token).await.line, "refused not_authenticated");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_one_owner_opens_no_gate_of_another() {
    let site = Site::new().await;
    let theirs = Ladder::new(vec![site.rung(OwnerId::new("globex"), own())]).unwrap();
    assert_eq!(site.heard(&theirs, &site.token()).await.line, "refused not_authenticated");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_opens_nothing() {
    let site = Site::new().await;
    let refresh = KeyText::Refresh.write(&[7; 32]);
    let text = refresh.reveal_text("test").unwrap();
    assert_eq!(site.heard(&site.ladder(own()), text).await.line, "refused not_authenticated");
}

#[tokio::test(start_paused = true)]
async fn the_site_lets_nobody_in_where_the_ladder_names_no_issuer() {
    let site = Site::new().await;
    assert_eq!(site.heard(&site.ladder(json!({ "jwt": {} })), &site.token()).await.line, "refused not_authenticated");
}
