//! Before the gate: heads that are late, large, doubled or raw, and forged origins.

use std::{net::SocketAddr, time::Duration};

use doorward_client::Options;
use doorward_types::Secret;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, interval},
};

use crate::{
    peer::{Peer, Refused, ask, head, until_closed},
    world::{CHAT, Carrier, World, both},
};

/// Sends a request as it is, and gives the status and the text of the answer; 0 where there was none.
async fn request(world: &World, bytes: &[u8]) -> Refused {
    let mut stream = world.dial().await;
    let answer = ask(&mut stream, bytes).await;
    Refused::read(&mut stream, answer).await
}

const PAGES: &str = r#"
    [[gate]]
    name = "pages"
    path = "/pages"
    origins = ["https://app.example"]
    backend = { echo = {} }
    ladder = [{ bearer = {} }]
    [[gate]]
    name = "off"
    path = "/off"
    enabled = false
    backend = { echo = {} }
    ladder = [{ bearer = {} }]
"#;

both! {
    async fn c14_a_forged_origin_is_forbidden_before_the_101_whatever_else_is_right(carrier: Carrier) {
        let world = World::of(carrier, PAGES).await;
        let token = world.token("7", json!({}));
        let from = |origin: &str| format!("Origin: {origin}\r\nAuthorization: Bearer {token}\r\n");
        for origin in [
            "https://evil.example",
            "null",
            "https://app.example.evil.tld",
            "http://app.example",
            "https://app.example:443",
            "https://app.example:444",
            "https://app.example.",
            "https://user@app.example",
            "https://sub.app.example",
            "https://app.example/",
        ] {
            let refused = world.knock("/pages", &from(origin)).await.err().unwrap();
            assert_eq!(refused.status, 403, "{origin}");
        }
        for origin in ["https://app.example", "https://APP.example"] {
            assert!(world.knock("/pages", &from(origin)).await.is_ok(), "{origin}");
        }
        // A browser cannot be told from a machine without an Origin; a machine still needs its token.
        assert!(world.knock("/pages", &format!("Authorization: Bearer {token}\r\n")).await.is_ok());
    }

    async fn c17_a_doubled_header_is_a_bad_request(carrier: Carrier) {
        let world = World::of(carrier, PAGES).await;
        for header in [
            "Host: gate.example",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            "Origin: https://app.example\r\nOrigin: https://app.example",
            "Cookie: a=1\r\nCookie: b=2",
            "Cookie: __Host-doorward-session=a; __Host-doorward-session=b",
            "Cookie: __Host-doorward-browser=a; x=1; __Host-doorward-browser=a",
            "Content-Length: 0\r\nContent-Length: 5",
            "Content-Length: 0\r\nContent-Length: 0",
            "Authorization: Bearer a\r\nAuthorization: Bearer a",
            "Doorward-Ticket: a\r\nDoorward-Ticket: b",
        ] {
            let answer = request(&world, head("/pages", &format!("{header}\r\n")).as_bytes()).await;
            assert_eq!(answer.status, 400, "{header}: {}", answer.text);
        }
    }

    async fn c17_what_could_carry_a_second_request_gets_one_answer_and_the_end(carrier: Carrier) {
        let world = World::of(carrier, PAGES).await;
        let bearer = format!("Authorization: Bearer {}\r\n", world.token("7", json!({})));
        // Whoever reads a length otherwise than a proxy before it would take this for a request of somebody else.
        let second = head("/pages", &bearer);
        let answers = async |request: String| {
            let mut stream = world.dial().await;
            let _gone = stream.write_all(format!("{request}{second}").as_bytes()).await;
            String::from_utf8(until_closed(&mut stream).await).unwrap()
        };
        for lines in [
            "Content-Length: 5",
            "Content-Length: 0\r\nContent-Length: 0",
            "Content-Length: 0\r\ncontent-length: 5",
            "Content-Length: 0, 0",
            "Content-Length: 00",
            "Content-Length: +0",
            "Content-Length: 0x0",
            "Content-Length:",
            "Content-Length : 0",
            "Content-Length: 0\r\n 5",
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 0",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: CHUNKED",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: identity",
        ] {
            let answer = answers(head("/pages", &format!("{bearer}{lines}\r\n"))).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{lines}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lines}: {answer}");
        }
        for lines in ["Content-Length: 0", "Content-Length: 0\r\nContent-Length: 0", "Transfer-Encoding: chunked"] {
            let answer = answers(format!("POST /pages HTTP/1.1\r\nHost: gate.example\r\n{lines}\r\n\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 404 "), "{lines}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lines}: {answer}");
        }
        assert_eq!(world.verdicts().await, [""; 0], "no gate has heard of any of them");
        // Small machines say so that they have no body.
        assert!(world.knock("/pages", &format!("{bearer}Content-Length: 0\r\n")).await.is_ok());
    }

    async fn c21_too_many_headers_and_too_large_a_head_are_refused(carrier: Carrier) {
        let world = World::of(carrier, PAGES).await;
        let many: String = (0..2000).map(|number| format!("X-{number}: 1\r\n")).collect();
        let large = format!("X-Large: {}\r\n", "x".repeat(64 * 1024));
        let path = format!("/{}", "x".repeat(64 * 1024));
        for bytes in [head("/pages", &many), head("/pages", &large), head(&path, "")] {
            let answer = request(&world, bytes.as_bytes()).await;
            // The server may close so early that its answer is lost with the rest of the request.
            assert!([431, 414, 400].contains(&answer.status) || answer.text.is_empty(), "{}", answer.text);
        }
        let sixty: String = (0..55).map(|number| format!("X-{number}: 1\r\n")).collect();
        assert_eq!(request(&world, head("/pages", &sixty).as_bytes()).await.status, 401, "as many as are allowed");
        world.empties().await;
    }

    async fn c22_raw_bytes_are_a_bad_request_and_never_a_panic(carrier: Carrier) {
        let world = World::of(carrier, PAGES).await;
        let long = vec![b'x'; 8 * 1024 + 1];
        let empty: &[u8] = b"";
        for name in ["Sec-WebSocket-Protocol", "Origin", "Cookie", "Host", "Doorward-Ticket"] {
            for value in [&b"\x80\xff"[..], b"a\0b", b"\xc3\x28", &long, empty] {
                if value.is_empty() && name == "Cookie" {
                    continue;
                }
                let mut bytes = head("/pages", "").into_bytes();
                bytes.truncate(bytes.len() - 2);
                if name == "Host" {
                    let text = String::from_utf8(bytes).unwrap().replace("Host: gate.example\r\n", "");
                    bytes = text.into_bytes();
                }
                bytes.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n\r\n"].concat());
                let answer = request(&world, &bytes).await;
                assert_eq!(answer.status, 400, "{name}: {value:?}: {}", answer.text);
            }
        }
        for target in
            [&b"/pages\x80\xff"[..], b"/pages\xc3\xbc", b"/pages?a=\xff", b"/pages?a=\xc3\xbc", b"/pa\0ges", b"*", b"pages", b""]
        {
            let rest = head("/pages", "").into_bytes().split_off(b"GET /pages".len());
            let answer = request(&world, &[b"GET ", target, &rest].concat()).await;
            assert_eq!(answer.status, 400, "{target:?}: {}", answer.text);
        }
        world.empties().await;
        let token = world.token("7", json!({}));
        assert!(world.knock("/pages", &format!("Authorization: Bearer {token}\r\n")).await.is_ok(), "it lives");
    }

    async fn c22_a_target_that_could_be_read_in_two_ways_is_a_bad_request_whether_the_gate_is_there_or_not(carrier: Carrier) {
        let below = r#"
            [[gate]]
            name = "below"
            path = "/below/*"
            backend = { upstream = { url = "ws://127.0.0.1:1/inner" } }
            ladder = [{ bearer = {} }]
        "#;
        let world = World::of(carrier, &format!("{PAGES}{below}")).await;
        let status = async |target: &str| request(&world, head(target, "").as_bytes()).await.status;
        for part in
            [".", "..", "%2e", "%2E%2e", ".%2e", "a%2fb", "a%5Cb", "a\\b", "%00", "%0d%0a", "%7f", "%", "%4", "%zz", "%ff", "%c0%ae"]
        {
            for gate in ["/below", "/nowhere", "/pages"] {
                for target in [format!("{gate}/{part}"), format!("{gate}/{part}/x")] {
                    assert_eq!(status(&target).await, 400, "{target}");
                }
            }
        }
        for query in ["a=%00", "a=%0a", "a=%", "a=%zz", "a=%ff", "%00=a", "%c0%ae"] {
            for gate in ["/below/x", "/nowhere", "/pages"] {
                assert_eq!(status(&format!("{gate}?{query}")).await, 400, "{gate}?{query}");
            }
        }
        for (target, answer) in [
            ("//pages", 400),
            ("/below//x", 400),
            // What is decoded once is a name like any other.
            ("/below/%252e%252e/x", 401),
            ("/nowhere/%252e%252e/x", 404),
            ("/below/...", 401),
            ("/pages?a=/../x", 401),
            ("/pages?a=1&a=2&&=", 401),
            // Some servers drop what follows a semicolon before they look.
            ("/below/..;a/x", 404),
            ("/below/..%3bx", 404),
            ("/nowhere/..;a/x", 404),
        ] {
            assert_eq!(status(target).await, answer, "{target}");
        }
    }

    async fn c23_a_run_of_spaces_among_the_subprotocols_is_refused(carrier: Carrier) {
        let text = format!("[limits]\nheader_bytes = \"64KiB\"\n{PAGES}");
        let world = World::of(carrier, &text).await;
        for spaces in [8_000, 32_000] {
            let header = format!("Sec-WebSocket-Protocol: b{}x\r\n", " ".repeat(spaces));
            assert_eq!(request(&world, head("/pages", &header).as_bytes()).await.status, 400);
        }
    }

    async fn c97_what_is_not_there_answers_like_what_must_not_be_seen(carrier: Carrier) {
        let world = World::of(carrier, PAGES).await;
        let token = world.token("7", json!({}));
        let bearer = format!("Authorization: Bearer {token}\r\n");
        let unknown = request(&world, head("/nowhere", &bearer).as_bytes()).await;
        assert_eq!(unknown.status, 404);
        assert!(unknown.text.contains("referrer-policy: no-referrer"), "{}", unknown.text);
        let plain = |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nHost: gate.example\r\n\r\n");
        for same in [
            head("/off", &bearer),
            head("/page", &bearer),
            head("/pagesx", &bearer),
            head("/pages/", &bearer),
            head("/pages/ticket", &bearer),
            plain("GET", "/pages"),
            plain("GET", "/nowhere"),
            plain("POST", "/pages"),
            head("/pages", &bearer).replace("GET", "PUT"),
        ] {
            assert_eq!(request(&world, same.as_bytes()).await, unknown, "{same}");
        }
        assert_eq!(world.verdicts().await, [""; 0], "none of them was a decision of a gate");
    }

    async fn a_101_says_upgrade_and_nothing_more_of_the_connection(carrier: Carrier) {
        let world = World::of(carrier, PAGES).await;
        let bearer = format!("Authorization: Bearer {}\r\n", world.token("7", json!({})));
        // Several clients look for that one word, though others could stand beside it.
        let peer = world.knock("/pages", &bearer).await.unwrap();
        let said: Vec<_> = peer.head.split("\r\n").filter(|line| line.starts_with("connection")).collect();
        assert_eq!(said, ["connection: upgrade"]);
    }

    async fn a_connection_is_for_one_request(carrier: Carrier) {
        let world = World::of(carrier, PAGES).await;
        let twice = format!("{0}{0}", "GET /nowhere HTTP/1.1\r\nHost: gate.example\r\n\r\n");
        let mut stream = world.dial().await;
        stream.write_all(twice.as_bytes()).await.unwrap();
        let answers = String::from_utf8(until_closed(&mut stream).await).unwrap();
        assert_eq!(answers.matches("HTTP/1.1").count(), 1);
        assert!(answers.contains("\r\nconnection: close\r\n"), "{answers}");
        world.empties().await;
    }
}

