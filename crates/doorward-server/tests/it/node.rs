//! A node with ports of its own, and how it goes.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use doorward_client::{Client, Options};
use doorward_server::{Extensions, Node, Running};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use crate::{peer::head, world::read};

const ECHO: &str = r#"
    [server]
    listen = "127.0.0.1:0"
    [internal]
    listen = "127.0.0.1:0"
    [store]
    url = "memory:"
    [[gate]]
    name = "echo"
    path = "/echo"
    backend = { echo = {} }
    open = true
"#;

/// Longer than any test takes: a drain over it closes nobody of its own accord.
const AN_AGE: Duration = Duration::from_secs(1_000_000);

async fn node() -> Running {
    let extensions = Extensions::default();
    let node = Node::open(read(ECHO, &extensions), Path::new(""), extensions).await.unwrap();
    node.listen().await.unwrap()
}

/// All that is answered to a request, in lowercase.
async fn answer(at: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.to_lowercase()
}

#[tokio::test]
async fn c81_who_comes_during_a_drain_is_told_to_come_back_until_the_last_socket_has_left() {
    let running = node().await;
    let (public, internal, door) = (running.public(), running.internal(), Arc::clone(running.door()));
    let staying = Client::connect(&format!("ws://{public}/echo"), Options::default()).await.unwrap();
    let _silent = TcpStream::connect(public).await.unwrap();
    let closed = tokio::spawn(running.close(AN_AGE));
    while !door.is_draining() {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        let refused = answer(public, &head("/echo", "")).await;
        assert!(refused.starts_with("http/1.1 503 "), "{refused}");
        for line in ["\r\nretry-after: 5\r\n", "\r\nconnection: close\r\n"] {
            assert_eq!(refused.matches(line).count(), 1, "{refused}");
        }
    }
    let probe = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: node.example\r\n\r\n");
    assert!(answer(internal, &probe("/ready")).await.starts_with("http/1.1 503 "));
    assert!(answer(internal, &probe("/health")).await.contains(r#""status":"draining""#));
    let _silent_meanwhile = TcpStream::connect(public).await.unwrap();
    staying.close().await.unwrap();
    // Neither of the silent ones is waited for.
    closed.await.unwrap();
    assert!(TcpStream::connect(public).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn gates_for_a_site_that_comes_with_them_wait_for_the_next_start_and_are_told_so() {
    let running = node().await;
    let gate = ECHO.replace("open = true", "origins = [\"https://shop.example\"]\nladder = [{ session = {} }]");
    let next = read(&format!("{gate}[site]\nenabled = true\n"), &Extensions::default());
    let told: Vec<_> = running.waiting(&next).iter().map(ToString::to_string).collect();
    assert_eq!(told, ["`[site]` takes effect at the next start"]);
    let error = running.reload(&next).unwrap_err().to_string();
    assert!(error.contains("`session` is a layer of the built-in site"), "{error}");
    assert!(
        error.ends_with("the site of the file takes effect at the next start, and gates that need it do"),
        "{error}"
    );
    running.close(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_in_a_hurry_waits_for_nobody() {
    let running = node().await;
    let door = Arc::clone(running.door());
    let mut pass = door.caps().enter().unwrap();
    pass.heard();
    let began = Instant::now();
    running.close_unless_hurried(AN_AGE, std::future::ready(())).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn c81_a_node_is_gone_within_its_time_whoever_stays() {
    for (within, stays) in [(30, false), (30, true), (1, true)] {
        let within = Duration::from_secs(within);
        let running = node().await;
        let door = Arc::clone(running.door());
        let mut pass = door.caps().enter().unwrap();
        if stays {
            pass.heard();
        }
        let began = Instant::now();
        running.close(within).await;
        assert_eq!(began.elapsed(), if stays { within } else { Duration::ZERO });
    }
}

#[tokio::test]
async fn c17_a_page_and_a_program_s_request_name_their_host_once_and_in_one_way() {
    let site = format!("{ECHO}[site]\nenabled = true\nurl = \"http://shop.example\"\n");
    let extensions = Extensions::default();
    let node = Node::open(read(&site, &extensions), Path::new(""), extensions).await.unwrap();
    let running = node.listen().await.unwrap();
    let (public, internal) = (running.public(), running.internal());
    for (at, path) in [(public, "/login"), (public, "/doorward.js"), (internal, "/api/v1/openapi.json")] {
        let status = async |target: &str, headers: &str| {
            let told = answer(at, &format!("GET {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n")).await;
            told.split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(status(path, "Host: shop.example\r\n").await, "200", "{path}");
        assert_eq!(status(&format!("http://shop.example{path}"), "Host: shop.example\r\n").await, "200", "{path}");
        for headers in [
            "",
            "Host: shop.example\r\nHost: shop.example\r\n",
            "Host: other.example\r\nHost: shop.example\r\n",
            "Host: shop.example,other.example\r\n",
            "Host: user@shop.example\r\n",
            "Host: \r\n",
        ] {
            assert_eq!(status(path, headers).await, "400", "{path} {headers:?}");
        }
        let elsewhere = format!("http://other.example{path}");
        assert_eq!(status(&elsewhere, "Host: shop.example\r\n").await, "400", "{elsewhere}");
    }
}

#[tokio::test]
async fn who_looks_for_a_page_that_is_not_there_gets_the_site_s_and_the_same_whether_the_path_is_a_gate_or_not() {
    let gates = ECHO.replace("open = true", "open = true\n[[gate]]\nname = \"shut\"\npath = \"/shut\"\nbackend = { echo = {} }\nopen = true\nenabled = false");
    let site = format!("{gates}[site]\nenabled = true\n");
    for (config, is_page) in [(gates.as_str(), false), (&site, true)] {
        let extensions = Extensions::default();
        let node = Node::open(read(config, &extensions), Path::new(""), extensions).await.unwrap();
        let running = node.listen().await.unwrap();
        let told = async |path: &str, lines: &str| {
            let head = format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n{lines}Connection: close\r\n\r\n");
            let told = answer(running.public(), &head).await;
            told.lines().filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n")
        };
        let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
        let nowhere = told("/nowhere", browser).await;
        assert!(nowhere.starts_with("http/1.1 404 "), "{nowhere}");
        assert_eq!(nowhere.contains("there is nothing here"), is_page, "{nowhere}");
        for path in ["/echo", "/shut", "/echo/", "/account/nowhere"] {
            let told = told(path, browser).await;
            assert!(told == nowhere || (!is_page && path.starts_with("/account")), "{path}: {told}");
        }
        for (path, lines) in [("/nowhere", ""), ("/echo", "Accept: */*\r\n"), ("/shut", "Accept: application/json\r\n")]
        {
            assert!(told(path, lines).await.ends_with("\nnot found"), "a program is told in a word");
        }
    }
}

#[tokio::test]
async fn what_is_for_the_operator_is_on_the_internal_port_alone() {
    let running = node().await;
    let (public, internal) = (running.public(), running.internal());
    let asked = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: node.example\r\n\r\n");
    for (path, there) in [("/metrics", "200"), ("/health", "200"), ("/ready", "200"), ("/api/v1/sockets", "401")] {
        let answered = answer(internal, &asked(path)).await;
        assert!(answered.starts_with(&format!("http/1.1 {there} ")), "{path}: {answered}");
        let answered = answer(public, &asked(path)).await;
        assert!(answered.starts_with("http/1.1 404 "), "{path}: {answered}");
        assert!(!answered.contains("doorward_"), "{path}: {answered}");
    }
}
