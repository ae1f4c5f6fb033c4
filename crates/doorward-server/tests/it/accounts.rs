//! The operator's way to accounts: what the commands make and end, with a server that runs and without one.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use doorward_auth::{
    account::{
        HashedPassword, Hashing, KeyEncryptionKey, Password, Sealed, TotpSeed, TotpStep, Verified, Work, totp_row,
    },
    ports::{Account, Accounts, Clock, Factors, Revocations, Session, Sessions, SystemRng},
    token::AccessClaims,
};
use doorward_backends::upstream::SigningKey;
use doorward_client::{Client, ClimbError, Credentials, Options};
use doorward_server::{Extensions, Node, Running, kek::open_kek, own_tokens::OwnTokens, system::SystemClock};
use doorward_store::Store;
use doorward_testkit::{beginning, login_of};
use doorward_types::{OwnerId, Secret, SessionId};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::spawn_blocking,
};

use crate::{
    commands::{Said, run, run_typing},
    world::read,
};

const CONFIG: &str = r#"
    [server]
    listen = "127.0.0.1:0"
    [internal]
    listen = "127.0.0.1:0"
    [site]
    enabled = true
    name = "Shop"
    url = "https://shop.example"
    [[owner]]
    name = "acme"
    [[gate]]
    name = "chat"
    path = "/chat"
    backend = { echo = {} }
    ladder = [{ jwt = { issuer = "doorward" } }]
"#;

const PASSWORD: &str = "seven lions under a bridge";

/// A folder with a configuration and a store, in which commands run.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("doorward.toml"), CONFIG).unwrap();
        Self { folder }
    }

    /// With an account.
    fn with(name: &str) -> Self {
        let place = Self::new();
        let made = place.typing(&["user", "add", name, "--password-stdin"], &format!("{PASSWORD}\n"));
        assert!(made.well().starts_with(&format!("made `{name}`, member:")));
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn store(&self) -> Store {
        Store::open(&self.path().join("doorward.db").display().to_string()).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Said {
        run(self.path(), arguments)
    }

    fn typing(&self, arguments: &[&str], typed: &str) -> Said {
        run_typing(self.path(), arguments, typed)
    }

    /// As [`run`](Self::run), while a server in this process has its turn.
    async fn beside(&self, arguments: &'static [&'static str]) -> Said {
        let folder = self.path().to_owned();
        spawn_blocking(move || run(&folder, arguments)).await.unwrap()
    }

    async fn account(&self, name: &str) -> Account {
        self.store().find_by_name(&acme(), name).await.unwrap().unwrap()
    }

    /// A server on the store, which follows its revocation log.
    async fn serving(&self) -> Running {
        let node = Node::open(read(CONFIG, &Extensions::default()), self.path(), Extensions::default()).await.unwrap();
        node.listen().await.unwrap()
    }

    /// Somebody logs in: a login by a program, and its token.
    async fn log_in(&self, name: &str, login: u8) -> (Session, Secret) {
        let (store, account, now) = (self.store(), self.account(name).await, SystemClock.now());
        let session = login_of(&account, SessionId::from_bytes([login; 16]), now);
        let as_of = *store.appended().borrow();
        store.open(beginning(session.clone(), None, as_of)).await.unwrap().unwrap();
        let claims = AccessClaims {
            owner: acme(),
            account: account.id,
            username: account.username,
            sid: session.sid,
            id: login.to_string(),
            factors: session.factors.clone(),
            issued_at: now,
            expires_at: now.plus(Duration::from_mins(10)),
        };
        let key = SigningKey::load_or_make(&self.path().join("doorward.db.key"), &SystemRng).unwrap();
        (session, OwnTokens::new(Arc::new(key)).sign(&claims))
    }

    async fn has_password(&self, name: &str, typed: &str) -> bool {
        let kept = HashedPassword::from_secret(self.account(name).await.password);
        let typed = Password::read(&Secret::from_text(typed)).unwrap();
        let hashing = Hashing::new(Work::default(), 1).unwrap();
        matches!(
            hashing.place().unwrap().verify(&typed, Some(&kept), &SystemRng).await.unwrap(),
            Verified::Right { .. }
        )
    }
}

fn acme() -> OwnerId {
    OwnerId::new("acme")
}

async fn climb(running: &Running, token: &Secret) -> Result<Client, ClimbError> {
    let url = format!("ws://{}/chat", running.public());
    let mut client = Client::connect(&url, Options::default()).await.unwrap();
    client.climb(&mut Credentials::new().jwt(token.clone())).await.map(|_| client)
}