#[tokio::test(start_paused = true)]
async fn c19_a_head_that_trickles_is_closed_at_the_header_timeout() {
    let world = World::of(Carrier::Memory, PAGES).await;
    let (mut reads, mut writes) = tokio::io::split(world.dial().await);
    let began = Instant::now();
    let trickle = tokio::spawn(async move {
        let mut seconds = interval(Duration::from_secs(1));
        for byte in head("/pages", "").bytes() {
            seconds.tick().await;
            if writes.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    });
    let _reset = reads.read_to_end(&mut Vec::new()).await;
    assert_eq!(began.elapsed().as_secs(), 5);
    trickle.await.unwrap();
    world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn c20_silent_connections_are_closed_at_the_header_timeout_and_stop_nobody_meanwhile() {
    let world = World::of(Carrier::Memory, CHAT).await;
    let began = Instant::now();
    let mut silent = Vec::new();
    for number in 0..400_u32 {
        let source = SocketAddr::from(((0x0a00_0000 | number << 8).to_be_bytes(), 1));
        silent.push(world.dial_from(source).await);
    }
    let peer = Peer::upgrade(world.dial().await, "/chat", "").await;
    let token = world.token("7", json!({}));
    peer.unwrap().climbs(&token).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "the good one waited for nobody");
    for mut stream in silent {
        until_closed(&mut stream).await;
    }
    assert_eq!(began.elapsed().as_secs(), 5);
    world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn a_foreign_client_climbs_over_the_same_line() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_websockets::{ClientBuilder, Message};
    let world = World::of(Carrier::Memory, CHAT).await;
    let uri = "ws://gate.example/chat".parse().unwrap();
    let (mut foreign, _) = ClientBuilder::from_uri(uri).connect_on(world.dial().await).await.unwrap();
    let ask = foreign.next().await.unwrap().unwrap();
    assert!(ask.as_text().unwrap().contains("\"layer\":\"jwt\""));
    let answer = json!({ "action": "auth", "kind": "jwt", "token": world.token("7", json!({})) });
    foreign.send(Message::text(answer.to_string())).await.unwrap();
    assert!(foreign.next().await.unwrap().unwrap().as_text().unwrap().contains("\"admitted\""));
    foreign.send(Message::text(r#"{"action":"subscribe","channel":"news","id":1}"#)).await.unwrap();
    assert!(foreign.next().await.unwrap().unwrap().as_text().unwrap().contains("\"subscribed\""));
    foreign.close().await.unwrap();
    world.empties().await;
}

#[tokio::test(start_paused = true)]
async fn the_projects_own_client_climbs_with_a_token_in_the_request() {
    let world = World::of(Carrier::Memory, PAGES).await;
    let bearer = Some(Secret::from_text(world.token("7", json!({}))));
    let mut client = world.client("/pages", Options { bearer, ..Options::default() }).await.unwrap();
    client.send("through and back").await.unwrap();
    let heard = client.next_message().await.unwrap();
    assert_eq!(heard, Some(doorward_client::Message::Text("through and back".to_owned())));
    client.close().await.unwrap();
    world.empties().await;
}
