//! The program itself: every command against a running server, and one clear line where something cannot be.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::mpsc::RecvTimeoutError,
    time::Duration,
};

use doorward_client::{Client, ClimbError, ConnectError, Credentials, Message, Options};
use doorward_types::Secret;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What it said when it worked.
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out.trim_end().to_owned()
    }

    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.well()).unwrap()
    }

    /// The one line that says what is wrong, and the exit code.
    pub(crate) fn failed(self) -> (i32, String) {
        let errors: Vec<_> = self.err.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
        (self.code.unwrap(), errors[0]["error: ".len()..].to_owned())
    }
}

/// The program in that folder, with ports that the system gives.
pub(crate) fn doorward(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("DOORWARD_SERVER_LISTEN", "127.0.0.1:0")
        .env("DOORWARD_INTERNAL_LISTEN", "127.0.0.1:0")
        .env("DOORWARD_SERVER_SHUTDOWN", "1s");
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Said {
    run_with(folder, arguments, &[])
}

/// The program, while somebody types into it and reads what it says.
pub(crate) fn spawn_typing(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = doorward(folder, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// As [`run`], with these lines typed.
pub(crate) fn run_typing(folder: &Path, arguments: &[&str], typed: &str) -> Said {
    let mut child = spawn_typing(folder, arguments);
    // Nobody reads it where the command has ended before.
    let _unread = child.stdin.take().unwrap().write_all(typed.as_bytes());
    Said::of(child.wait_with_output().unwrap())
}

fn run_with(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    let output = doorward(folder, arguments).envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap();
    Said::of(output)
}

/// A server that runs, until it is stopped or dropped.
pub(crate) struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) public: String,
    internal: String,
}

impl Serving {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::logging_to(Stdio::null(), folder, arguments)
    }

    fn logging_to(log: impl Into<Stdio>, folder: &Path, arguments: &[&str]) -> Self {
        Self::start_as(doorward(folder, arguments).stderr(log))
    }

    fn start_as(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut serving = Self { child, out, public: String::new(), internal: String::new() };
        serving.public = serving.line().strip_prefix("listening on ").unwrap().to_owned();
        let internal = serving.line();
        let internal = internal.strip_prefix("listening on ").and_then(|line| line.strip_suffix(" (internal)"));
        serving.internal = internal.unwrap().to_owned();
        serving
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Tells it to leave, and gives its exit code.
    fn stop(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }

    async fn climb(&self, path: &str, credentials: Credentials) -> Result<Client, ClimbError> {
        let url = format!("ws://{}{path}", self.public);
        let mut client = Client::connect(&url, Options::default()).await.unwrap();
        client.climb(&mut { credentials }).await.map(|_| client)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A gate for tickets, one for app keys, one for tokens that may be used once and one that shows a glyph, beside the first gate.
const MORE: &str = r#"
    [[gate]]
    name = "tickets"
    path = "/tickets"
    backend = { echo = {} }
    ladder = [{ ticket = { via = ["message"] } }]
    [[gate]]
    name = "robots"
    path = "/robots"
    backend = { echo = {} }
    ladder = [{ app_key = {} }]
    [[gate]]
    name = "once"
    path = "/once"
    backend = { echo = {} }
    ladder = [{ jwt = { issuer = "site", single_use = true } }]
    [[gate]]
    name = "ident"
    path = "/ident"
    backend = { echo = {} }
    ladder = [{ ident = { glyph = "*" } }]
"#;

/// A folder with what `genconfig` writes, and more gates.
pub(crate) fn generated() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let wrote = run(folder.path(), &["genconfig"]).well();
    assert!(wrote.contains("wrote doorward.toml"), "{wrote}");
    fs::OpenOptions::new()
        .append(true)
        .open(folder.path().join("doorward.toml"))
        .unwrap()
        .write_all(MORE.as_bytes())
        .unwrap();
    folder
}

/// A configuration with these owners and nothing else, in a folder of its own.
fn owned_by(owners: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let owner = |name: &&str| format!("[[owner]]\nname = \"{name}\"\n");
    fs::write(folder.path().join("doorward.toml"), owners.iter().map(owner).collect::<String>()).unwrap();
    folder
}

fn secret(text: &str) -> Secret {
    Secret::from_text(text)
}

#[tokio::test]
async fn what_genconfig_writes_is_served_and_every_command_works_against_it() {
    let folder = generated();
    let here = folder.path();
    assert_eq!(run(here, &["checkconfig"]).code, Some(0));
    let (code, error) = run(here, &["health"]).failed();
    assert_eq!(code, 1);
    assert!(error.contains("no doorward is running on this store"), "{error}");
    let serving = Serving::start(here, &["serve"]);
    assert!(run(here, &["health"]).well().starts_with("ok: 0 sockets, 0 climbing, 5 gates"));

    let token = run(here, &["gentoken", "--issuer", "site", "--subject", "7", "--claim", "groups=3"]).well();
    let checked = run_with(here, &["checktoken", "--issuer", "site"], &[("DOORWARD_TOKEN", &token)]).well();
    assert!(checked.starts_with("valid: of user:7, until "), "{checked}");
    let (code, error) = run_with(here, &["checktoken", "--issuer", "site"], &[("DOORWARD_TOKEN", "x.y.z")]).failed();
    assert!(code == 1 && error.starts_with("the token is refused: "), "{error}");
    let mut by_token = serving.climb("/chat", Credentials::new().jwt(secret(&token))).await.unwrap();

    let ticket = run(here, &["genticket", "--gate", "tickets", "--subject", "member:8", "--json"]).json();
    let ticket = ticket["ticket"].as_str().unwrap();
    let mut by_ticket = serving.climb("/tickets", Credentials::new().ticket(secret(ticket))).await.unwrap();
    let again = serving.climb("/tickets", Credentials::new().ticket(secret(ticket))).await.err();
    let Some(ClimbError::Refused(refused)) = again else { panic!("{again:?}") };
    let why = run(here, &["why", &refused.trace]).well();
    assert!(why.contains("verdict  refused: ") && why.contains("the peer was told 4401"), "{why}");
    assert!(!why.contains(&ticket[4..]), "{why}");

    let key = run(here, &["keygen", "--subject", "robot:9", "--json"]).json();
    let (id, text) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    let mut by_key = serving.climb("/robots", Credentials::new().app_key(text).unwrap()).await.unwrap();
    assert!(run(here, &["keys", "list"]).well().contains(id));
    let listed = run(here, &["sockets", "list", "--json"]).json();
    assert_eq!((&listed["total"], listed["sockets"].as_array().unwrap().len()), (&Value::from(3), 3));

    assert_eq!(run(here, &["keys", "revoke", id]).well(), "revoked; 1 socket ended");
    assert_eq!(by_key.next_message().await.unwrap(), None);
    assert_eq!(by_key.closed().unwrap().code, Some(4410));
    assert!(serving.climb("/robots", Credentials::new().app_key(text).unwrap()).await.is_err());
    let ended = run(here, &["sockets", "end", "subject=user:7", "--json"]).json();
    assert_eq!(ended["ended"], 1);
    assert_eq!(by_token.next_message().await.unwrap(), None);
    assert_eq!(by_token.closed().unwrap().code, Some(4410));

    assert!(!serving.internal.is_empty());
    assert_eq!(serving.stop(), Some(0));
    assert_eq!(by_ticket.next_message().await.unwrap(), None);
    assert_eq!(by_ticket.closed().unwrap().code, Some(1012));
    assert!(run(here, &["why", &refused.trace]).well().contains("verdict  refused: "), "also without a server");
}

#[test]
fn what_is_made_for_an_owner_is_for_the_only_one_or_for_one_that_there_is() {
    let acme = owned_by(&["acme"]);
    let key = run(acme.path(), &["keygen", "--subject", "robot:9", "--json"]).json();
    let id = key["id"].as_str().unwrap();
    assert!(run(acme.path(), &["keys", "list", "--owner", "acme"]).well().contains(id));
    let revoke = |id| run(acme.path(), &["keys", "revoke", id]);
    assert!(revoke(id).well().starts_with("revoked"));
    assert!(revoke(id).failed().1.starts_with(&format!("the key `{id}` is revoked already, since 2")));
    let unknown = "`acme` has no key `nonsense`; `doorward keys list` shows those that there are";
    assert_eq!(revoke("nonsense").failed().1, unknown);
    let made = run(acme.path(), &["keygen", "--subject", "robot:9"]);
    assert!(made.err.starts_with("note: its id"), "{made:?}");
    assert!(made.out.starts_with("dwk_") && made.out.lines().count() == 1, "for a file: the key alone");
    for command in [
        &["keygen", "--subject", "robot:9"][..],
        &["keys", "list"],
        &["keys", "revoke", id],
        &["sockets", "list"],
        &["sockets", "end", "gate=chat"],
        &["genticket", "--any-gate", "--subject", "member:7"],
    ] {
        let (code, error) = run(acme.path(), &[command, &["--owner", "default"]].concat()).failed();
        assert_eq!((code, error.as_str()), (1, "there is no owner `default`; there are `acme`"), "{command:?}");
    }
    let two = owned_by(&["acme", "other"]);
    for command in [&["keygen", "--subject", "robot:9"][..], &["keys", "list"], &["keys", "revoke", id]] {
        let (code, error) = run(two.path(), command).failed();
        assert_eq!((code, error.as_str()), (1, "whose? Name an owner with `--owner`; there are `acme`, `other`"));
    }
}

/// The first page is pasted line by line, so its token has to be good for its messages.
#[test]
fn a_key_to_the_api_is_shown_once_listed_without_its_secret_and_revoked_once() {
    let folder = owned_by(&["acme", "globex"]);
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    let scoped = ["apikey", "add", "ci", "--owner", "acme", "--scope", "sockets:read", "--json"];
    let made = run(&scoped).json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(secret.starts_with("dwa_"), "{made}");
    let all = run(&["apikey", "add", "operator", "--all"]).well();
    assert!(all.starts_with("dwa_"));
    let listed = run(&["apikey", "list"]).well();
    assert!(listed.contains(id) && listed.contains("audit:read"), "{listed}");
    assert!(!listed.contains(secret) && !listed.contains(&all), "{listed}");
    let of_acme = run(&["apikey", "list", "--owner", "acme", "--json"]).json();
    assert_eq!((of_acme.as_array().unwrap().len(), &of_acme[0]["id"]), (1, &id.into()));
    let (_, unknown) = run(&["apikey", "revoke", id, "--owner", "globex"]).failed();
    assert!(unknown.contains("apikey list"), "{unknown}");
    assert_eq!(run(&["apikey", "revoke", id]).well(), "revoked");
    assert_eq!(run(&["apikey", "revoke", id]).failed().0, 1);
    let wrong = run(&["apikey", "add", "ci", "--scope", "sockets:all"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("sockets:read"), "{wrong:?}");
    assert_eq!(run(&["apikey", "add", "ci"]).code, Some(2), "a key without a scope is good for nothing");
    assert_eq!(run(&["apikey", "add", "ci", "--all", "--owner", "nobody"]).failed().0, 1);
}

#[tokio::test]
async fn what_the_readme_sends_to_the_generated_hub_is_allowed_to_its_token() {
    let readme = include_str!("../../../../README.md");
    let folder = generated();
    let serving = Serving::start(folder.path(), &["serve"]);
    let (_, rest) = readme.split_once("DOORWARD_TOKEN=$(doorward ").unwrap();
    let (gentoken, connect) = rest.split_once(") doorward connect ws://127.0.0.1:8420").unwrap();
    let token = run(folder.path(), &gentoken.split(' ').collect::<Vec<_>>()).well();
    let path = connect.lines().next().unwrap();
    let mut client = serving.climb(path, Credentials::new().jwt(secret(&token))).await.unwrap();
    let mut heard = Vec::new();
    for frame in readme.lines().filter(|line| line.starts_with(r#"{"action":"#)) {
        client.send(frame).await.unwrap();
        let Some(Message::Text(answer)) = client.next_message().await.unwrap() else { panic!("closed after {frame}") };
        heard.push(answer);
    }
    assert_eq!(
        heard,
        [
            r#"{"event":"subscribed","channel":"group","pk":"3"}"#,
            r#"{"event":"message","channel":"group","pk":"3","message":"hello"}"#,
        ]
    );
}

#[tokio::test]
async fn c84_after_a_restart_on_the_same_store_every_replay_is_refused() {
    let folder = generated();
    let here = folder.path();
    let ticket = run(here, &["genticket", "--gate", "tickets", "--subject", "member:8", "--valid", "10m"]).well();
    let token = run(here, &["gentoken", "--issuer", "site", "--subject", "7"]).well();
    let unused = run(here, &["genticket", "--gate", "tickets", "--subject", "member:8", "--valid", "10m"]).well();
    let serving = Serving::start(here, &["serve"]);
    assert!(serving.climb("/tickets", Credentials::new().ticket(secret(&ticket))).await.is_ok());
    assert!(serving.climb("/once", Credentials::new().jwt(secret(&token))).await.is_ok());
    assert_eq!(serving.stop(), Some(0));

    let serving = Serving::start(here, &["serve"]);
    for (path, credentials) in
        [("/tickets", Credentials::new().ticket(secret(&ticket))), ("/once", Credentials::new().jwt(secret(&token)))]
    {
        match serving.climb(path, credentials).await {
            Err(ClimbError::Refused(refused)) => assert_eq!(refused.code, 4401, "{path}"),
            other => panic!("{path}: {:?}", other.err()),
        }
    }
    assert!(serving.climb("/tickets", Credentials::new().ticket(secret(&unused))).await.is_ok());
}

#[test]
fn whoever_is_asked_for_consent_may_say_y_and_is_asked_again_what_is_neither() {
    let folder = generated();
    let here = folder.path();
    let serving = Serving::start(here, &["serve"]);
    let url = format!("ws://{}/ident", serving.public);
    let said = run_typing(here, &["connect", &url], "perhaps\nY\n").well();
    assert_eq!(said.matches("ident: user accepts glyph: accept? (yes/no)").count(), 2, "{said}");
    assert!(said.contains("admitted as nobody"), "{said}");
    let (_, error) = run_typing(here, &["connect", &url], "n\n").failed();
    assert!(error.starts_with("refused: 1000 declined: "), "{error}");
}

#[test]
fn where_a_token_may_come_from_is_told_by_help_and_where_none_is_given() {
    let folder = generated();
    let here = folder.path();
    for command in ["checktoken", "connect"] {
        let help = run(here, &[command, "--help"]).well();
        assert!(help.contains("DOORWARD_TOKEN") && help.contains("never"), "{help}");
    }
    let help = run(here, &["checktoken", "-h"]).well();
    assert!(help.contains("or else `DOORWARD_TOKEN`, or else standard"), "{help}");
    let checktoken = ["checktoken", "--issuer", "site"];
    let none = "no token is given; name it by `--token-file`, `DOORWARD_TOKEN` or standard input";
    assert_eq!(run(here, &checktoken).failed(), (1, none.to_owned()));
    fs::write(here.join("token"), "\n").unwrap();
    for command in [&checktoken[..], &["connect", "ws://127.0.0.1:9/"]] {
        let said = run(here, &[command, &["--token-file", "token"]].concat());
        assert_eq!(said.failed(), (1, "`token` is empty".to_owned()));
    }
}

#[test]
fn a_subject_is_what_was_written_or_it_is_told_what_would_be_right() {
    let folder = generated();
    let here = folder.path();
    for command in [&["keygen"][..], &["genticket", "--any-gate"]] {
        let (code, error) = run(here, &[command, &["--subject", "bob"]].concat()).failed();
        assert_eq!((code, error.as_str()), (1, "`bob` is no subject; write `kind:pk`, such as `member:7`"));
    }
    let gentoken = |subject| run(here, &["gentoken", "--issuer", "site", "--subject", subject]);
    let (code, error) = gentoken("").failed();
    assert_eq!((code, error.as_str()), (1, "a token needs a subject; name its primary key, such as `--subject 7`"));
    let twice = "note: gates will know the subject as `user:user:bob`; for `user:bob` write `--subject bob`\n";
    assert_eq!(gentoken("user:bob").err, twice);
    assert_eq!(gentoken("urn:bob").err, "");
    let _serving = Serving::start(here, &["serve"]);
    let (code, error) = run(here, &["sockets", "end", "subject=bob"]).failed();
    let right = "`bob` is no subject; write `kind:pk`, such as `subject=member:bob`";
    assert_eq!((code, error.as_str()), (1, right));
}

#[test]
fn a_mistake_of_the_command_line_is_told_of_its_argument_with_what_would_be_right() {
    let folder = generated();
    let here = folder.path();
    let (code, error) = run(here, &["guard", "http://127.0.0.1:9000/x"]).failed();
    assert_eq!(code, 2);
    assert!(error.contains("for '<URL>': an upstream is reached by `ws://`"), "{error}");
    assert!(error.ends_with("write `ws://127.0.0.1:9000/x`"), "{error}");
    for command in [&["serve"][..], &["guard", "ws://127.0.0.1:9/"], &["demo"]] {
        for address in ["localhost:18422", "18422", ":18422"] {
            let (code, error) = run(here, &[command, &["--listen", address]].concat()).failed();
            assert_eq!(code, 2);
            assert!(error.contains("--listen") && error.ends_with("as in `127.0.0.1:18422`"), "{error}");
        }
    }
}

#[tokio::test]
async fn the_second_interrupt_ends_a_server_at_once_and_the_first_says_so() {
    let folder = generated();
    let mut serving = Serving::start_as(
        doorward(folder.path(), &["serve"]).env("DOORWARD_SERVER_SHUTDOWN", "1000h").stderr(Stdio::piped()),
    );
    let mut log = BufReader::new(serving.child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let token = run(folder.path(), &["gentoken", "--issuer", "site", "--subject", "7"]).well();
    let _staying = serving.climb("/chat", Credentials::new().jwt(secret(&token))).await.unwrap();
    let interrupt = || kill_process(Pid::from_child(&serving.child), Signal::INT).unwrap();
    interrupt();
    let said = log.find(|line| line.contains("closing")).unwrap();
    assert!(said.ends_with("1 socket left, for 3600000s at most; Ctrl-C again ends now"), "{said}");
    interrupt();
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_nobody_answers_is_told_with_the_flag_that_gives_it() {
    let folder = generated();
    let here = folder.path();
    let serving = Serving::start(here, &["serve"]);
    let error = |path: &str| run(here, &["connect", &format!("ws://{}{path}", serving.public)]).failed().1;
    assert_eq!(error("/chat"), "nobody is there to answer `jwt`; give it with `--token-file` or `DOORWARD_TOKEN`");
    assert_eq!(
        error("/robots"),
        "nobody can type the `key` of `app_key`; give its secret with `--key-file` or `DOORWARD_KEY`"
    );
}

#[test]
fn a_configuration_without_its_flag_is_told_of_the_flag() {
    let said = run(Path::new("."), &["checkconfig", "good.toml"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("a configuration is named by `-c good.toml`"), "{said:?}");
}

#[test]
fn genconfig_leaves_what_is_there_and_says_where_else_to_write() {
    let folder = generated();
    let (code, error) = run(folder.path(), &["genconfig"]).failed();
    assert_eq!(code, 1);
    assert!(error.starts_with("nothing is written: `doorward.toml`: "), "{error}");
    assert!(error.ends_with("; move it away, or write elsewhere with `-c FOLDER/FILE`"), "{error}");
}

#[test]
fn a_second_server_on_a_store_is_told_so() {
    let folder = generated();
    let serving = Serving::start(folder.path(), &["serve"]);
    let (code, error) = run(folder.path(), &["serve"]).failed();
    assert_eq!(code, 1);
    assert!(error.starts_with("another doorward is running on the store `"), "{error}");
    drop(serving);
    assert_eq!(Serving::start(folder.path(), &["serve"]).stop(), Some(0), "a killed one leaves no lock behind");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = generated();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, error) = run(folder.path(), &["serve", "--listen", &address]).failed();
    assert_eq!(code, 1);
    assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
    assert!(error.ends_with("; another is named by `--listen` or `[server] listen`"), "{error}");
    let (_, error) = run_with(folder.path(), &["serve"], &[("DOORWARD_INTERNAL_LISTEN", &address)]).failed();
    assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
    assert!(error.ends_with("; another is named by `[internal] listen`"), "{error}");
}

#[test]
fn a_store_that_is_none_and_a_folder_that_is_none_are_named() {
    let folder = generated();
    let here = folder.path();
    fs::write(here.join("doorward.db"), "this is a letter to my aunt, and no database at all".repeat(20)).unwrap();
    let (code, error) = run(here, &["serve"]).failed();
    assert_eq!((code, error.as_str()), (1, "`doorward.db` is not a SQLite database"));
    let (code, error) = run_with(here, &["serve"], &[("DOORWARD_STORE_URL", "sqlite://gone/doorward.db")]).failed();
    assert_eq!(code, 1);
    assert!(error.contains("gone/doorward.db"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = generated();
    let here = folder.path();
    // A folder without the right to write stops everybody but root; `/proc` stops root too.
    std::os::unix::fs::symlink("/proc/self", here.join("locked")).unwrap();
    let (code, error) = run_with(here, &["serve"], &[("DOORWARD_STORE_URL", "sqlite://locked/doorward.db")]).failed();
    assert_eq!(code, 1);
    assert!(error.contains("locked/doorward.db") && !error.contains('\n'), "{error}");
}

#[test]
fn a_log_that_nobody_reads_any_more_stops_nothing() {
    let folder = generated();
    let (reads, log) = io::pipe().unwrap();
    drop(reads);
    let serving = Serving::logging_to(log, folder.path(), &["serve"]);
    assert!(run(folder.path(), &["health"]).well().starts_with("ok: "));
    assert_eq!(serving.stop(), Some(0), "it says that it closes, and nobody hears it");
}

#[test]
fn a_log_whose_reader_stands_still_stops_nothing() {
    let folder = generated();
    let (_reads, mut log) = io::pipe().unwrap();
    // As much as a pipe takes.
    log.write_all(&[b'x'; 64 * 1024]).unwrap();
    let mut arguments = doorward(folder.path(), &["serve"]);
    let serving = Serving::start_as(arguments.env("DOORWARD_LOG", "trace").stderr(log));
    assert!(run(folder.path(), &["health"]).well().starts_with("ok: "));
    let (pid, (done, waits)) = (Pid::from_child(&serving.child), std::sync::mpsc::channel::<()>());
    let killer = std::thread::spawn(move || {
        if waits.recv_timeout(Duration::from_secs(20)) == Err(RecvTimeoutError::Timeout) {
            kill_process(pid, Signal::KILL).unwrap();
        }
    });
    assert_eq!(serving.stop(), Some(0), "it waited for the reader of its log");
    drop(done);
    killer.join().unwrap();
}

#[test]
fn only_a_wrong_configuration_exits_with_64_and_its_mistakes_are_told_by_line() {
    let folder = generated();
    let here = folder.path();
    let (code, error) = run(here, &["serve", "-c", "gone.toml"]).failed();
    assert_eq!(code, 64);
    assert!(error.starts_with("cannot read the configuration `gone.toml`: "), "{error}");
    fs::rename(here.join("site.secret"), here.join("moved")).unwrap();
    for command in ["serve", "checkconfig"] {
        let said = run(here, &[command]);
        assert_eq!(said.code, Some(64), "{said:?}");
        let told = format!("{}{}", said.out, said.err);
        assert!(told.contains("`site.secret` could not be read: there is no such file"), "{told}");
        assert!(told.contains("doorward.toml:"), "{told}");
    }
    fs::rename(here.join("moved"), here.join("site.secret")).unwrap();
    fs::set_permissions(here.join("site.secret"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(run(here, &["serve"]).code, Some(64), "a secret that everybody can read is none");
    // The command line itself.
    assert_eq!(run(here, &["serve", "--colour"]).code, Some(2));
    assert_eq!(run(here, &["dance"]).code, Some(2));
}

#[test]
fn the_demo_goes_as_it_is_told_and_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(folder.path(), &["demo", "--once"]);
    assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
}

#[tokio::test]
async fn guard_stands_before_a_server_without_a_configuration() {
    let folder = generated();
    // What is guarded is a gate of echo: a WebSocket server like others.
    let echo =
        "[store]\nurl = \"memory:\"\n[[gate]]\nname = \"echo\"\npath = \"/*\"\nbackend = { echo = {} }\nopen = true\n";
    fs::write(folder.path().join("echo.toml"), echo).unwrap();
    let upstream = Serving::start(folder.path(), &["serve", "-c", "echo.toml"]);
    let url = format!("ws://{}/", upstream.public);

    let mut open = Serving::start(folder.path(), &["guard", "--open", "--listen", "127.0.0.1:0", &url]);
    assert_eq!(open.line(), "everybody gets in (--open)");
    let raw = Options { subprotocols: vec![], ..Options::default() };
    let mut client = Client::connect(&format!("ws://{}/any/where", open.public), raw.clone()).await.unwrap();
    client.send("through and back").await.unwrap();
    let heard = client.next_message().await.unwrap();
    assert_eq!(heard, Some(doorward_client::Message::Text("through and back".to_owned())));

    let mut closed = Serving::start(folder.path(), &["guard", "--listen", "127.0.0.1:0", &url]);
    let token = closed.line().strip_prefix("token ").unwrap().to_owned();
    let address = format!("ws://{}/", closed.public);
    match Client::connect(&address, raw.clone()).await {
        Err(ConnectError::Refused { status, .. }) => assert_eq!(status, 401),
        other => panic!("{:?}", other.err()),
    }
    assert!(Client::connect(&address, Options { bearer: Some(secret(&token)), ..raw }).await.is_ok());
}

#[test]
fn serve_and_guard_say_which_address_is_for_users_and_which_is_for_probes() {
    let folder = generated();
    let guard = ["guard", "--open", "--listen", "127.0.0.1:0", "ws://127.0.0.1:9/"];
    for arguments in [&["serve"][..], &guard] {
        let serving = Serving::start(folder.path(), arguments);
        let probed = |address: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            BufReader::new(stream).read_line(&mut answer).unwrap();
            answer.trim_end().to_owned()
        };
        assert_eq!(probed(&serving.internal), "HTTP/1.1 200 OK", "{arguments:?}");
        assert_eq!(probed(&serving.public), "HTTP/1.1 404 Not Found", "{arguments:?}");
    }
}

#[test]
fn guard_says_where_there_is_nothing_to_guard_and_stands_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (log, said) = io::pipe().unwrap();
    let guard = Serving::logging_to(said, folder.path(), &["guard", "--listen", "127.0.0.1:0", "ws://127.0.0.1:9/"]);
    let mut log = BufReader::new(log).lines().map(Result::unwrap);
    let note = log.find(|line| line.starts_with("note: ")).unwrap();
    assert_eq!(
        note,
        "note: nothing takes connections at `ws://127.0.0.1:9` now; until something does, users are told 503"
    );
    assert_eq!(guard.stop(), Some(0));
}

#[test]
fn guard_makes_its_configuration_once_and_leaves_what_a_person_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let file = here.join("data/guard.toml");
    let url = "ws://127.0.0.1:9/";
    let start = |said: &str| {
        let mut guard = Serving::start(here, &["guard", "--data", "data", "--listen", "127.0.0.1:0", url]);
        assert_eq!(guard.line(), format!("{said} data/guard.toml"));
        let token = guard.line().strip_prefix("token ").unwrap().to_owned();
        assert_eq!(guard.stop(), Some(0));
        token
    };
    assert_eq!(run(here, &["guard", "--data", "data", "nowhere"]).code, Some(2));
    start("wrote");
    let changed = format!("# Mine.\n{}max_session = \"1h\"\n", fs::read_to_string(&file).unwrap());
    fs::write(&file, &changed).unwrap();
    let token = start("read");
    let checked = ["checktoken", "-c", "data/guard.toml", "--issuer", "guard"];
    assert!(run_with(here, &checked, &[("DOORWARD_TOKEN", &token)]).well().starts_with("valid: "));

    for (arguments, what) in [
        (&["ws://127.0.0.1:10/"][..], "does not lead to `ws://127.0.0.1:10/`"),
        (&["--open", url], "does not let everybody in (`--open`)"),
        (&["--origin", "https://app.example", url], "lists other origins"),
    ] {
        let (code, error) = run(here, &[&["guard", "--data", "data"], arguments].concat()).failed();
        assert_eq!((code, error), (64, format!("`data/guard.toml` was there already and {what}")));
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
}
