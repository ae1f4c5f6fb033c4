//! The parts against each other, as small as they go: what the table starts does run, and loses nothing.
#![expect(clippy::unwrap_used, reason = "the helpers are tests too, though they do not say so")]

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
};

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorward-bench"))
            .args(args)
            .args(["--life", "60"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, address }
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_doorward-bench"))
            .args(["load", "--target", &self.address, "--pid", &self.child.id().to_string()])
            .args(args)
            .output()
            .unwrap()
    }

    fn load(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn both_raw_fan_outs_deliver_every_message_to_every_subscriber() {
    for mode in ["fanout", "fanout-batch"] {
        let server = Server::start(&["raw", "--mode", mode]);
        let load = ["fanout", "--subscribers", "20", "--window", "8", "--seconds", "0.05"];
        let result = server.load(&load);
        assert_eq!(result["delivered_bytes"], 128, "{mode}");
        let deliveries = result["deliveries"].as_u64().unwrap();
        assert!(deliveries > 0 && deliveries.is_multiple_of(20), "{mode}: {deliveries}");
    }
}

#[test]
fn the_raw_relay_carries_the_upgrade_and_whole_messages_of_both_sizes() {
    let upstream = Server::start(&["echo-upstream"]);
    let relay = Server::start(&["raw", "--mode", "relay", "--upstream", &upstream.address]);
    for bytes in ["128", "65536"] {
        let load = ["--path", "/", "echo", "--connections", "3", "--depth", "2", "--bytes", bytes, "--seconds", "0.05"];
        assert!(relay.load(&load)["messages"].as_u64().unwrap() > 0, "{bytes} bytes");
    }
}

#[test]
fn the_raw_accept_answers_every_connection() {
    let server = Server::start(&["raw", "--mode", "connect"]);
    assert!(server.load(&["connect", "--count", "150"])["value"].as_f64().unwrap() > 0.0);
}

#[test]
fn every_peer_of_a_raw_server_sees_the_end_of_its_process() {
    let server = Server::start(&["raw", "--mode", "idle-tokio"]);
    let id = server.child.id().to_string();
    let result = server.load(&["end", "--count", "150", "--command", "kill", "-KILL", &id]);
    assert!(result["value"].as_f64().unwrap() > 0.0);
    assert!(result["receipt_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_raw_hashing_answers_whoever_has_the_password() {
    let server = Server::start(&["raw", "--mode", "hashing"]);
    let result = server.load(&["logins", "--at-once", "2", "--seconds", "1.5"]);
    assert!(result["value"].as_f64().unwrap() > 0.0);
    assert!(result["cpu_ms_each"].as_f64().unwrap() > 1.0, "a hash is work: {result}");
}

#[test]
fn the_raw_file_server_answers_writes_and_reads_of_any_size() {
    let server = Server::start(&["raw", "--mode", "files"]);
    for bytes in ["3", "4096", "65512"] {
        let result = server.load(&["files", "--connections", "3", "--bytes", bytes, "--seconds", "0.05"]);
        assert!(result["requests"].as_u64().unwrap() > 1, "{bytes} bytes: {result}");
    }
}

#[test]
fn every_message_of_a_live_socket_comes_back_and_is_timed() {
    let upstream = Server::start(&["echo-upstream"]);
    let load = ["--path", "/", "round-trips", "--sockets", "4", "--every-ms", "8", "--seconds", "0.2", "--people"];
    let result = upstream.load(&[&load[..], &["0"]].concat());
    assert_eq!(result["messages"], 100, "{result}");
    assert!(result["value"].as_f64().unwrap() > 0.0);
    let nobody = upstream.run(&[&load[..], &["2"]].concat());
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("nobody has an account"));
}

#[test]
fn who_ends_an_account_needs_a_key() {
    let server = Server::start(&["raw", "--mode", "connect"]);
    let output = server.run(&["--path", "/", "end-account", "--count", "1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`--api` and `--api-key-file`"));
}

#[test]
fn a_socket_that_ends_without_the_close_of_an_ending_fails_the_load() {
    let upstream = Server::start(&["echo-upstream"]);
    let id = upstream.child.id().to_string();
    let output = upstream.run(&["--path", "/", "end", "--count", "3", "--command", "kill", "-KILL", &id]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("hung up instead of ending it"), "{error}");
}

#[test]
fn a_command_that_fails_or_lists_too_few_fails_the_load_at_once() {
    let server = Server::start(&["raw", "--mode", "idle-tokio"]);
    let failed = server.run(&["end", "--count", "3", "--command", "false"]);
    assert_eq!(failed.status.code(), Some(2));
    let look = ["end", "--count", "3", "--look", "echo", r#"{"sockets":["a","b"]}"#, ";", "--command", "true"];
    let error = server.run(&look).stderr;
    assert!(String::from_utf8_lossy(&error).contains("lists 2 sockets of 3"));
}

#[test]
fn a_timing_of_nothing_says_so() {
    let timing = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_doorward-bench")).arg("timing").args(args).output().unwrap();
        (output.status.code(), output.stderr.is_empty())
    };
    assert_eq!(timing(&["--doorward", "/nowhere/doorward"]), (Some(2), false));
    assert_eq!(timing(&["--tries", "0"]), (Some(2), false));
}

#[test]
fn a_load_on_nobody_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_doorward-bench"))
        .args(["load", "--target", "127.0.0.1:1", "--pid", &std::process::id().to_string(), "connect"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!output.stderr.is_empty());
}
