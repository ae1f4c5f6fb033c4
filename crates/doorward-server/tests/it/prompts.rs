//! What somebody at a terminal is asked, and what is seen there of what they type.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdout, Stdio},
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, tcgetattr},
};

use crate::commands::{Serving, doorward, generated, run, run_typing, spawn_typing};

/// A command whose standard input is a terminal.
struct AtTerminal {
    child: Child,
    said: BufReader<ChildStdout>,
    person: File,
    terminal: File,
}

impl AtTerminal {
    fn connect(folder: &std::path::Path, url: &str) -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let input = Stdio::from(terminal.try_clone().unwrap());
        let mut command = doorward(folder, &["connect", url]);
        let mut child = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said, person: person.into(), terminal }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn types(&mut self, text: &str) {
        self.person.write_all(text.as_bytes()).unwrap();
    }

    fn shows_what_is_typed(&self) -> bool {
        tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the end of the command, and gives all that the terminal has shown, and whether it still shows.
    fn ends(mut self) -> (String, bool) {
        self.child.wait().unwrap();
        let shows = self.shows_what_is_typed();
        drop(self.terminal);
        let mut shown = Vec::new();
        // A terminal that nobody has open any more ends with an error.
        let _closed = self.person.read_to_end(&mut shown);
        (String::from_utf8(shown).unwrap(), shows)
    }
}

#[test]
fn a_secret_that_is_typed_is_not_shown_and_a_name_is() {
    let folder = generated();
    let serving = Serving::start(folder.path(), &["serve"]);
    let mut at_ident = AtTerminal::connect(folder.path(), &format!("ws://{}/ident", serving.public));
    assert_eq!(at_ident.line(), "ident: socket shows glyph: glyph: *");
    assert_eq!(at_ident.line(), "ident: user accepts glyph: accept? (yes/no)");
    assert!(at_ident.shows_what_is_typed());
    at_ident.types("no\n");
    assert_eq!(at_ident.ends(), ("no\r\n".to_owned(), true));
    let mut at_token = AtTerminal::connect(folder.path(), &format!("ws://{}/chat", serving.public));
    assert_eq!(at_token.line(), "jwt: user sends token: token? (what you type is not shown)");
    at_token.types("x.y.z\n");
    assert_eq!(at_token.ends(), ("\r\n".to_owned(), true));
}

#[test]
fn who_waits_for_a_login_types_check_to_have_the_gate_look() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let config = r#"
        [site]
        enabled = true
        [[issuer]]
        name = "site"
        issuer = "https://site.example"
        audience = "doorward"
        algorithms = ["HS256"]
        secret = "0123456789abcdef0123456789abcdef"
        subject_kind = "member"
        [[gate]]
        name = "waiting"
        path = "/waiting"
        backend = { echo = {} }
        ladder = [{ jwt = { issuer = "site" } }, { assert_login = {} }]
    "#;
    std::fs::write(here.join("doorward.toml"), config).unwrap();
    run_typing(here, &["user", "add", "bob", "--password-stdin"], "seven lions under a bridge\n").well();
    let token = run(here, &["gentoken", "--issuer", "site", "--subject", "1"]).well();
    std::fs::write(here.join("token"), token).unwrap();
    let serving = Serving::start(here, &["serve"]);
    let url = format!("ws://{}/waiting", serving.public);
    let mut child = spawn_typing(here, &["connect", &url, "--token-file", "token"]);
    let (mut typing, mut said) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    let mut line = || said.next().unwrap().unwrap();
    assert_eq!(line(), "assert_login: waiting: socket waits for login (300s)");
    assert_eq!(line(), "assert_login: type `check` to have it look now");
    typing.write_all(b"hello\n").unwrap();
    assert_eq!(line(), "assert_login: nothing is asked now; `check` has it look");
    for left in [19, 18] {
        typing.write_all(b"check\n").unwrap();
        assert_eq!(line(), format!("assert_login: socket answers not yet: checks: {left}"));
    }
    // Who has nothing more to type waits all the same.
    drop(typing);
    drop(serving);
    assert_ne!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn whoever_leaves_at_the_prompt_of_a_secret_finds_the_terminal_as_it_was() {
    let folder = generated();
    let serving = Serving::start(folder.path(), &["serve"]);
    let mut at_token = AtTerminal::connect(folder.path(), &format!("ws://{}/chat", serving.public));
    assert_eq!(at_token.line(), "jwt: user sends token: token? (what you type is not shown)");
    assert!(!at_token.shows_what_is_typed());
    kill_process(Pid::from_child(&at_token.child), Signal::INT).unwrap();
    assert_eq!(at_token.ends(), (String::new(), true));
}
