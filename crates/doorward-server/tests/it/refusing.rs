//! A gate that refuses by a Close frame, because the page of a browser cannot see a status.

use doorward_auth::ports::AuditRecord;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::{
    peer::{Heard, Peer, head},
    world::{Carrier, World, both},
};

/// The same gates twice: told by the status, and told by a frame.
fn gates(refuse: &str) -> String {
    format!(
        r#"
        [[gate]]
        name = "hub"
        path = "/hub"
        origins = ["https://app.example"]
        backend = {{ hub = {{}} }}
        ladder = [{{ bearer = {{}} }}]
        {refuse}
        [[gate]]
        name = "echo"
        path = "/echo"
        backend = {{ echo = {{}} }}
        ladder = [{{ bearer = {{}} }}]
        verdict = "end"
        {refuse}
        [[gate]]
        name = "app"
        path = "/app"
        backend = {{ upstream = {{ url = "ws://127.0.0.1:1" }} }}
        ladder = [{{ bearer = {{}} }}]
        {refuse}
        [[gate]]
        name = "talks"
        path = "/talks"
        backend = {{ hub = {{}} }}
        ladder = [{{ bearer = {{}} }}, {{ jwt = {{}} }}]
        {refuse}
    "#
    )
}

const BY_FRAME: &str = "refuse = \"frame\"";

/// Requests that no layer lets in, each for another reason.
fn wrong(world: &World) -> [String; 4] {
    let mut forged = world.token("7", json!({}));
    forged.replace_range(forged.len() - 4.., "AAAA");
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    [
        String::new(),
        bearer("nonsense"),
        bearer(&forged),
        bearer(&world.token("7", json!({ "exp": World::NOW.as_secs() - 600, "iat": World::NOW.as_secs() - 900 }))),
    ]
}

/// Everything that is heard of a refusal, without its trace.
async fn heard(mut peer: Peer) -> Vec<Heard> {
    let without_trace = |heard| match heard {
        Heard::Text(text) => {
            let mut event: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(event.as_object_mut().unwrap().remove("trace").unwrap().as_str().unwrap().len(), 32);
            Heard::Text(event.to_string())
        }
        heard => heard,
    };
    peer.rest().await.into_iter().map(without_trace).collect()
}

both! {
    async fn a_verdict_of_a_handshake_layer_is_a_101_and_a_close_and_every_one_is_the_same(carrier: Carrier) {
        let world = World::of(carrier, &gates(BY_FRAME)).await;
        let closed = Heard::Close(4401, "not_authenticated".into());
        let event = json!({
            "event": "refused", "code": 4401, "reason": "not_authenticated", "reconnect": "never", "after_ms": 0,
        });
        let refused = Heard::Text(event.to_string());
        for (path, says) in [
            ("/hub", vec![refused.clone(), closed.clone()]),
            ("/talks", vec![refused, closed.clone()]),
            ("/echo", vec![closed.clone()]),
            ("/app", vec![closed]),
        ] {
            let mut heads = Vec::new();
            for headers in wrong(&world) {
                let peer = world.knock(path, &format!("Sec-WebSocket-Protocol: doorward.v1\r\n{headers}")).await.unwrap();
                heads.push(peer.head.clone());
                assert_eq!(heard(peer).await, says, "{path} {headers}");
            }
            heads.dedup();
            assert_eq!(heads.len(), 1, "the 101 does not tell them apart: {heads:?}");
            assert!(heads[0].contains("sec-websocket-protocol: doorward.v1"), "or a browser would take it for a failure: {heads:?}");
        }
        world.empties().await;
    }

    async fn the_audit_log_has_the_same_rows_whichever_way_a_refusal_is_told(carrier: Carrier) {
        let mut rows = Vec::new();
        for refuse in ["", BY_FRAME] {
            let world = World::of(carrier, &gates(refuse)).await;
            for path in ["/hub", "/echo", "/app", "/talks"] {
                for headers in wrong(&world) {
                    match world.knock(path, &headers).await {
                        Ok(peer) => drop(heard(peer).await),
                        Err(refused) => assert_eq!(refused.status, 401),
                    }
                }
            }
            world.empties().await;
            // How long a step took is not a matter of how it is told.
            let row = |row: &AuditRecord| {
                let mut trail = row.trail.clone();
                trail.iter_mut().flat_map(|rung| &mut rung.steps).for_each(|step| step.after_ms = 0);
                format!("{} {:?} {:?} {trail:?}", row.gate.as_ref().unwrap(), row.outcome, row.subject)
            };
            rows.push(world.rows().await.iter().map(row).collect::<Vec<_>>());
        }
        assert_eq!(rows[0].len(), 16);
        assert_eq!(rows[0], rows[1]);
    }

    async fn a_wrong_origin_an_unknown_path_a_malformed_request_and_a_full_server_are_answered_by_http(carrier: Carrier) {
        let limits = "[limits]\nsockets_per_source = 1\n";
        let world = World::of(carrier, &format!("{limits}{}", gates(BY_FRAME))).await;
        let status = async |path: &str, headers: &str| world.knock(path, headers).await.err().map(|refused| refused.status);
        let bearer = format!("Authorization: Bearer {}\r\n", world.token("7", json!({})));
        assert_eq!(status("/hub", &format!("Origin: https://evil.example\r\n{bearer}")).await, Some(403));
        assert_eq!(status("/hub", "Origin: https://evil.example\r\n").await, Some(403));
        assert_eq!(status("/echo", "Origin: https://evil.example\r\n").await, Some(403), "also with the verdict at the end");
        assert_eq!(status("/nowhere", "").await, Some(404));
        assert_eq!(status("/hub", "Content-Length: 5\r\n").await, Some(400));
        let _inside = world.knock("/echo", &bearer).await.unwrap();
        assert!(matches!(status("/hub", "").await, Some(503 | 0)), "no place for one more of this source");
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_is_refused_by_a_frame_and_reads_nothing_is_gone_within_seconds() {
    let mut world = World::of(Carrier::Memory, &gates(BY_FRAME)).await;
    world.pipe = 64;
    let mut stream = world.dial().await;
    let began = tokio::time::Instant::now();
    let request = head("/hub", "");
    let (sent, ()) = tokio::join!(stream.write_all(request.as_bytes()), world.door.caps().none_is_here());
    sent.unwrap();
    assert!(began.elapsed().as_secs() <= 7, "{:?}", began.elapsed());
    assert_eq!(world.verdicts().await, ["4401 bearer: socket checks token"]);
}