#[tokio::test]
async fn an_account_is_made_with_its_password_and_its_role() {
    let place = Place::new();
    let add = ["user", "add", "Alice", "--role", "owner", "--password-stdin", "--json"];
    let made = place.typing(&add, &format!("{PASSWORD}\n")).json();
    assert_eq!((&made["name"], &made["role"], &made["owner"]), (&"Alice".into(), &"owner".into(), &"acme".into()));
    assert!(place.has_password("alice", PASSWORD).await && !place.has_password("alice", "another").await);
    let listed = place.run(&["user", "list", "--json"]).json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]), (1, &made));
    let listed = place.run(&["user", "list"]).well();
    assert!(listed.starts_with("USER ") && listed.contains("\nAlice "), "{listed}");

    let taken = place.typing(&["user", "add", "ALICE", "--password-stdin"], &format!("{PASSWORD}\n"));
    assert_eq!(
        taken.failed(),
        (1, "`acme` has an account of that name already; names differ in more than their case".to_owned())
    );
}

#[test]
fn what_no_account_can_have_is_told_with_what_would_be_right() {
    let place = Place::new();
    let add = |name: &str, typed: &str| place.typing(&["user", "add", name, "--password-stdin"], typed).failed();
    for (name, typed, told) in [
        ("a/b", "", "the username has a `/`; leave it out"),
        ("bob", "short\n", "the password cannot be taken: it has 5 characters and needs 15; "),
        ("bob", "shop shop shop shop\n", "the password cannot be taken: it is little more than the name of this site"),
        ("bob", "shop.example, plum\n", "the password cannot be taken: it is little more than "),
        ("bob", "password1234567\n", "the password cannot be taken: it is one of the most common passwords"),
        ("bob", "", "there is no password on standard input"),
    ] {
        let (code, error) = add(name, typed);
        assert!(code == 1 && error.starts_with(told), "{name}: {error}");
    }
    let (_, error) = place.run(&["user", "add", "bob"]).failed();
    assert_eq!(error, "nobody is there to type the password; give it with `--password-stdin`");
    let role = place.run(&["user", "add", "bob", "--role", "king"]);
    assert!(role.code == Some(2) && role.err.contains("a role is `user`, `owner` or `operator`"), "{role:?}");
    assert_eq!(place.run(&["user", "list", "--json"]).json(), serde_json::json!([]));
}

#[tokio::test]
async fn an_invitation_is_a_link_that_the_site_takes_once() {
    let place = Place::new();
    for command in [&["user", "invite", "--role", "owner"][..], &["user", "add", "--invite", "--role", "owner"]] {
        let said = place.run(command);
        assert!(said.err.contains("for one account with the role `owner`, until "), "{said:?}");
        let link = said.well();
        assert!(link.starts_with("https://shop.example/register#dwi_") && link.lines().count() == 1, "{link}");
        let text = link.rsplit_once('#').unwrap().1;
        let mut hash = [0; 32];
        hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref());
        let kept = place.store().invitation(&acme(), hash, SystemClock.now()).await.unwrap().unwrap();
        assert_eq!(kept.role.as_str(), "owner");
    }
}

#[tokio::test]
async fn a_login_that_ends_takes_its_sockets_along_and_the_receipt_says_how_fast() {
    let place = Place::with("bob");
    let running = place.serving().await;
    let ((first, first_token), (_, second_token)) = (place.log_in("bob", 1).await, place.log_in("bob", 2).await);
    let mut first_socket = climb(&running, &first_token).await.unwrap();
    let mut second_socket = climb(&running, &second_token).await.unwrap();
    let listed = place.beside(&["sessions", "list", "--user", "bob", "--json"]).await.json();
    let sids: Vec<_> = listed.as_array().unwrap().iter().map(|session| session["sid"].as_str().unwrap()).collect();
    assert!(sids.len() == 2 && sids.contains(&first.sid.to_string().as_str()), "{listed}");

    let ended = place.beside(&["sessions", "end", "01010101010101010101010101010101", "--json"]).await.json();
    assert_eq!((&ended["running"], &ended["ended"]), (&true.into(), &1.into()), "{ended}");
    assert!(ended["within_ms"].is_u64() && ended["sockets"].as_array().unwrap().len() == 1, "{ended}");
    assert_eq!(first_socket.next_message().await.unwrap(), None);
    assert_eq!(first_socket.closed().unwrap().code, Some(4410));
    assert!(climb(&running, &first_token).await.is_err(), "its token opens nothing more");

    let said = place.beside(&["sessions", "end", "--user", "bob"]).await.well();
    assert!(said.starts_with("every login of `bob` has ended\nended ") && said.contains("\n1 ended within "), "{said}");
    assert_eq!(second_socket.next_message().await.unwrap(), None);
    assert_eq!(place.beside(&["sessions", "list", "--json"]).await.json(), serde_json::json!([]));
    let (_, error) = place.beside(&["sessions", "end", "01010101010101010101010101010101"]).await.failed();
    assert!(error.contains("or it has ended; `doorward sessions list` shows"), "{error}");
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_comes_back_with_nothing() {
    let place = Place::with("bob");
    let running = place.serving().await;
    let (_, token) = place.log_in("bob", 1).await;
    let mut socket = climb(&running, &token).await.unwrap();
    let said = place.beside(&["user", "disable", "Bob"]).await.well();
    assert!(said.starts_with("`bob` lets nobody in any more\nended "), "{said}");
    assert_eq!(socket.next_message().await.unwrap(), None);
    assert!(climb(&running, &token).await.is_err());
    assert!(
        place.beside(&["user", "disable", "bob"]).await.failed().1.starts_with("`bob` is disabled already, since ")
    );
    assert_eq!(place.beside(&["user", "enable", "bob"]).await.well(), "`bob` may log in again");
    assert!(climb(&running, &token).await.is_err());
    assert_eq!(place.beside(&["user", "enable", "bob"]).await.failed().1, "`bob` is not disabled");
}

#[tokio::test]
async fn not_before_ends_what_is_older_of_one_and_of_everybody() {
    let place = Place::with("bob");
    let running = place.serving().await;
    for command in [&["user", "not-before", "bob", "--json"][..], &["user", "not-before", "--all", "--json"]] {
        let login = u8::try_from(command.len()).unwrap() + u8::from(command.contains(&"--all"));
        let (_, token) = place.log_in("bob", login).await;
        let mut socket = climb(&running, &token).await.unwrap();
        let ended = place.beside(command).await.json();
        assert_eq!(ended["ended"], 1, "{ended}");
        assert_eq!(socket.next_message().await.unwrap(), None);
        assert!(climb(&running, &token).await.is_err());
    }
    let (_, error) = place.beside(&["user", "not-before", "bob", "--at", "2999-01-01T00:00:00Z"]).await.failed();
    assert!(error.contains("has yet to come; until then nobody could log in"), "{error}");
}

#[tokio::test]
async fn without_a_server_it_is_written_down_and_said_that_nothing_was_open() {
    let place = Place::with("bob");
    let (session, _) = place.log_in("bob", 1).await;
    let said = place.run(&["sessions", "end", &session.sid.to_string()]).well();
    assert_eq!(said, "the login of `bob` has ended; no server runs, nothing was open");
    assert!(place.store().find_by_id(&acme(), session.sid, SystemClock.now()).await.unwrap().is_none());
    assert_eq!(place.run(&["user", "disable", "bob", "--json"]).json(), serde_json::json!({ "running": false }));
    assert!(place.account("bob").await.disabled_at.is_some());
}

#[tokio::test]
async fn another_password_ends_the_logins_of_the_one_before() {
    let place = Place::with("bob");
    let (session, _) = place.log_in("bob", 1).await;
    let next = "eleven boats beyond the hill";
    let said = place.typing(&["user", "passwd", "bob", "--password-stdin"], &format!("{next}\n")).well();
    assert!(said.starts_with("`bob` has another password"), "{said}");
    assert!(place.has_password("bob", next).await && !place.has_password("bob", PASSWORD).await);
    assert!(place.store().find_by_id(&acme(), session.sid, SystemClock.now()).await.unwrap().is_none());
}

#[tokio::test]
async fn an_app_is_enrolled_by_one_of_its_codes_and_taken_off_again() {
    let place = Place::with("bob");
    let id = place.account("bob").await.id;
    let totp = || async { place.store().totp(&acme(), id).await.unwrap() };

    let unconfirmed = place.run(&["totp", "enroll", "bob", "--unconfirmed", "--json"]).json();
    assert!(unconfirmed["address"].as_str().unwrap().starts_with("otpauth://totp/Shop:bob?secret="), "{unconfirmed}");
    let sealed = Sealed::from_bytes(totp().await.unwrap().sealed);
    let kept = kek(&place).open(&sealed, &totp_row(&acme(), id)).unwrap();
    let base32 = TotpSeed::from_secret(kept).unwrap().base32();
    assert_eq!(unconfirmed["secret"], base32.reveal_text("test").unwrap(), "what lies in the store is what was shown");
    let mode = fs::metadata(place.path().join("doorward.db.kek")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let wrong = place.typing(&["totp", "enroll", "bob"], "123\n\n");
    assert!(wrong.out.contains("that is not its code at this time"), "{wrong:?}");
    assert!(wrong.failed().1.starts_with("no code was typed, so the app does not count"));
    assert!(totp().await.unwrap().confirmed_at.is_none());

    let codes = enrol(&place).await;
    assert_eq!(codes.len(), 10);
    assert!(totp().await.unwrap().confirmed_at.is_some());
    assert_eq!(place.store().recovery_codes_left(&acme(), id).await.unwrap(), 10);
    let (_, error) = place.run(&["totp", "enroll", "bob"]).failed();
    assert_eq!(error, "`bob` has an authenticator app already; `doorward totp remove bob` takes it off");

    // With a second factor a shorter password is enough.
    let said = place.typing(&["user", "passwd", "bob", "--password-stdin"], "blue giraffe\n").well();
    assert!(said.starts_with("`bob` has another password"), "{said}");
    assert!(place.run(&["totp", "remove", "bob"]).well().starts_with("`bob` logs in without a code"));
    assert!(totp().await.is_none());
    assert_eq!(place.run(&["totp", "remove", "bob"]).failed().1, "`bob` has no authenticator app");
}

/// Enrols as a person does: reads the secret, types the code of the app. Gives the recovery codes.
async fn enrol(place: &Place) -> Vec<String> {
    use std::io::{BufRead, BufReader, Write};
    let mut child = crate::commands::spawn_typing(place.path(), &["totp", "enroll", "bob"]);
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let secret = out.find_map(|line| line.strip_prefix("or type: ").map(|secret| secret.replace(' ', ""))).unwrap();
    let code = seed_of(&secret).code(TotpStep::at(SystemClock.now()));
    writeln!(child.stdin.take().unwrap(), "{}", code.reveal_text("test").unwrap()).unwrap();
    let codes = out.skip_while(|line| !line.contains("recovery codes")).skip(1).collect();
    assert!(child.wait().unwrap().success());
    codes
}

fn seed_of(base32: &str) -> TotpSeed {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let five = |letter: u8| LETTERS.iter().position(|known| *known == letter).unwrap();
    let bits: String = base32.bytes().map(|letter| format!("{:05b}", five(letter))).collect();
    let byte = |at: usize| u8::from_str_radix(&bits[at..at + 8], 2).unwrap();
    let bytes: Vec<u8> = (0..bits.len()).step_by(8).map(byte).collect();
    TotpSeed::from_secret(Secret::new(bytes)).unwrap()
}

fn kek(place: &Place) -> KeyEncryptionKey {
    open_kek(&read(CONFIG, &Extensions::default()), place.path(), &SystemRng).unwrap()
}

#[test]
fn an_account_that_is_not_there_and_an_owner_that_is_not_there_are_told() {
    let place = Place::with("bob");
    for command in [
        &["user", "disable", "eve"][..],
        &["user", "enable", "eve"],
        &["user", "not-before", "eve"],
        &["user", "passwd", "eve", "--password-stdin"],
        &["sessions", "list", "--user", "eve"],
        &["sessions", "end", "--user", "eve"],
        &["totp", "enroll", "eve"],
        &["totp", "remove", "eve"],
    ] {
        let (code, error) = place.run(command).failed();
        let expected = "`acme` has no account `eve`; `doorward user list` shows those that there are";
        assert_eq!((code, error.as_str()), (1, expected), "{command:?}");
        let (_, error) = place.run(&[command, &["--owner", "default"]].concat()).failed();
        assert_eq!(error, "there is no owner `default`; there are `acme`", "{command:?}");
    }
    for command in [&["user", "list"][..], &["user", "invite"], &["sessions", "list"]] {
        let (_, error) = place.run(&[command, &["--owner", "default"]].concat()).failed();
        assert_eq!(error, "there is no owner `default`; there are `acme`", "{command:?}");
    }
}

#[test]
fn a_command_that_only_looks_or_changes_makes_no_store() {
    let place = Place::new();
    for command in [
        &["user", "list"][..],
        &["user", "disable", "bob"],
        &["user", "enable", "bob"],
        &["user", "passwd", "bob", "--password-stdin"],
        &["user", "not-before", "bob"],
        &["user", "not-before", "--all"],
        &["sessions", "list"],
        &["sessions", "end", "--user", "bob"],
        &["totp", "enroll", "bob"],
        &["totp", "remove", "bob"],
        &["keys", "list"],
        &["keys", "revoke", "k"],
        &["apikey", "list"],
        &["apikey", "revoke", "k"],
        &["why", "00000000000000000000000000000000"],
    ] {
        let (code, error) = place.run(command).failed();
        assert!(code == 1 && error.starts_with("there is no store at `"), "{command:?}: {error}");
        assert!(error.ends_with("doorward.db`"), "{command:?}: {error}");
        assert!(!place.path().join("doorward.db").exists(), "{command:?}");
    }
}

#[tokio::test]
async fn a_server_whose_store_was_removed_is_not_ready_and_gets_no_second_one_beside_it() {
    let place = Place::with("bob");
    let running = place.serving().await;
    let internal = running.internal();
    assert!(ready(internal).await.starts_with("HTTP/1.1 200 "));
    let (store, aside) = (place.path().join("doorward.db"), place.path().join("aside.db"));
    fs::rename(&store, &aside).unwrap();
    let told = ready(internal).await;
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("the file of the store is not there"), "{told}");
    let (_, error) = place.beside(&["user", "disable", "bob"]).await.failed();
    assert!(error.starts_with("there is no store at `"), "{error}");
    let (_, error) = place.beside(&["user", "invite"]).await.failed();
    assert!(error.contains("a server runs on the store `") && error.contains("whose file is gone"), "{error}");
    assert!(!store.exists());
    let said = place.beside(&["health"]).await;
    assert!(said.code == Some(1) && said.out.starts_with("astray"), "{said:?}");
    fs::rename(&aside, &store).unwrap();
    assert!(ready(internal).await.starts_with("HTTP/1.1 200 "));
}

async fn ready(at: std::net::SocketAddr) -> String {
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    stream.write_all(b"GET /ready HTTP/1.1\r\nHost: node.example\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_to_set_a_password_voids_the_old_one_and_is_shown_once() {
    let place = Place::with("bob");
    place.log_in("bob", 1).await;
    let before = place.account("bob").await.password;
    let said = place.run(&["user", "passwd", "bob", "--link"]).well();
    assert!(said.contains("https://shop.example/reset#dwi_"), "{said}");
    let bob = place.account("bob").await;
    assert_ne!(bob.password, before, "the old password still opens the account");
    assert_eq!(place.store().of_account(&acme(), bob.id, SystemClock.now()).await, Ok(vec![]));
    let made = place.run(&["user", "passwd", "bob", "--link", "--json"]).json();
    let text = made["link"].as_str().unwrap().split('#').nth(1).unwrap();
    let hash = doorward_auth::hash_of_invitation(text).unwrap();
    assert!(place.store().take_reset(&acme(), hash, SystemClock.now()).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operator_does_to_an_account_is_listed_by_its_name_with_a_server_and_without_one() {
    let place = Place::with("bob");
    place.log_in("bob", 1).await;
    place.run(&["sessions", "end", &SessionId::from_bytes([1; 16]).to_string()]).well();
    place.run(&["sessions", "end", "--user", "bob"]).well();
    place.run(&["user", "disable", "bob"]).well();
    place.run(&["user", "enable", "bob"]).well();
    let expected = |text: &str| {
        let events: Vec<_> = text.lines().map(|line| line.split_whitespace().nth(4).unwrap().to_owned()).collect();
        let all = ["account_enabled,", "account_disabled,", "sessions_ended,", "session_ended:", "registered:"];
        assert_eq!(events, all, "{text}");
        assert!(text.contains("by the operator, on the command line"), "{text}");
    };
    let said = place.run(&["why", "--user", "bob"]).well();
    expected(&said);
    let trace = said.split_whitespace().nth(1).unwrap();
    let one = place.run(&["why", trace]).well();
    assert!(one.contains("account  member:1 (bob)\nevent    account_enabled\n"), "{one}");
    let _running = place.serving().await;
    expected(&place.beside(&["why", "--user", "bob"]).await.well());
    let (_, error) = place.beside(&["why", "--user", "rob"]).await.failed();
    assert!(error.contains("`acme` has no account `rob`"), "{error}");
}
